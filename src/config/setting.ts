/**
 * The kinds of settings, and the check of a value against them. Only this file imports zod, so that the error texts, the JSON
 * Schema and the unit of a number come from one place.
 *
 * zod's traps: `default` short-circuits (its value is not parsed), so everything that is transformed uses `prefault`; a
 * refinement is skipped once anything else is wrong unless `when` says otherwise; importing it costs 14 MB of RSS (Node 26.10), 9
 * of them for its texts in fifty languages, so the daemon imports this file through cli/lean-import.ts only.
 */
import * as z from 'zod'
import type { Parsed } from './address.ts'
import {
  booleanMistake,
  choiceMistake,
  listMistake,
  type NumberRule,
  numberMistake,
  sectionMistake,
  textMistake,
  unknownKeyMistake,
} from './mistakes.ts'
import type { Path } from './problem.ts'

// A daemon checks its configuration once per start: compiling the checks takes longer than running them.
z.config({ jitless: true })

/** One mistake in a value, not yet tied to a place in a file. */
export interface Issue {
  readonly path: Path
  readonly message: string
  /** Other values that the complaint rests on: it is dropped if one of these is itself wrong. */
  readonly because: readonly Path[]
  /** The setting should not be there at all: its name is wrong, not its value. */
  readonly isUnknown?: boolean
}

/** The value that a schema yields for a valid input. */
export type ValueOf<S extends z.ZodType> = z.output<S>

/** A checked configuration is frozen. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

interface WholeRule extends NumberRule {
  readonly default: number
  readonly about: string
}

/** A whole number with bounds and a unit. */
export function whole(rule: WholeRule) {
  const error = (issue: { readonly input?: unknown }) => numberMistake(issue.input, rule)
  return z
    .int({ error })
    .min(rule.min, { error })
    .max(rule.max, { error })
    .default(rule.default)
    .meta({ description: rule.about, 'x-unit': rule.unit })
}

export function onOff(rule: { readonly default: boolean; readonly about: string }) {
  return z
    .boolean({ error: (issue) => booleanMistake(issue.input) })
    .default(rule.default)
    .meta({ description: rule.about })
}

export function choice<const C extends string>(rule: {
  readonly of: readonly [C, ...C[]]
  readonly default: NoInfer<C>
  readonly about: string
}) {
  const fallback: string = rule.default
  return z
    .enum(rule.of, { error: (issue) => choiceMistake(issue.input, rule.of) })
    .default(fallback as never)
    .meta({ description: rule.about })
}

interface TextRule<T> {
  /** Describes the text, for complaints: `an IP address with port`. */
  readonly what: string
  readonly parse: (text: string) => Parsed<T>
  readonly examples?: string[]
}

/** A text that a parser turns into a value. */
export function parsed<T>(rule: TextRule<T>) {
  return z
    .string({ error: (issue) => textMistake(issue.input, rule.what) })
    .meta(rule.examples === undefined ? {} : { examples: rule.examples })
    .transform((text, context) => {
      const result = rule.parse(text)
      if (result.ok) return result.value
      context.addIssue({ code: 'custom', message: result.why, input: text })
      return z.NEVER
    })
}

/** A parsed text with a default; the default is parsed, too. */
export function text<T>(rule: TextRule<T> & { readonly default: string; readonly about: string }) {
  return parsed(rule).prefault(rule.default).meta({ description: rule.about })
}

/** A parsed text that may be left out. */
export function optionalText<T>(rule: TextRule<T> & { readonly about: string }) {
  return parsed(rule).nullable().prefault(null).meta({ description: rule.about })
}

/** A rule for `text` and `optionalText`. */
export function filePath(what: string) {
  return {
    what,
    parse: (path: string) =>
      path === ''
        ? ({ ok: false, why: `is empty; expected ${what}` } as const)
        : ({ ok: true, value: path } as const),
  }
}

interface ListRule<I extends z.ZodType> {
  readonly of: I
  /** Plural of the item, for complaints. */
  readonly what: string
  readonly max: number
  readonly about: string
}

