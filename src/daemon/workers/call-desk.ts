/**
 * Passes a call of the operator's API on to all other workers, for the worker that got it, and brings back what they return. Knows none of
 * the calls.
 */
import type { ToSupervisor, WorkerResult } from './plan.ts'
import type { WorkerProcess } from './process.ts'

/** A worker without a result by then is left out. Beats come five times in this time. */
const answerMsMax = 2000

interface OpenCall {
  readonly asker: WorkerProcess
  /** The number that the asker gave the call. */
  readonly id: number
  readonly open: Set<WorkerProcess>
  readonly results: WorkerResult[]
  missing: number
  readonly timer: NodeJS.Timeout
}

export class CallDesk {
  private readonly ready: () => readonly WorkerProcess[]
  private readonly calls = new Map<number, OpenCall>()
  private nextId = 0

  constructor(ready: () => readonly WorkerProcess[]) {
    this.ready = ready
  }

  take(worker: WorkerProcess, message: ToSupervisor): void {
    if (message.kind === 'call') this.pass(worker, message)
    else if (message.kind === 'result') this.add(worker, message.id, message.output)
  }

  /** A worker has died: it returns nothing. */
  lost(worker: WorkerProcess): void {
    for (const id of [...this.calls.keys()]) this.add(worker, id, undefined)
  }

  private pass(asker: WorkerProcess, { id, name, input }: ToSupervisor & { kind: 'call' }): void {
    const open = new Set(this.ready())
    open.delete(asker)
    this.nextId += 1
    const own = this.nextId
    const timer = setTimeout(() => this.expire(own), answerMsMax)
    this.calls.set(own, { asker, id, open, results: [], missing: 0, timer })
    for (const worker of open) worker.send({ kind: 'call', id: own, name, input })
    this.finish(own)
  }

  private add(worker: WorkerProcess, id: number, output: unknown): void {
    const call = this.calls.get(id)
    if (call?.open.delete(worker) !== true) return
    if (output === undefined) call.missing += 1
    else call.results.push({ worker: worker.number, output })
    this.finish(id)
  }

  private expire(id: number): void {
    for (const worker of [...(this.calls.get(id)?.open ?? [])]) this.add(worker, id, undefined)
  }

  private finish(id: number): void {
    const call = this.calls.get(id)
    if (call === undefined || call.open.size > 0) return
    clearTimeout(call.timer)
    this.calls.delete(id)
    const { asker, results, missing } = call
    asker.send({ kind: 'results', id: call.id, results, missing })
  }
}
