/**
 * Starts `neardns run` twice: first to read the configuration and to learn what V8 has to be told, then, with nothing of
 * that in memory, to serve. Where the flags are given already it serves at once.
 */
import { readFileSync } from 'node:fs'
import { keepCompiled } from '../platform/compile-cache.ts'
import { ensureHeapFlags, startAnew } from '../platform/heap-flags.ts'
import { heapFlagsFor, readMemoryLimitBytes } from '../platform/memory-limit.ts'
import { parseRunArgs, type RunArgs } from './args.ts'
import { environmentFor, type HandedConfig, hashOf, takeHandedConfig } from './handed-config.ts'
import { type CliIo, usageError } from './io.ts'

export async function start(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseRunArgs(argv)
  if (!parsed.ok) return usageError(io, parsed.why)
  const handed = takeHandedConfig() ?? (await read(parsed.args, io))
  if (typeof handed === 'number') return handed
  const { run } = await import('./run.ts')
  // The very first start from a checkout: what compiled the sources stays in memory otherwise.
  if (keepCompiled()) startAnew(environmentFor(handed))
  return run(handed, parsed.args, io)
}

/** @returns the exit code when the configuration is wrong */
async function read(args: RunArgs, io: CliIo): Promise<HandedConfig | number> {
  const { readConfig } = await import('./read-config.ts')
  const fileHash = hashOf(readText(args.configFile))
  const result = await readConfig(args)
  if (!result.ok) return (await import('./validate.ts')).reportProblems(io, result.problems)
  const handed = { config: result.config, fileHash }
  keepCompiled()
  const flags = heapFlagsFor(readMemoryLimitBytes(), result.config.memory)
  ensureHeapFlags(flags, environmentFor(handed))
  return handed
}

function readText(path: string | undefined): string {
  try {
    return path === undefined ? '' : readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
