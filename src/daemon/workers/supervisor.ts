/**
 * The parent of several workers: holds the sockets, so that they outlive the workers that read them; hands over and applies a changed
 * configuration for all of them; relays what they ask each other. Answers no query, parses no packet, has no cache.
 */

import { formatEndpoint } from '../../address/endpoint.ts'
import type { Config } from '../../config/schema.ts'
import type { Service } from '../../handover/predecessor.ts'
import type { Log } from '../../observe/log.ts'
import type { SupervisorView } from '../../observe/stats.ts'
import { loadSystemCalls } from '../../system/system-calls.ts'
import { Handover, type HandoverConfig } from '../handover.ts'
import { ReloadQueue } from '../reload-queue.ts'
import { Reloads } from '../reloads.ts'
import { selfIdentity, selfQuery } from '../self-query.ts'
import { CallDesk } from './call-desk.ts'
import { WorkerGroup } from './group.ts'
import { GroupReload } from './group-reload.ts'
import { PageDesk } from './page-desk.ts'
import type { Configured, RestoredCache } from './plan.ts'
import type { WorkerCommand, WorkerProcess } from './process.ts'

/** The part of the configuration that a supervisor needs. */
export type SupervisedConfig = HandoverConfig & Pick<Config, 'handover' | 'drain'>

export interface SupervisorOptions {
  readonly config: SupervisedConfig
  /** The whole configuration; undefined when it is too long to be handed from process to process, so that each reads the file. */
  readonly checked: Config | undefined
  readonly workers: number
  /** Command line of a worker. */
  readonly argv: readonly string[]
  /** Environment that hands the configuration to a worker. */
  readonly environmentFor: (config: Config) => Readonly<Record<string, string>>
  readonly log: Log
  /** A successor serves, and this process may end. */
  readonly onSucceeded: () => void
}

/** A process that is sent SIGUSR2 again and again writes its state once in this time. */
const stateEveryMs = 1000
/** How long a worker may take to end, beyond its deadline for waiting queries. */
const endMsMax = 2000

export class Supervisor implements Service {
  private readonly options: SupervisorOptions
  private readonly handover: Handover
  private readonly group: WorkerGroup
  private readonly desk: PageDesk
  private readonly calls: CallDesk
  private readonly reloads: Reloads
  private readonly reloadQueue: ReloadQueue
  private config: SupervisedConfig
  private checked: Config | undefined
  /** Workers that were started with an older configuration and are not ready to take the new one. */
  private readonly outdated = new Set<WorkerProcess>()
  /** Cache of the predecessor, while the first workers start. */
  private dump: Buffer | undefined

  constructor(options: SupervisorOptions) {
    this.options = options
    const { config, checked } = options
    this.config = config
    this.checked = checked
    this.group = this.makeGroup()
    this.desk = new PageDesk(
      () => this.group.ready,
      () => this.view,
    )
    this.calls = new CallDesk(() => this.group.ready)
    this.reloads = new Reloads(checked ?? config)
    this.reloadQueue = this.makeReloadQueue()
    this.handover = this.makeHandover()
  }

  get view(): SupervisorView {
    const { counts, entriesRestored } = this.handover
    const { ready, restarts } = this.group
    return {
      workers: { wanted: this.options.workers, ready: ready.length, restarts },
      handover: { counts, entriesRestored },
      reload: this.reloads.stats,
    }
  }

  /** Opens the sockets, starts the workers, takes over from a predecessor. @throws BindError */
  async start(): Promise<void> {
    await this.handover.openWith(async () => this.openSockets(this.config))
    // Chosen before the workers start, which inherit it and answer our self-query.
    selfIdentity()
    await this.group.start()
    this.dump = undefined
    await this.handover.serving()
    const [first] = this.config.listen
    await this.handover.takeOver(first && (await selfQuery(first)))
  }

  async stop(): Promise<void> {
    await this.handover.idle()
    const { isLeaving } = this.group
    this.group.isLeaving = true
    if (!isLeaving && this.handover.isWaitedFor) {
      await this.pauseReceiving()
      await this.handover.resign()
    }
    this.group.kill('SIGTERM')
    await this.untilGone()
    await this.handover.stop()
  }

  /** Undoes a start that has failed. */
  async abandon(): Promise<void> {
    this.group.isLeaving = true
    this.handover.abandon()
    this.group.kill('SIGKILL')
    await this.handover.stop()
  }

  /** Writes the state of this process into the log, and has each worker write its own. */
  logState(): void {
    const { log } = this.options
    if (log.limited('state', stateEveryMs) !== undefined) log.info({ ...this.view }, 'state')
    this.group.kill('SIGUSR2')
  }

  /** The configuration file may have changed. */
  reload(because: string): void {
    this.reloadQueue.request(because)
  }

