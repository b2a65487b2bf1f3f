/**
 * `neardns node-cache`: serves in the place of NodeLocal DNSCache's program, with its flags, files and environment. Starts twice, as
 * `run` does (cli/start.ts): first to read, then to serve.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { type NodeCacheFlags, readNodeCacheFlags } from '../../nodelocal/flags.ts'
import { nodeCacheHelp } from '../../nodelocal/help.ts'
import { keepCompiled } from '../../platform/compile-cache.ts'
import { ensureHeapFlags } from '../../platform/heap-flags.ts'
import { heapFlagsFor, readMemoryLimitBytes, tooLittleMemory } from '../../platform/memory-limit.ts'
import { FilesWatcher } from '../../platform/watch-files.ts'
import { environmentFor, type HandedConfig, takeHandedConfig } from '../handed-config.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import type { ConfigOrigin } from '../reload-triggers.ts'
import { version } from '../version.ts'
import { contentAt, contentRead, pathsIn, watchedPaths } from './node-files.ts'

/**
 * @param argv node-cache's arguments
 * @param led what this start has done to the node already (early.ts)
 * @returns the exit code
 */
export async function nodeCache(
  argv: readonly string[],
  io: CliIo,
  led: readonly string[] = [],
): Promise<number> {
  const read = readNodeCacheFlags(argv)
  switch (read.kind) {
    case 'help':
      io.stdout(nodeCacheHelp)
      return ExitCode.ok
    case 'version':
      io.stdout(`neardns ${version()}\n`)
      return ExitCode.ok
    case 'plugins':
      io.stdout(await pluginList())
      return ExitCode.ok
    case 'mistake':
      return usageError(io, read.why)
    case 'serve':
      return await serve(read.flags, io, led)
  }
}

/** In the manner of CoreDNS. */
async function pluginList(): Promise<string> {
  const { directiveNames } = await import('../../nodelocal/blocks.ts')
  return directiveNames.map((name) => `dns.${name}\n`).join('')
}

async function serve(flags: NodeCacheFlags, io: CliIo, led: readonly string[]): Promise<number> {
  const handed = takeHandedConfig() ?? (await firstReading(flags, io, led))
  if (typeof handed === 'number') return handed
  const { run } = await import('../run.ts')
  const code = await run(handed, originOf(flags, handed.fileText), io)
  if (flags.pidFile !== undefined) rmSync(flags.pidFile, { force: true })
  return code
}

/** @returns the exit code when the node, the flags or the files do not allow a start */
async function firstReading(
  flags: NodeCacheFlags,
  io: CliIo,
  led: readonly string[],
): Promise<HandedConfig | number> {
  const limitBytes = readMemoryLimitBytes()
  const tooLittle = tooLittleMemory(limitBytes, 1)
  if (tooLittle !== undefined) {
    await leaveToCoredns(flags, led, io)
    return usageError(io, tooLittle)
  }
  const { readForStart } = await import('./node-config.ts')
  const { result, files } = await readForStart(flags, process.env, led)
  if (!result.ok) {
    await leaveToCoredns(flags, led, io)
    return (await import('../validate.ts')).reportProblems(io, result.problems)
  }
  const handed = { config: result.config, fileText: contentRead(flags, files) }
  keepCompiled()
  ensureHeapFlags(heapFlagsFor(limitBytes, result.config.memory), environmentFor(handed))
  return handed
}

/** Rules that a node-cache left would lead pods to a closed port for as long as this pod cannot start. */
async function leaveToCoredns(
  flags: NodeCacheFlags,
  led: readonly string[],
  io: CliIo,
): Promise<void> {
  const { clearRemains } = await import('./remains.ts')
  for (const line of [...led, ...(await clearRemains(flags))]) io.stderr(`neardns: ${line}\n`)
}

/** @param content of all files when they were read last */
function originOf(flags: NodeCacheFlags, content: string): ConfigOrigin {
  let paths: readonly string[] = pathsIn(content)
  return {
    async read(log) {
      const { readNodeCacheConfig } = await import('./node-config.ts')
      const { result, files } = await readNodeCacheConfig({
        flags,
        environment: process.env,
        isStart: false,
        remark: ({ where, message }) => log.info({ where }, message),
      })
      // What a refused Corefile names is watched as well: mending it may mend the Corefile.
      paths = watchedPaths(flags, files)
      return result
    },
    watcher: (onChange) =>
      new FilesWatcher(
        { read: () => ({ content: contentAt(paths), paths }), onChange },
        { content, paths },
      ),
    onServing() {
      if (flags.pidFile !== undefined) writeFileSync(flags.pidFile, `${process.pid}\n`)
    },
  }
}
