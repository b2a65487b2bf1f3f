/**
 * `neardns run`: serves until SIGTERM or SIGINT. Connects the daemon to the process: configuration file, resolv.conf, signals
 * and log, none of which the daemon touches itself.
 */
import type { Upstream } from '../address/upstream-url.ts'
import { noted } from '../config/in-force/origins.ts'
import { nameserversAfter, parseResolvConf } from '../config/resolv-conf.ts'
import type { Config } from '../config/schema.ts'
import { AdminBindError } from '../daemon/admin-servers.ts'
import { CorefileWatcher } from '../daemon/corefile-watcher.ts'
import { Daemon } from '../daemon/daemon.ts'
import { withinMemory } from '../daemon/memory-room.ts'
import { ReloadQueue } from '../daemon/reload-queue.ts'
import { judgeTrust } from '../daemon/search-trust.ts'
import { WorkerLink } from '../daemon/workers/link.ts'
import { shareOf } from '../daemon/workers/plan.ts'
import { loadPatternEngine } from '../local/pattern/engine.ts'
import { patternsIn } from '../local/pattern/pattern.ts'
import { createLog, type Log } from '../observe/log.ts'
import { HeapSettling } from '../platform/heap-settling.ts'
import { heapLimitsFor, readMemoryLimitBytes } from '../platform/memory-limit.ts'
import { dropStartPagesLater } from '../platform/start-pages.ts'
import { textAt } from '../platform/text-at.ts'
import { limitHeap } from '../platform/v8-flags.ts'
import { FileWatcher } from '../platform/watch-file.ts'
import { BindError } from '../system/bind.ts'
import { FirstSockets } from '../system/first-sockets.ts'
import { loadSystemCalls } from '../system/system-calls.ts'
import { UnsupportedPlatform } from '../system/system-error.ts'
import type { HandedConfig } from './handed-config.ts'
import { type CliIo, ExitCode } from './io.ts'
import { outputTerminal } from './process/terminal.ts'
import { localAddresses } from './read-config.ts'
import { type ConfigOrigin, logUnreadable, ReloadTriggers } from './reload-triggers.ts'
import { changedRestartOnly, waitNote } from './restart-only.ts'
import { endSignals, stateSignal } from './signals.ts'
import { version } from './version.ts'

/** For a machine without name servers: a newcomer's may have none. */
const demoHint = '`npm run demo` (neardns demo) shows everything without a network'

/** @param handed the checked configuration */
export async function run(handed: HandedConfig, origin: ConfigOrigin, io: CliIo): Promise<number> {
  const { config } = handed
  const link = WorkerLink.fromEnvironment()
  const log = createLog({
    level: config.log.level,
    terminal: outputTerminal(),
    ...(link && { worker: link.plan.number }),
  })
  logLastWords(log)
  // A later configuration is read in this process, which loads it there.
  if (patternsIn(config).length > 0) await loadPatternEngine()
  let session: Session
  try {
    session = new Session(handed, origin, log, link)
    await session.start()
    origin.onServing?.()
  } catch (error) {
    log.flushSync()
    io.stderr(`neardns: ${startFailure(error)}\n`)
    return ExitCode.failed
  }
  await session.untilStopped()
  await log.flush()
  return ExitCode.ok
}

/** An uncaught exception ends the process: its log line must be written before Node prints the stack and exits. */
function logLastWords(log: Log): void {
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    log.error({ err: error, origin }, 'ending because of a defect')
    log.flushSync()
  })
}

