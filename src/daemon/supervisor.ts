/**
 * The parent of several workers: holds the sockets, so that they outlive whoever reads them; starts a worker for each, replaces those
 * that end, hang or are killed; carries what they ask each other. Answers no query, parses no packet, knows no answer.
 */
import type { Config } from '../config/schema.ts'
import type { HeldSocket } from '../handover/held-sockets.ts'
import type { Service } from '../handover/predecessor.ts'
import { addressText } from '../net/bind.ts'
import { loadSystemCalls } from '../net/system-calls.ts'
import type { Log } from '../observe/log.ts'
import type { SupervisorView } from '../observe/stats.ts'
import { Handover, type HandoverConfig } from './handover.ts'
import { PageDesk } from './page-desk.ts'
import { selfQuery } from './self-query.ts'
import type { RestartReason, RestoredCache, ToSupervisor } from './worker-plan.ts'
import { WorkerProcess } from './worker-process.ts'

export interface SupervisorOptions {
  readonly config: HandoverConfig & Pick<Config, 'handover' | 'drain'>
  readonly workers: number
  /** How a worker is started. */
  readonly argv: readonly string[]
  readonly log: Log
  /** Other processes serve in our place, and nothing is left to do here. */
  readonly onSucceeded: () => void
}

const watchEveryMs = 250
/** A worker that ends before it has served for a second is followed after this long, then twice as long, and so on. */
const pauseMsMin = 100
const pauseMsMax = 5000
/** One that has served for so long is followed at once: what waits in its socket should not wait longer than it must. */
const goodLifeMs = 1000

export class Supervisor implements Service {
  private readonly options: SupervisorOptions
  private readonly handover: Handover
  private readonly workers = new Map<number, WorkerProcess>()
  private readonly restarts: Record<RestartReason, number> = { ended: 0, killed: 0, hung: 0 }
  private readonly desk = new PageDesk(
    () => this.ready,
    () => this.view,
  )
  private dump: Buffer | undefined
  private pauseMs = 0
  private watcher: NodeJS.Timeout | undefined
  /** Workers that end are not replaced. */
  private isLeaving = false
  private onReady: () => void = () => {}

  constructor(options: SupervisorOptions) {
    this.options = options
    const { config, log } = options
    this.handover = new Handover(
      config.handover.socket,
      {
        settings: config.handover,
        log,
        config: () => config,
        service: this,
        // Each worker checks it for itself.
        restore: (dump) => {
          this.dump = dump
          return { entries: 0, skipped: 0 }
        },
        cacheDump: () => this.desk.dump(),
      },
      loadSystemCalls(),
    )
  }

  get view(): SupervisorView {
    const { counts, entriesRestored } = this.handover
    return {
      workers: { wanted: this.options.workers, ready: this.ready.length, restarts: this.restarts },
      handover: { counts, entriesRestored },
    }
  }

  private get ready(): readonly WorkerProcess[] {
    return [...this.workers.values()].filter(({ isReady }) => isReady)
  }

  /** Opens the sockets, starts the workers, takes over from whoever served. @throws BindError */
  async start(): Promise<void> {
    await this.handover.openWith(async () => this.openSockets())
    await this.startWorkers()
    this.dump = undefined
    await this.handover.serving()
    const [first] = this.options.config.listen
    await this.handover.takeOver(first && (await selfQuery(first)))
    this.watcher = setInterval(() => this.watch(), watchEveryMs)
  }

  async stop(): Promise<void> {
    await this.handover.idle()
    const isLeaving = this.isLeaving
    this.isLeaving = true
    if (!isLeaving && this.handover.isWaitedFor) {
      await this.pauseReceiving()
      await this.handover.resign()
    }
    for (const worker of this.workers.values()) worker.kill('SIGTERM')
    await this.untilGone()
    clearInterval(this.watcher)
    await this.handover.stop()
  }

  /** Abandons a start that has failed. */
  async abandon(): Promise<void> {
    this.isLeaving = true
    this.handover.abandon()
    for (const worker of this.workers.values()) worker.kill('SIGKILL')
    await this.handover.stop()
  }

  /** Signals that are for the workers. */
  forward(signal: NodeJS.Signals): void {
    for (const worker of this.workers.values()) worker.kill(signal)
  }

