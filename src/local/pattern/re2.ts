/** Owner of re2js, a port of Go's regexp: the syntax that CoreDNS takes, in linear time. Imported by engine.ts alone, when it is needed. */
import { RE2JS } from 're2js'
import type { Parsed } from '../../config/address.ts'
import type { Pattern } from './pattern.ts'

export function compileRe2(text: string): Parsed<Pattern> {
  try {
    return { ok: true, value: patternOf(text, RE2JS.compile(text)) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return {
      ok: false,
      why: `${JSON.stringify(text)} is no regular expression in RE2's syntax: ${reason}`,
    }
  }
}

function patternOf(text: string, compiled: RE2JS): Pattern {
  const groupNames = Array.from({ length: compiled.groupCount() + 1 }, () => '')
  for (const [name, index] of Object.entries(compiled.namedGroups())) groupNames[index] = name
  return {
    text,
    groupNames,
    // Five times as fast as `test` (bench:micro -- stages).
    test: (name) => compiled.matcher(name).find(),
    match: (name) => {
      const matcher = compiled.matcher(name)
      return matcher.find() ? groupNames.map((_, i) => matcher.group(i) ?? '') : undefined
    },
  }
}
