/** From the argument list to the verb that it asks for. Loads the code of a verb when it is asked for. */
import { nodeCacheArguments } from '../nodelocal/program.ts'
import { readCommand } from './args.ts'
import { helpText } from './help.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { version } from './version.ts'

/** @returns the exit code */
export type VerbFunction = (argv: readonly string[], io: CliIo) => Promise<number>

/** The verbs that start servers; they live outside of `cli/`. */
export interface ServingVerbs {
  readonly run: VerbFunction
  readonly demo: VerbFunction
  readonly nodeCache: VerbFunction
}

/**
 * Runs one command line.
 * @param argv `process.argv.slice(2)`
 * @param program the name under which the program was started
 * @returns the exit code, once the verb is done
 */
export async function dispatch(
  argv: readonly string[],
  io: CliIo,
  serving: ServingVerbs,
  program = 'neardns',
): Promise<number> {
  // Its arguments are Go's: -help and -version are not ours.
  const ofNodeCache = nodeCacheArguments(program, argv)
  if (ofNodeCache !== undefined) return serving.nodeCache(ofNodeCache, io)
  const command = readCommand(argv)
  switch (command.kind) {
    case 'help':
      io.stdout(helpText)
      return ExitCode.ok
    case 'version':
      io.stdout(`neardns ${version()}\n`)
      return ExitCode.ok
    case 'mistake':
      return usageError(io, command.why)
    case 'verb':
      break
  }
  switch (command.verb) {
    case 'run':
      return serving.run(command.argv, io)
    case 'demo':
      return serving.demo(command.argv, io)
    case 'validate':
      return (await import('./validate.ts')).validate(command.argv, io)
    case 'explain':
      return (await import('./explain.ts')).explain(command.argv, io)
    case 'rules':
      return (await import('./rules.ts')).rules(command.argv, io)
    case 'import':
      return (await import('./nodelocal/import.ts')).importCorefile(command.argv, io)
    case 'query':
      return (await import('./query.ts')).query(command.argv, io)
  }
}
