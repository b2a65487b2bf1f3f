/** The workers of a supervisor: starts one for each number, replaces those that exit, hang or are killed. Decides nothing about sockets. */
import type { Log } from '../../observe/log.ts'
import type { RestartReason, RestoredCache, ToSupervisor } from './plan.ts'
import { type WorkerCommand, WorkerProcess } from './process.ts'

export interface WorkerGroupParts {
  readonly count: number
  readonly log: Log
  /** How a worker is started. @param isHealthy false when the one before it died early */
  readonly command: (isHealthy: boolean) => Omit<WorkerCommand, 'number' | 'count'>
  readonly onReady: (worker: WorkerProcess, restored: RestoredCache) => void
  readonly onMessage: (worker: WorkerProcess, message: ToSupervisor) => void
  readonly onLost: (worker: WorkerProcess) => void
}

const watchEveryMs = 250
/** A worker that ends within its first second of service is replaced after this long, the next one after twice as long, and so on. */
const pauseMsMin = 100
const pauseMsMax = 5000
/** A worker that has served for this long is replaced at once, because queries wait in its socket. */
const goodLifeMs = 1000
const startMsMax = 20_000

export class WorkerGroup {
  /** Workers that end are not replaced any more. */
  isLeaving = false
  readonly restarts: Record<RestartReason, number> = { ended: 0, killed: 0, hung: 0 }
  private readonly parts: WorkerGroupParts
  private readonly workers = new Map<number, WorkerProcess>()
  private pauseMs = 0
  private watcher: NodeJS.Timeout | undefined

  constructor(parts: WorkerGroupParts) {
    this.parts = parts
  }

  get all(): readonly WorkerProcess[] {
    return [...this.workers.values()]
  }

  get ready(): readonly WorkerProcess[] {
    return this.all.filter(({ isReady }) => isReady)
  }

  has(worker: WorkerProcess): boolean {
    return this.workers.get(worker.number) === worker
  }

  /** Resolves when all workers are ready. Rejects when one ends, when time is up, or when the group leaves meanwhile. */
  async start(): Promise<void> {
    const { count } = this.parts
    const endMs = performance.now() + startMsMax
    const endedBefore = this.restarts.ended
    for (let number = 0; number < count; number++) this.startOne(number, true)
    while (this.ready.length < count) {
      if (this.isLeaving) throw new Error('the start was given up')
      if (this.restarts.ended > endedBefore)
        throw new Error('a worker has ended while it was starting; its last words are above')
      if (performance.now() > endMs) throw new Error('the workers do not get ready')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    clearInterval(this.watcher)
    this.watcher = setInterval(() => this.watch(), watchEveryMs)
  }

  kill(signal: NodeJS.Signals): void {
    for (const worker of this.workers.values()) worker.kill(signal)
  }

  /** Resolves when the last worker has ended; kills the remaining ones after `deadlineMs`. */
  async untilGone(deadlineMs: number): Promise<void> {
    const late = setTimeout(() => this.kill('SIGKILL'), deadlineMs)
    await Promise.all(this.all.map((worker) => worker.gone()))
    clearTimeout(late)
    clearInterval(this.watcher)
  }

  private startOne(number: number, isHealthy: boolean): void {
    const { count, log, command, onMessage } = this.parts
    const worker: WorkerProcess = new WorkerProcess(
      { ...command(isHealthy), number, count },
      {
        onReady: (restored) => this.onReady(worker, restored),
        onMessage: (message) => onMessage(worker, message),
        onExit: (how) => this.onExit(worker, how),
      },
    )
    this.workers.set(number, worker)
    log.info({ worker: number, pid: worker.pid }, 'worker started')
  }

  private onReady(worker: WorkerProcess, restored: RestoredCache): void {
    this.parts.onReady(worker, restored)
    for (const other of this.ready) {
      if (other !== worker) void other.order('drop', worker.number)
    }
  }

  private onExit(
    worker: WorkerProcess,
    { code, isHung }: { code: number | null; isHung: boolean },
  ): void {
    this.workers.delete(worker.number)
    this.parts.onLost(worker)
    if (this.isLeaving) return
    const why = isHung ? 'hung' : code === null ? 'killed' : 'ended'
    this.restarts[why] += 1
    const livedMs = performance.now() - worker.readyMs
    this.pauseMs =
      livedMs > goodLifeMs ? 0 : Math.min(pauseMsMax, Math.max(pauseMsMin, 2 * this.pauseMs))
    const { log } = this.parts
    log.error({ worker: worker.number, why, code, againInMs: this.pauseMs }, 'worker lost')
    const [colleague] = this.ready
    if (colleague !== undefined) void colleague.order('adopt', worker.number)
    if (this.pauseMs === 0) this.startOne(worker.number, true)
    else
      setTimeout(() => {
        if (!this.isLeaving) this.startOne(worker.number, false)
      }, this.pauseMs)
  }

  private watch(): void {
    const nowMs = performance.now()
    for (const worker of this.workers.values()) worker.watch(nowMs)
  }
}
