/**
 * Regular expressions that operators write and that are matched against names that pods choose: RE2's syntax, as in CoreDNS, in time linear
 * in the length of the name. Never JavaScript's, which can take exponential time. docs/decisions/0051.
 */
import type { Parsed } from '../../config/address.ts'
import { at, type Found, items } from '../../config/partial.ts'
import type { Issue } from '../../config/setting.ts'

/** CoreDNS's bound. */
const charactersMax = 10_000

export interface Pattern {
  readonly text: string
  /** Names of the groups, from the whole match on; '' for one without a name. */
  readonly groupNames: readonly string[]
  test(text: string): boolean
  /** @returns the whole match and the groups, '' for one that took no part; undefined when nothing matches */
  match(text: string): readonly string[] | undefined
}

/** @returns what is wrong with the text when it is no expression */
export type CompilePattern = (text: string) => Parsed<Pattern>

/** For settings, which are checked without the engine: `patternIssues` has the rest. @returns the text itself */
export function parsePatternText(text: string): Parsed<string> {
  if (text.length <= charactersMax) return { ok: true, value: text }
  return { ok: false, why: `has ${text.length} characters; at most ${charactersMax}` }
}

/** What is wrong with the expressions of a configuration, as far as it could be parsed. */
export function patternIssues(config: unknown, compile: CompilePattern): Issue[] {
  return patternsIn(config).flatMap(({ path, value, replacement }) => {
    const compiled = compile(value)
    if (!compiled.ok) return [{ path, message: compiled.why, because: [] }]
    const mistake = groupMistake(compiled.value, replacement)
    if (mistake === undefined) return []
    return [{ path, message: `${mistake}; ${groupCure}`, because: [] }]
  })
}

export const groupCure = 'put parentheses around what is to be kept'

/** @param replacement a text with {1} for the first group. @returns undefined when there is none */
export function groupMistake({ text, groupNames }: Pattern, replacement = ''): string | undefined {
  const groups = groupNames.length - 1
  const used = new Set(replacement.match(/\{(?:\d{1,2}|100)\}/g))
  // CoreDNS counts {0}, the whole match, like any other.
  if (used.size <= groups) return undefined
  return `${JSON.stringify(replacement)} takes ${used.size} groups, and ${JSON.stringify(text)} has ${groups}`
}

interface FoundPattern extends Found<string> {
  /** What takes the place of a match, with {1} for its first group. */
  readonly replacement?: string
}

/** All expressions of a configuration, as far as it could be parsed. */
export function patternsIn(config: unknown): FoundPattern[] {
  const ofTemplates = items(config, ['templates'])
    .flatMap(({ path }) => items(config, [...path, 'match']))
    .flatMap(({ path, value }) => (typeof value === 'string' ? [{ path, value }] : []))
  return [...ofTemplates, ...items(config, ['rewrites']).flatMap(patternsOfRewrite)]
}

function patternsOfRewrite({ path, value }: Found<unknown>): FoundPattern[] {
  const from = at(value, ['from'])
  const isRegex = at(value, ['match']) === 'regex' && typeof from === 'string'
  const own = isRegex
    ? [{ path: [...path, 'from'], value: from, ...replacementOf(at(value, ['to'])) }]
    : []
  const answers = items(value, ['answer']).flatMap((answer) => {
    const pattern = at(answer.value, ['from'])
    if (typeof pattern !== 'string') return []
    const place = [...path, ...answer.path]
    return [{ path: place, value: pattern, ...replacementOf(at(answer.value, ['to'])) }]
  })
  return [...own, ...answers]
}

function replacementOf(to: unknown): { readonly replacement?: string } {
  return typeof to === 'string' ? { replacement: to } : {}
}
