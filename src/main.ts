#!/usr/bin/env node
/** The process edge: arguments in, exit code out. Loads the code of a verb only when it is asked for. */
import { dispatch } from './cli/dispatch.ts'
import type { CliIo } from './cli/io.ts'
import { survive } from './cli/signals.ts'
import { useShippedCompiled } from './platform/compile-cache.ts'

useShippedCompiled(import.meta.dirname)

/** Set by `run` when it makes this process the parent of several workers (cli/supervise.ts). */
const isSupervisor = process.env['NEARDNS_SUPERVISOR'] !== undefined

if (isSupervisor || process.argv[2] === 'run') survive()

const io: CliIo = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
}

process.exitCode = isSupervisor
  ? await (await import('./cli/supervise.ts')).supervise(io)
  : await dispatch(process.argv.slice(2), io, {
      run: async (argv) => (await import('./cli/start.ts')).start(argv, io),
      demo: async (argv) => (await import('./cli/serve-demo.ts')).serveDemo(argv, io),
    })
