/**
 * The engine of regular expressions, loaded when a configuration has one: it takes 1.7 MB and 12 ms, and most configurations have none.
 * Whoever builds stages loads it first.
 */
import type { CompilePattern, Pattern } from './pattern.ts'

let engine: CompilePattern | undefined

export async function loadPatternEngine(): Promise<CompilePattern> {
  if (engine === undefined) engine = (await import('./re2.ts')).compileRe2
  return engine
}

/** @param text checked before, with the engine loaded: anything else is a defect and throws */
export function compilePattern(text: string): Pattern {
  if (engine === undefined) throw new Error('no engine for regular expressions is loaded')
  const compiled = engine(text)
  if (!compiled.ok) throw new Error(compiled.why)
  return compiled.value
}
