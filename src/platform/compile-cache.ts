/**
 * Keeps the code that Node compiles from our sources. In a checkout they are TypeScript, and the type stripper is a WebAssembly program
 * of 20 MB that takes 0.3 s. The npm scripts name a directory for its output, NODE_COMPILE_CACHE in node_modules (never a
 * shared one like /tmp, because its content is executed). Node writes the cache when a process ends; this process replaces itself instead.
 * The bundle has its own cache beside it, made by `build.ts`: it saves V8 15-30 ms of parsing and compiling at the start (docs/decisions/0029).
 */
import { existsSync, readdirSync } from 'node:fs'
// Whole, because an old Node would die of a name that it lacks before it can be told its age (cli/process/node-version.ts).
import * as nodeModule from 'node:module'
import { join } from 'node:path'

/** Loads code from the bundle's own cache from now on, if there is one. With another Node, or a changed file, Node compiles as usual. */
export function useShippedCompiled(bundleDirectory: string): void {
  const directory = join(bundleDirectory, 'compiled')
  // Portable: its paths are relative, so the folder can be built in one place and run in another, by any user.
  if (existsSync(directory)) nodeModule.enableCompileCache({ directory, portable: true })
}

/** Writes the code that this process has compiled. @returns whether it is the first for these V8 flags */
export function keepCompiled(): boolean {
  const directory = nodeModule.getCompileCacheDir()
  if (directory === undefined) return false
  const wasEmpty = isEmpty(directory)
  nodeModule.flushCompileCache()
  return wasEmpty && !isEmpty(directory)
}

function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0
  } catch {
    return true
  }
}