/** A list that may be left out. */
export function list<I extends z.ZodType>(
  rule: ListRule<I> & { readonly default: z.input<I>[]; readonly min?: number },
) {
  return requiredList({ ...rule, min: rule.min ?? 0 })
    .prefault(rule.default)
    .meta({ description: rule.about })
}

/** A list that may be left out, and for which one text may be written, or null where it is empty. */
export function listOrOne<I extends z.ZodType>(rule: ListRule<I>) {
  const asList = (written: unknown) => {
    if (written === null) return []
    return typeof written === 'string' ? [written] : written
  }
  return z
    .preprocess(asList, requiredList({ ...rule, min: 0 }))
    .prefault([])
    .meta({ description: rule.about })
}

export function requiredList<I extends z.ZodType>(rule: ListRule<I> & { readonly min: number }) {
  return z
    .array(rule.of, { error: (issue) => listMistake(issue.input, rule.what) })
    .min(rule.min, { error: `the list is empty; expected at least ${rule.min} of: ${rule.what}` })
    .max(rule.max, { error: `the list is too long; at most ${rule.max} ${rule.what}` })
    .meta({ description: rule.about })
}

/** A section whose settings all have defaults, so that it may be left out. */
export function section<S extends z.ZodRawShape>(about: string, shape: S) {
  const nothing: unknown = {}
  return item(about, shape)
    .prefault(nothing as z.input<z.ZodObject<S, z.core.$strict>>)
    .meta({ description: about })
}

/** A section with settings that must be written. */
export function item<S extends z.ZodRawShape>(about: string, shape: S) {
  const keys = Object.keys(shape)
  return z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? keys.join('\n') : sectionMistake(issue.input, keys),
    })
    .meta({ description: about })
}

export type CheckResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly Issue[] }

/**
 * Checks a value and finds all mistakes at once.
 * @param cross rules between settings. They see the value as far as it could be parsed: a wrong part is still there, in the shape
 *   in which it was written.
 */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  cross: (partial: unknown) => readonly Issue[],
): CheckResult<z.output<S>> {
  let crossIssues: readonly Issue[] = []
  let known: Places | undefined
  const places = () => {
    known ??= settingPlaces(schema)
    return known
  }
  const result = schema
    .superRefine(
      (partial) => {
        crossIssues = cross(partial)
      },
      { when: () => true },
    )
    .safeParse(value)
  const issues = result.success
    ? []
    : result.error.issues.flatMap((issue) => toIssues(issue, places))
  const isWrong = (path: Path) => issues.some((issue) => samePath(issue.path, path))
  issues.push(...crossIssues.filter((issue) => ![issue.path, ...issue.because].some(isWrong)))
  return result.success && issues.length === 0
    ? { ok: true, value: result.data }
    : { ok: false, issues }
}

/** Full paths of all settings, by their last key. */
type Places = ReadonlyMap<string, readonly string[]>

function toIssues(issue: z.core.$ZodIssue, places: () => Places): Issue[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol')
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message, because: [] }]
  const allowed = issue.message.split('\n')
  return issue.keys.map((key) => ({
    path: [...path, key],
    message: unknownKeyMistake(key, allowed, places()),
    because: [],
    isUnknown: true,
  }))
}

function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i])
}

/** The part of JSON Schema that this project's settings use. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly string[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly 'x-unit'?: string
}

/** JSON Schema (draft 2020-12) of the configuration as written, with defaults and descriptions. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // Every section can be left out: `default: {}` says nothing about its settings.
      if (jsonSchema.type === 'object') delete jsonSchema.default
    },
  }) as JsonSchema
}

/** All settings by their last key: `entriesMax` is found at `cache.entriesMax`. */
function settingPlaces(schema: z.ZodType): Places {
  const places = new Map<string, string[]>()
  collectPlaces(toJsonSchema(schema), '', places)
  return places
}

function collectPlaces(node: JsonSchema, path: string, places: Map<string, string[]>): void {
  for (const [key, child] of Object.entries(node.properties ?? node.items?.properties ?? {})) {
    const place = path === '' ? key : `${path}.${key}`
    places.set(key, [...(places.get(key) ?? []), place])
    collectPlaces(child, place, places)
  }
}
