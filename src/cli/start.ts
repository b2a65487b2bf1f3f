/**
 * Starts `neardns run` twice: first to read the configuration and to compute V8's flags, then to serve, with nothing of the
 * first start in memory. When the flags are set already, it serves at once.
 */
import { workerVariable } from '../daemon/workers/plan.ts'
import { keepCompiled } from '../platform/compile-cache.ts'
import { ensureHeapFlags, startAnew } from '../platform/heap-flags.ts'
import { heapFlagsFor, readMemoryLimitBytes, tooLittleMemory } from '../platform/memory-limit.ts'
import { textAt } from '../platform/text-at.ts'
import { parseRunArgs, type RunArgs } from './command-line/run-arguments.ts'
import { environmentFor, type HandedConfig, takeHandedConfig } from './handed-config.ts'
import { type CliIo, usageError } from './io.ts'
import { fileOrigin } from './reload-triggers.ts'

export async function start(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseRunArgs(argv)
  if (!parsed.ok) return usageError(io, parsed.why)
  // A worker gets the configuration in force from its supervisor, because the file may hold a mistake by now.
  const writer = isWorker() ? process.ppid : process.pid
  const handed = takeHandedConfig(writer) ?? (await read(parsed.args, argv, io))
  if (typeof handed === 'number') return handed
  const { run } = await import('./run.ts')
  // The very first start from a checkout: the compiler of the sources would stay in memory otherwise.
  if (keepCompiled() && !isWorker()) startAnew(environmentFor(handed))
  return run(handed, fileOrigin(parsed.args, handed.fileText), io)
}

/** @returns the exit code when the configuration is wrong */
async function read(
  args: RunArgs,
  argv: readonly string[],
  io: CliIo,
): Promise<HandedConfig | number> {
  const limitBytes = readMemoryLimitBytes()
  // Before the parser is loaded, for which there may be no room.
  const tooLittle = tooLittleMemory(limitBytes, 1)
  if (tooLittle !== undefined) return usageError(io, tooLittle)
  const { readConfig } = await import('./read-config.ts')
  const fileText = args.configFile === undefined ? '' : (textAt(args.configFile) ?? '')
  const result = await readConfig(args)
  if (!result.ok) return (await import('./validate.ts')).reportProblems(io, result.problems)
  const { config } = result
  const handed = { config, fileText }
  // A worker keeps the process that its supervisor started: channel and descriptors would not survive a restart.
  if (isWorker()) return handed
  const why = tooLittleMemory(limitBytes, config.workers)
  if (why !== undefined) return usageError(io, why)
  if (config.workers > 1 || config.supervisor === 'always') {
    return (await import('./supervise.ts')).becomeSupervisor(handed, args, argv)
  }
  keepCompiled()
  const flags = heapFlagsFor(limitBytes, config.memory)
  ensureHeapFlags(flags, environmentFor(handed))
  return handed
}

function isWorker(): boolean {
  return process.env[workerVariable] !== undefined
}