  async pauseReceiving(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.order('pause')))
  }

  resumeReceiving(): void {
    for (const worker of this.workers.values()) void worker.order('resume')
  }

  async retire(): Promise<void> {
    this.isLeaving = true
    for (const worker of this.workers.values()) void worker.order('retire')
    await this.untilGone()
    if (this.options.config.handover.afterwards === 'exit') this.options.onSucceeded()
  }

  resume(): void {
    this.isLeaving = false
    this.startWorkers()
      .then(() => this.handover.resumed())
      .catch((error: unknown) => this.options.log.error({ err: error }, 'workers do not start'))
  }

  private openSockets(): void {
    const { config, workers } = this.options
    const { held } = this.handover
    for (const address of config.listen) {
      // What `obtain` gives is a duplicate for whoever listens; here that is another process.
      for (let number = 0; number < workers; number++) held.forget(held.obtainBoth(address, number))
    }
    if (config.admin.listen !== null)
      held.forget({ admin: held.obtain('admin', config.admin.listen) })
  }

  private async startWorkers(): Promise<void> {
    const allReady = new Promise<void>((resolve) => {
      this.onReady = () => {
        if (this.ready.length === this.options.workers) resolve()
      }
    })
    for (let number = 0; number < this.options.workers; number++) this.startWorker(number)
    const startMs = performance.now()
    await Promise.race([allReady, this.untilLate(startMs)])
  }

  private async untilLate(startMs: number): Promise<void> {
    while (this.ready.length < this.options.workers) {
      if (this.restarts.ended > 0)
        throw new Error('a worker has ended while it was starting; its last words are above')
      if (performance.now() - startMs > 20_000) throw new Error('the workers do not get ready')
      await new Promise((resolve) => setTimeout(resolve, watchEveryMs))
    }
  }

  private startWorker(number: number): void {
    const { argv, workers: count } = this.options
    const sockets = this.socketsFor(number)
    const { dump } = this
    const worker: WorkerProcess = new WorkerProcess(
      { argv, number, count, sockets, dump },
      {
        onReady: (restored) => this.onWorkerReady(worker, restored),
        onMessage: (message) => this.onMessage(worker, message),
        onExit: (how) => this.onExit(worker, how),
      },
    )
    this.workers.set(number, worker)
    this.options.log.info({ worker: number, pid: worker.pid }, 'worker started')
  }

  /** All of them: a worker reads those of a colleague that has died. */
  private socketsFor(_number: number): readonly HeldSocket[] {
    return this.handover.held.all
  }

  private onWorkerReady(worker: WorkerProcess, restored: RestoredCache): void {
    if (this.dump !== undefined) this.handover.noteRestored(restored)
    for (const other of this.workers.values()) {
      if (other !== worker && other.isReady) void other.order('drop', worker.number)
    }
    this.onReady()
  }

  private onMessage(worker: WorkerProcess, message: ToSupervisor): void {
    this.desk.take(worker, message)
  }

  private onExit(
    worker: WorkerProcess,
    { code, isHung }: { code: number | null; isHung: boolean },
  ): void {
    this.workers.delete(worker.number)
    this.desk.lost(worker)
    if (this.isLeaving) return
    const why = isHung ? 'hung' : code === null ? 'killed' : 'ended'
    this.restarts[why] += 1
    const livedMs = performance.now() - worker.readyMs
    this.pauseMs =
      livedMs > goodLifeMs ? 0 : Math.min(pauseMsMax, Math.max(pauseMsMin, 2 * this.pauseMs))
    const { log } = this.options
    log.error({ worker: worker.number, why, code, againInMs: this.pauseMs }, 'worker lost')
    const [colleague] = this.ready
    if (colleague !== undefined) void colleague.order('adopt', worker.number)
    setTimeout(() => {
      if (!this.isLeaving) this.startWorker(worker.number)
    }, this.pauseMs)
  }

  private watch(): void {
    const nowMs = performance.now()
    for (const worker of this.workers.values()) worker.watch(nowMs)
  }

  private async untilGone(): Promise<void> {
    const late = setTimeout(
      () => this.forward('SIGKILL'),
      this.options.config.drain.deadlineMs + 2000,
    )
    await Promise.all([...this.workers.values()].map((worker) => worker.gone()))
    clearTimeout(late)
  }
}

/** Listening addresses in text. */
export function listeningOf({ listen }: HandoverConfig): string[] {
  return listen.map(addressText)
}
