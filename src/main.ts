#!/usr/bin/env node
/** The process edge: arguments in, exit code out. Loads the code of a verb only when it is asked for. */
import { basename } from 'node:path'
import { dispatch } from './cli/dispatch.ts'
import { tooOldNode } from './cli/process/node-version.ts'
import { processIo } from './cli/process/process-io.ts'
import { survive } from './cli/signals.ts'
import { nodeCacheArguments } from './nodelocal/program.ts'
import { useShippedCompiled } from './platform/compile-cache.ts'

const tooOld = tooOldNode(process.versions.node)
if (tooOld !== undefined) {
  process.stderr.write(`${tooOld}\n`)
  process.exit(1)
}

useShippedCompiled(import.meta.dirname)

/** Set by `run` when it makes this process the parent of several workers (cli/supervise.ts). */
const isSupervisor = process.env['NEARDNS_SUPERVISOR'] !== undefined

const argv = process.argv.slice(2)
const program = basename(process.argv[1] ?? '')
const isServing = argv[0] === 'run' || nodeCacheArguments(program, argv) !== undefined

if (isSupervisor || isServing) survive()

const io = processIo((code) => process.exit(code))

process.exitCode = isSupervisor
  ? await (await import('./cli/supervise.ts')).supervise(io)
  : await dispatch(
      argv,
      io,
      {
        run: async (rest) => (await import('./cli/start.ts')).start(rest, io),
        demo: async (rest) => (await import('./cli/serve-demo.ts')).serveDemo(rest, io),
        nodeCache: async (rest) => {
          const { leadPodsToCoredns } = await import('./cli/node-cache/early.ts')
          const led = await leadPodsToCoredns(rest, process.env)
          return (await import('./cli/node-cache/node-cache.ts')).nodeCache(rest, io, led)
        },
      },
      program,
    )