  async pauseReceiving(): Promise<void> {
    await Promise.all(this.group.all.map((worker) => worker.order('pause')))
  }

  resumeReceiving(): void {
    for (const worker of this.group.all) void worker.order('resume')
  }

  async retire(): Promise<void> {
    this.group.isLeaving = true
    for (const worker of this.group.all) void worker.order('retire')
    await this.untilGone()
    if (this.config.handover.afterwards === 'exit') this.options.onSucceeded()
  }

  resume(): void {
    this.group.isLeaving = false
    this.group
      .start()
      .then(() => this.handover.resumed())
      .then(() => this.reloadQueue.resume())
      .catch((error: unknown) => this.options.log.error({ err: error }, 'workers do not start'))
  }

  private untilGone(): Promise<void> {
    return this.group.untilGone(this.config.drain.deadlineMs + endMsMax)
  }

  private makeGroup(): WorkerGroup {
    const { workers, log } = this.options
    return new WorkerGroup({
      count: workers,
      log,
      command: () => this.command(),
      onReady: (worker, restored) => this.onReady(worker, restored),
      onMessage: (worker, message) => {
        this.desk.take(worker, message)
        this.calls.take(worker, message)
      },
      onLost: (worker) => {
        this.outdated.delete(worker)
        this.desk.lost(worker)
        this.calls.lost(worker)
      },
    })
  }

  private makeHandover(): Handover {
    const { config } = this
    const parts = {
      settings: config.handover,
      log: this.options.log,
      config: () => this.config,
      service: this,
      // Each worker checks the dump for itself.
      restore: (dump: Buffer) => {
        this.dump = dump
        return { entries: 0, skipped: 0 }
      },
      cacheDump: () => this.desk.dump(),
      // With several processes the kernel answers nothing.
      kernelProgram: () => undefined,
    }
    return new Handover(config.handover.socket, parts, loadSystemCalls())
  }

  private makeReloadQueue(): ReloadQueue {
    const { log } = this.options
    const group = this.makeGroupReload()
    return new ReloadQueue({
      log,
      check: () => group.check(),
      apply: async (config) => {
        const needsRestart = await group.apply(config)
        this.reloads.applied(config)
        log.setLevel(config.log.level)
        return needsRestart
      },
      onRefused: () => this.reloads.refused(),
    })
  }

  private makeGroupReload(): GroupReload<WorkerProcess> {
    return new GroupReload({
      ready: () => this.group.ready,
      isLeaving: () => this.group.isLeaving,
      open: (config) => this.openNew(config),
      use: (config) => this.use(config),
      configure: (worker, config) => this.configure(worker, config),
      close: (config) => this.handover.held.keepFor(config),
    })
  }

  /** With all sockets, because a worker reads those of a dead one, too. */
  private command(): Omit<WorkerCommand, 'number' | 'count'> {
    const { argv, environmentFor } = this.options
    const { dump, checked } = this
    const environment = checked === undefined ? {} : environmentFor(checked)
    return { argv, environment, dump, sockets: this.handover.held.all }
  }

  private onReady(worker: WorkerProcess, restored: RestoredCache): void {
    const { checked } = this
    if (this.dump !== undefined) this.handover.noteRestored(restored)
    if (this.outdated.delete(worker) && checked !== undefined) void this.configure(worker, checked)
  }

  private openSockets({ listen, admin }: SupervisedConfig): void {
    const { held } = this.handover
    for (const address of listen) {
      // `obtain` gives a duplicate to a listener in this process; the listeners are in other processes here.
      for (let number = 0; number < this.options.workers; number++) {
        held.forget(held.obtainBoth(address, number))
      }
    }
    for (const address of admin.listen) held.forget({ admin: held.obtain('admin', address) })
  }

  private openNew(config: Config): void {
    try {
      this.openSockets(config)
    } catch (error) {
      this.handover.held.keepFor(this.config)
      throw error
    }
  }

  private use(config: Config): void {
    // Settings of the hand-over count at the start only.
    this.config = { ...config, handover: this.config.handover }
    this.checked = config
    for (const worker of this.group.all) if (!worker.isReady) this.outdated.add(worker)
  }

  private async configure(worker: WorkerProcess, config: Config): Promise<Configured | undefined> {
    const result = await worker.configure(config, this.handover.held.all)
    if (result?.ok || !this.group.has(worker)) return result
    const why = result?.why ?? 'it does not answer'
    this.options.log.error(
      { worker: worker.number, why },
      'worker without new configuration; replaced',
    )
    worker.kill(result === undefined ? 'SIGKILL' : 'SIGTERM')
    return result
  }
}

/** Listening addresses as text. */
export function listeningOf({ listen }: HandoverConfig): string[] {
  return listen.map(formatEndpoint)
}