function startFailure(error: unknown): string {
  if (error instanceof BindError || error instanceof AdminBindError) return error.message
  if (error instanceof UnsupportedPlatform) return `--io batched: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** One run of the daemon, with the files and signals that it follows. */
class Session {
  private readonly origin: ConfigOrigin
  private readonly log: Log
  private readonly daemon: Daemon
  private config: Config
  /** Of this process's start: some settings of it are in force until its end. */
  private readonly started: Config
  /** Number of processes that share the limits. */
  private readonly workers: number
  /** Undefined in a worker: its supervisor says when to reload. */
  private readonly reloadTriggers: ReloadTriggers | undefined
  private readonly resolvConf: FileWatcher
  /** Name servers of resolv.conf in force. */
  private resolvers: readonly Upstream[] = []
  private readonly corefile: CorefileWatcher | undefined
  private readonly memoryLimitBytes = readMemoryLimitBytes()
  private readonly heap = new HeapSettling()
  private isStopping = false
  private keepStartPages: () => void = () => {}
  private readonly stopped: Promise<void>
  private onStopped: () => void = () => {}

  constructor(
    { config: whole }: HandedConfig,
    origin: ConfigOrigin,
    log: Log,
    link: WorkerLink | undefined,
  ) {
    this.workers = link?.plan.count ?? 1
    this.log = log
    const config = this.ownShare(whole)
    this.origin = origin
    this.config = config
    this.started = config
    this.stopped = new Promise((resolve) => {
      this.onStopped = resolve
    })
    const resolvText = textAt(config.external.resolvConf) ?? ''
    this.resolvConf = new FileWatcher(
      {
        path: config.external.resolvConf,
        onChange: (text) => this.useResolvConf(text),
        ...logUnreadable(config.external.resolvConf, log),
      },
      resolvText,
    )
    this.reloadTriggers = link === undefined ? this.makeReloadTriggers() : undefined
    link?.onConfig({
      check: () => origin.read(log),
      apply: (changed) => this.apply(changed),
    })
    this.corefile = this.watchCorefile(config.searchPath.corefile)
    this.daemon = new Daemon(config, {
      log,
      facts: {
        ...{ version: version(), revision: '', memoryLimitBytes: this.memoryLimitBytes },
        nodeName: process.env['NODE_NAME'],
      },
      resolvers: this.resolversFrom(resolvText),
      readResolvConf: (onRead) => this.resolvConf.lookNow(onRead),
      ...(this.corefile && { corefile: this.corefile.source }),
      localAddresses,
      first: new FirstSockets(process.env),
      onSucceeded: () => this.stop('succeeded'),
      ...(link && { link }),
    })
  }

  async start(): Promise<void> {
    const { log, daemon } = this
    log.info({ version: version(), node: process.version, pid: process.pid }, 'starting')
    const { fallback, detail } = daemon.listeners.io
    if (detail !== '')
      log.warn({ fallback, detail }, 'portable sockets: batched ones cannot be had')
    const admin = await daemon.start()
    this.resolvConf.start()
    this.corefile?.start()
    // Node's own modules are all loaded by now.
    limitHeap(heapLimitsFor(this.memoryLimitBytes))
    this.heap.start()
    if (daemon.listeners.io.mode === 'batched') this.dropStartPages()
    for (const signal of endSignals) process.on(signal, () => this.stop(signal))
    process.on(stateSignal, () => daemon.monitoring.logState())
    this.reloadTriggers?.start()
    log.info(
      {
        listening: daemon.listening,
        io: daemon.listeners.io.mode,
        admin,
        adminSocket: daemon.monitoring.privateSocket,
        upstreams: daemon.upstreams,
        searchPath: daemon.trustLevel,
        interception: daemon.interceptionWhy,
      },
      'ready',
    )
  }

  /** Not with portable sockets: loading koffi would cost more memory than this gives back. */
  private dropStartPages(): void {
    const { dropPages } = loadSystemCalls()
    this.keepStartPages = dropStartPagesLater(dropPages, (bytes) =>
      this.log.debug({ bytes }, 'pages that only the start needed are given back'),
    )
  }

  untilStopped(): Promise<void> {
    return this.stopped
  }

  private stop(because: string): void {
    // A terminal sends Ctrl-C to npm and to us, and npm passes it on.
    if (this.isStopping) return
    this.isStopping = true
    this.log.info({ because }, 'stopping')
    this.stopWatching()
    this.daemon
      .stop()
      .catch((error: unknown) => this.log.error({ err: error }, 'stopping failed'))
      .finally(() => this.end())
  }

  private stopWatching(): void {
    this.heap.stop()
    this.keepStartPages()
    this.resolvConf.stop()
    this.reloadTriggers?.stop()
    this.corefile?.stop()
  }

  private end(): void {
    this.stopWatching()
    this.log.info({}, 'stopped')
    this.onStopped()
  }

  private makeReloadTriggers(): ReloadTriggers {
    const queue = new ReloadQueue({
      log: this.log,
      check: () => this.origin.read(this.log),
      apply: (config) => this.apply(config),
      onRefused: () => this.daemon.reloads.refused(),
    })
    return new ReloadTriggers(this.origin, (because) => queue.request(because), this.log)
  }

  private watchCorefile(path: string | null): CorefileWatcher | undefined {
    if (path === null) return undefined
    return new CorefileWatcher({
      path,
      judge: (source) => judgeTrust(this.config, source),
      onChange: (source) => this.daemon.useCorefile(source),
    })
  }

  /** The limits of this process, no larger than the memory cgroup allows. */
  private ownShare(whole: Config): Config {
    const limitBytes = Math.floor(this.memoryLimitBytes / this.workers)
    const { config, cuts } = withinMemory(shareOf(whole, this.workers), limitBytes)
    for (const { isChosen, ...cut } of cuts) {
      const fields = { ...cut, memoryLimitBytes: this.memoryLimitBytes }
      this.log[isChosen ? 'warn' : 'info'](fields, 'less is used, because of the memory limit')
    }
    return noted(
      config,
      whole,
      ({ from }, configured) =>
        `${from}; ${configured} shared among workers, or cut to the memory limit`,
    )
  }

  /** @returns changed settings that wait for the next start */
  private async apply(whole: Config): Promise<string[]> {
    const config = noted(this.ownShare(whole), this.started, waitNote)
    await this.daemon.reconfigure(config)
    const needsRestart = changedRestartOnly(this.config, config)
    this.config = config
    // Parsing leaves some MB of garbage, which V8 keeps until it has several times as much.
    this.heap.start()
    return needsRestart
  }

  private useResolvConf(text: string): void {
    const resolvers = this.resolversFrom(text)
    this.log.info({ resolvers: resolvers.map(({ address }) => address) }, 'resolv.conf has changed')
    this.daemon.useResolvers(resolvers)
  }

  private resolversFrom(text: string) {
    const { external } = this.config
    const file = parseResolvConf(text)
    for (const { line, why } of file.ignored) {
      this.log.warn({ file: external.resolvConf, line, why }, 'name server ignored')
    }
    this.resolvers = nameserversAfter(file, this.resolvers)
    if (this.resolvers.length === 0 && external.upstreams.length === 0) {
      this.log.warn(
        { file: external.resolvConf },
        `no name servers: names outside the cluster get SERVFAIL until there are; ${demoHint}`,
      )
    } else if (file.nameservers.length === 0 && external.upstreams.length === 0) {
      const fields = { file: external.resolvConf }
      this.log.warn(fields, 'no name servers in it; those that it named before stay in force')
    }
    return this.resolvers
  }
}
