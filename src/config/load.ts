/**
 * Turns a file's text and the command line's flags into a frozen `Config`, or into all mistakes at once. Pure: the caller reads
 * the file. Import it dynamically where memory counts: zod comes with it.
 */
import { type CheckHelp, crossChecks } from './cross-checks.ts'
import { leaves } from './in-force/origins.ts'
import { type Origins, type Path, type Problem, pathText } from './problem.ts'
import { type Config, configSchema } from './schema.ts'
import { check, type Issue } from './setting.ts'
import { parseYaml, type YamlMistake, type YamlResult } from './yaml.ts'

/** A setting given on the command line; overrides the file. */
export interface Override {
  /** As typed: `--listen`. */
  readonly flag: string
  readonly path: Path
  /** As typed. Values of one list setting replace the file's list. */
  readonly value: string
  readonly isListItem: boolean
}

export interface ConfigSource extends CheckHelp {
  readonly file?: { readonly name: string; readonly text: string } | undefined
  /** In place of a file: settings as one would hold them, and what they were made from. */
  readonly settings?:
    | {
        readonly name: string
        readonly value: unknown
        /** Where a setting came from, when not from `name`. */
        readonly originOf?: (path: Path) => string
      }
    | undefined
  /** The configuration says where its values came from. Default: false. */
  readonly hasOrigins?: boolean
  readonly overrides?: readonly Override[] | undefined
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export function loadConfig(source: ConfigSource): ConfigResult {
  const overrides = source.overrides ?? []
  const { settings } = source
  const yaml = settings ? withoutPlaces(settings.value) : parseYaml(source.file?.text ?? '')
  const syntax = yaml.ok ? emptiness(source, yaml.value) : yaml.mistakes
  const written = yaml.ok ? withoutEmpty(yaml.value) : undefined
  const value = applyOverrides(written ?? {}, overrides)
  const result = check(configSchema, value, (partial) => crossChecks(partial, source))
  const name = source.file?.name ?? settings?.name ?? 'defaults'
  if (result.ok && syntax.length === 0) {
    const origins =
      source.hasOrigins === true && originsIn(value, { overrides, yaml, name }, source)
    return { ok: true, config: deepFreeze({ ...result.value, ...(origins && { origins }) }) }
  }
  const issues = result.ok ? [] : result.issues
  const found = issues.map((issue) => attribute(issue, { overrides, yaml, name }))
  return {
    ok: false,
    problems: [
      ...syntax.map(({ line, column, message }) => ({
        where: `${name}:${line}:${column}`,
        path: '',
        message,
      })),
      ...found.sort((a, b) => a.order - b.order).map(({ problem }) => problem),
    ],
  }
}

/**
 * A file is emptied for a moment by an editor that truncates it, or by a full disk, and may be cut off after its first key. The defaults
 * would take its listeners away.
 */
function emptiness({ file }: ConfigSource, value: unknown): readonly YamlMistake[] {
  if (file === undefined || !setsNothing(value)) return []
  return [
    { line: 1, column: 1, message: 'the file sets nothing; write {} if the defaults are meant' },
  ]
}

function setsNothing(value: unknown): boolean {
  if (!isSection(value)) return value === undefined || value === null
  const settings = Object.values(value)
  return settings.length > 0 && settings.every((one) => one === null || one === undefined)
}

/** Looking a place up walks the file; a file with so many settings has its name alone behind the others. */
const placedMax = 4000

function originsIn(
  value: unknown,
  { overrides, yaml, name }: Sources,
  { settings }: ConfigSource,
): Origins {
  const flags = new Map(overrides.map(({ path, flag }) => [pathText(path), flag]))
  const origins: Record<string, string> = {}
  let placed = 0
  for (const { path } of leaves(value)) {
    const text = pathText(path)
    const place = () => {
      if (!yaml.ok || placed++ >= placedMax) return name
      const { line } = yaml.locate(path, 'key')
      return line === 0 ? name : `${name}:${line}`
    }
    origins[text] = flags.get(text) ?? settings?.originOf?.(path) ?? place()
  }
  return origins
}

/** Settings that no file holds: a complaint about one has no place. */
function withoutPlaces(value: unknown): YamlResult {
  return { ok: true, value, locate: () => ({ line: 0, column: 0 }), has: () => false }
}

interface Sources {
  readonly overrides: readonly Override[]
  readonly yaml: YamlResult
  readonly name: string
}

/** Attributes an issue to the flag or the line that caused it. */
function attribute(issue: Issue, origins: Sources): { order: number; problem: Problem } {
  const flags = placeOverrides(origins.overrides)
  // When a rule between two settings is broken, the one that was written is at fault, not the one left at its default.
  for (const path of [issue.path, ...issue.because]) {
    const flag = flags.get(pathText(path))
    if (flag !== undefined) {
      const where = `${flag.flag} ${flag.value}`
      return {
        order: Number.POSITIVE_INFINITY,
        problem: { where, path: '', message: issue.message },
      }
    }
    if (origins.yaml.ok && origins.yaml.has(path)) return inFile(issue, path, origins)
  }
  return inFile(issue, issue.path, origins)
}

function inFile(
  issue: Issue,
  path: Path,
  { yaml, name }: Sources,
): { order: number; problem: Problem } {
  const { line, column } = yaml.ok
    ? yaml.locate(path, issue.isUnknown === true ? 'key' : 'value')
    : { line: 1, column: 1 }
  return {
    order: line * 1e6 + column,
    problem: {
      where: line === 0 ? name : `${name}:${line}:${column}`,
      path: pathText(issue.path),
      message: issue.message,
    },
  }
}

/** The overrides, by the path of their values in the checked tree. */
function placeOverrides(overrides: readonly Override[]): Map<string, Override> {
  const placed = new Map<string, Override>()
  const counts = new Map<string, number>()
  for (const override of overrides) {
    const path = pathText(override.path)
    const index = counts.get(path) ?? 0
    counts.set(path, index + 1)
    placed.set(override.isListItem ? `${path}[${index}]` : path, override)
  }
  return placed
}

function applyOverrides(written: unknown, overrides: readonly Override[]): unknown {
  if (!isSection(written)) return written
  const tree = { ...written }
  const replaced = new Set<string>()
  for (const { path, value, isListItem } of overrides) {
    const section = openSection(tree, path.slice(0, -1))
    const key = String(path.at(-1))
    if (section === undefined) continue
    const before = replaced.has(pathText(path)) ? section[key] : undefined
    replaced.add(pathText(path))
    section[key] = isListItem ? [...(Array.isArray(before) ? before : []), value] : value
  }
  return tree
}

/** Copies the sections along the path, so that the caller's tree stays unchanged. */
function openSection(
  tree: Record<string, unknown>,
  path: Path,
): Record<string, unknown> | undefined {
  let section = tree
  for (const part of path) {
    const inner = section[part] ?? {}
    // A list or a number where a section belongs is reported as such.
    if (!isSection(inner)) return undefined
    const copy = { ...inner }
    section[part] = copy
    section = copy
  }
  return section
}

/** `cache:` with everything below it commented out is null in YAML; it means the defaults. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (!isSection(value)) return value
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined)
  // fromEntries defines properties, so a key `__proto__` stays a key.
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutEmpty(inner)]))
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
