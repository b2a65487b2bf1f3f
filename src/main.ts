#!/usr/bin/env node
/** The process edge: arguments in, exit code out. Loads the code of a verb only when it is asked for. */
import { dispatch } from './cli/dispatch.ts'
import type { CliIo } from './cli/io.ts'

const io: CliIo = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
}

process.exitCode = await dispatch(process.argv.slice(2), io, {
  run: async (argv) => (await import('./cli/start.ts')).start(argv, io),
  demo: async (argv) => (await import('./cli/serve-demo.ts')).serveDemo(argv, io),
})
