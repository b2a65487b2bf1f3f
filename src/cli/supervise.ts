/**
 * The parent of several workers. `run` reads the configuration in this very process, which then replaces itself (execve) by one that has
 * not loaded the parser and the schema: the parent's memory is taken on every node for as long as the daemon runs.
 */
import type { Config } from '../config/schema.ts'
import { placeAddresses } from '../daemon/intercept.ts'
import { listeningOf, Supervisor } from '../daemon/workers/supervisor.ts'
import { createLog, type Log } from '../observe/log.ts'
import { allocatorVariables } from '../platform/heap-flags.ts'
import { heapFlagsFor, readMemoryLimitBytes } from '../platform/memory-limit.ts'
import { BindError } from '../system/bind.ts'
import type { RunArgs } from './command-line/run-arguments.ts'
import { environmentFor, type HandedConfig, takeHandedConfig } from './handed-config.ts'
import { type CliIo, ExitCode } from './io.ts'
import { outputTerminal } from './process/terminal.ts'
import { fileOrigin, ReloadTriggers } from './reload-triggers.ts'
import { endSignals, stateSignal } from './signals.ts'
import { version } from './version.ts'

/** Environment variable with the plan as JSON; `main.ts` reads it. */
export const supervisorVariable = 'NEARDNS_SUPERVISOR'

/** The smallest heap that Node starts in; the supervisor has no packets and no cache. */
const leanFlags = ['--max-semi-space-size=1', '--max-old-space-size=32']

interface SupervisorPlan {
  readonly config: Pick<Config, 'listen' | 'admin' | 'cache' | 'handover' | 'drain' | 'log'>
  readonly configFile: string | undefined
  readonly workers: number
  readonly argv: readonly string[]
}

/** @param argv the arguments after `run`. @returns only when the process cannot be replaced */
export async function becomeSupervisor(
  handed: HandedConfig,
  { configFile }: RunArgs,
  argv: readonly string[],
): Promise<number> {
  const { config } = handed
  const { listen, admin, cache, handover, drain, log, workers } = config
  const [, main = ''] = process.argv
  const limitBytes = readMemoryLimitBytes()
  const workerFlags = heapFlagsFor(Math.floor(limitBytes / workers), config.memory)
  const plan: SupervisorPlan = {
    config: { listen, admin, cache, handover, drain, log },
    configFile,
    workers,
    argv: [process.execPath, ...process.execArgv, ...workerFlags, main, 'run', ...argv],
  }
  const env = {
    ...allocatorVariables,
    ...process.env,
    ...environmentFor(handed),
    [supervisorVariable]: JSON.stringify(plan),
  }
  // The parent opens the sockets first, on addresses that must exist by then.
  await placeAddresses(config, createLog({ level: log.level, terminal: outputTerminal() }))
  const { execPath, execArgv } = process
  process.execve?.(execPath, [execPath, ...execArgv, ...leanFlags, main], env)
  throw new Error('several workers need a system where a process can replace itself (Linux)')
}

/** Supervises until SIGTERM or SIGINT. */
export async function supervise(io: CliIo): Promise<number> {
  // Written by `becomeSupervisor` a moment ago.
  const plan = JSON.parse(process.env[supervisorVariable] ?? '') as SupervisorPlan
  delete process.env[supervisorVariable]
  const log = createLog({ level: plan.config.log.level, terminal: outputTerminal() })
  const stopped = Promise.withResolvers<void>()
  const { config, workers, argv } = plan
  const handed = takeHandedConfig()
  const end = () => {
    stop(supervisor, log).then(stopped.resolve, stopped.reject)
  }
  const supervisor = new Supervisor({
    config,
    checked: handed?.config,
    workers,
    argv,
    log,
    // Workers do not watch the file, so its text does not matter.
    environmentFor: (current) => environmentFor({ config: current, fileText: '' }),
    onSucceeded: end,
  })
  // A stop during the start waits until the workers are ready: half a start cannot be undone in order.
  const started = Promise.withResolvers<void>()
  let isEnding = false
  const endLater = () => {
    // A terminal sends Ctrl-C to npm and to us, and npm passes it on.
    if (isEnding) return
    isEnding = true
    started.promise.then(end, end)
  }
  for (const signal of endSignals) process.on(signal, endLater)
  process.on(stateSignal, () => supervisor.logState())
  try {
    log.info({ version: version(), pid: process.pid, workers }, 'supervisor starting')
    await supervisor.start()
  } catch (error) {
    await supervisor.abandon()
    log.flushSync()
    io.stderr(`neardns: ${error instanceof BindError ? error.message : String(error)}\n`)
    return ExitCode.failed
  }
  started.resolve()
  // A text that was too long to be handed over counts as empty: the first look finds a change, and the reload none.
  const { configFile } = plan
  const args = { ...(configFile !== undefined && { configFile }), overrides: [] }
  const origin = fileOrigin(args, handed?.fileText ?? '')
  const triggers = new ReloadTriggers(origin, (because) => supervisor.reload(because), log)
  triggers.start()
  log.info({ listening: listeningOf(config), workers }, 'all workers are ready')
  await stopped.promise
  triggers.stop()
  await log.flush()
  return ExitCode.ok
}

async function stop(supervisor: Supervisor, log: Log): Promise<void> {
  log.info({}, 'supervisor stopping')
  await supervisor.stop()
  log.info({}, 'supervisor stopped')
}
