/**
 * Keeps what Node makes of our sources. Run from a checkout they are TypeScript, and the stripper of types is a WebAssembly program
 * of 20 MB that takes 0.3 s. The npm scripts name a directory for its output, NODE_COMPILE_CACHE in node_modules (never a
 * shared one like /tmp: what is in there is executed). Node writes it when a process ends; ours replaces itself instead.
 * The image has compiled sources and no use for this.
 */
import { readdirSync } from 'node:fs'
import { flushCompileCache, getCompileCacheDir } from 'node:module'

/** Writes down what this process has compiled. @returns whether that is the first that is kept for these V8 flags */
export function keepCompiled(): boolean {
  const directory = getCompileCacheDir()
  if (directory === undefined) return false
  const wasEmpty = isEmpty(directory)
  flushCompileCache()
  return wasEmpty && !isEmpty(directory)
}

function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0
  } catch {
    return true
  }
}
