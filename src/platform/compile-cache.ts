/**
 * Keeps what Node makes of our sources. Run from a checkout they are TypeScript, and the stripper of types is a WebAssembly program
 * of 20 MB that takes 0.3 s. The npm scripts name a directory for its output, NODE_COMPILE_CACHE in node_modules (never a
 * shared one like /tmp: what is in there is executed). Node writes it when a process ends; ours replaces itself instead.
 * The bundle brings its own beside it, made by `build.ts`: 15-30 ms of the start that V8 need not parse and compile (docs/decisions/0029).
 */
import { existsSync, readdirSync } from 'node:fs'
import { enableCompileCache, flushCompileCache, getCompileCacheDir } from 'node:module'
import { join } from 'node:path'

/** Has what is loaded from now on taken from the bundle's own cache, if there is one. Another Node, or a changed file, compiles as ever. */
export function useShippedCompiled(bundleDirectory: string): void {
  const directory = join(bundleDirectory, 'compiled')
  // Portable: paths in it are relative, so the folder can be built in one place and run in another, by whichever user.
  if (existsSync(directory)) enableCompileCache({ directory, portable: true })
}

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
