/** From the argument list to the verb that it asks for. Loads the code of a verb when it is asked for. */
import { nodeCacheArguments } from '../nodelocal/program.ts'
import { overview, verbHelp } from './command-line/help.ts'
import { readCommand } from './command-line/read-command.ts'
import { definitionOf, type Verb } from './command-line/verbs.ts'
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
      io.stdout(command.verb === undefined ? overview() : verbHelp(definitionOf(command.verb)))
      return ExitCode.ok
    case 'version':
      io.stdout(`neardns ${version()}\n`)
      return ExitCode.ok
    case 'mistake':
      return usageError(io, command.why)
    case 'verb':
      break
  }
  const verb = await functionOf(command.verb, serving)
  return verb(command.argv, io)
}

const functions: Readonly<
  Record<Exclude<Verb, 'run' | 'demo' | 'node-cache'>, () => Promise<VerbFunction>>
> = {
  cache: async () => (await import('./operator/cache.ts')).cache,
  check: async () => (await import('./diagnosis/check.ts')).check,
  status: async () => (await import('./operator/status.ts')).status,
  top: async () => (await import('./operator/top/top.ts')).top,
  slow: async () => (await import('./operator/flights.ts')).slow,
  failures: async () => (await import('./operator/flights.ts')).failures,
  tail: async () => (await import('./operator/tail.ts')).tail,
  doctor: async () => (await import('./doctor/doctor.ts')).doctor,
  validate: async () => (await import('./validate.ts')).validate,
  explain: async () => (await import('./explain/explain.ts')).explain,
  rehearse: async () => (await import('./rehearse/rehearse.ts')).rehearse,
  rules: async () => (await import('./rules.ts')).rules,
  import: async () => (await import('./nodelocal/import.ts')).importCorefile,
  query: async () => (await import('./query.ts')).query,
  completion: async () => (await import('./completion.ts')).completion,
}

/** Loads the code of the verb. */
async function functionOf(verb: Verb, serving: ServingVerbs): Promise<VerbFunction> {
  if (verb === 'run' || verb === 'demo') return serving[verb]
  if (verb === 'node-cache') return serving.nodeCache
  return functions[verb]()
}
