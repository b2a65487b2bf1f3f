/**
 * Regular expressions that operators write and that are matched against names that pods choose: RE2's syntax, as in CoreDNS, in time linear
 * in the length of the name. Never JavaScript's, which can take exponential time. docs/decisions/0051.
 */
import type { Parsed } from '../../config/address.ts'
import { type Found, items } from '../../config/partial.ts'
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
  return patternsIn(config).flatMap(({ path, value }) => {
    const compiled = compile(value)
    return compiled.ok ? [] : [{ path, message: compiled.why, because: [] }]
  })
}

/** All expressions of a configuration, as far as it could be parsed. */
export function patternsIn(config: unknown): Found<string>[] {
  return items(config, ['templates'])
    .flatMap(({ path }) => items(config, [...path, 'match']))
    .flatMap(({ path, value }) => (typeof value === 'string' ? [{ path, value }] : []))
}
