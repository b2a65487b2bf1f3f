/**
 * Collects pages about all workers for the worker that was asked over HTTP, and the cache of one worker for a process that takes over.
 * Remembers what dead workers had counted. Metrics are added up and written here, because no packet waits in this process.
 */
import { type FamilyReading, textOf } from '../../observe/exposition.ts'
import { countsOf, mergeReadings } from '../../observe/merge-readings.ts'
import type { SupervisorView } from '../../observe/stats.ts'
import { supervisorReadings } from '../../observe/supervisor-readings.ts'
import { inOneGo } from '../../observe/time-slices.ts'
import type { ToSupervisor, WorkerAnswer, WorkerPage } from './plan.ts'
import type { WorkerProcess } from './process.ts'

/** After this time a worker without an answer is shown with its last numbers. */
const answerMsMax = 1000

interface Collection {
  readonly asker: WorkerProcess
  /** The number that the asker gave the question. */
  readonly id: number
  readonly page: WorkerPage
  readonly answers: Map<WorkerProcess, WorkerAnswer>
  readonly open: Set<WorkerProcess>
  readonly timer: NodeJS.Timeout
}

export class PageDesk {
  private readonly ready: () => readonly WorkerProcess[]
  private readonly view: () => SupervisorView
  private readonly collections = new Map<number, Collection>()
  private nextId = 0
  private onPiece: ((piece: Buffer) => void) | undefined
  /** What each worker had counted on the newest page of metrics. */
  private readonly shown = new Map<WorkerProcess, readonly FamilyReading[]>()
  /** What the workers that have died had counted. */
  private departed: readonly FamilyReading[] = []

  constructor(ready: () => readonly WorkerProcess[], view: () => SupervisorView) {
    this.ready = ready
    this.view = view
  }

  take(worker: WorkerProcess, message: ToSupervisor): void {
    if (message.kind === 'ask') this.collect(worker, message.id, message.page)
    else if (message.kind === 'answer')
      this.add(worker, message.id, message.answer ?? this.lastShown(worker))
    else if (message.kind === 'piece') this.onPiece?.(Buffer.from(message.piece))
  }

  /** A worker has died: it answers no question, and its counts are remembered as those of a dead one. */
  lost(worker: WorkerProcess): void {
    const families = this.shown.get(worker)
    this.shown.delete(worker)
    if (families !== undefined) this.departed = countsOf([this.departed, families])
    for (const [id, { answers }] of [...this.collections]) {
      answers.delete(worker)
      this.add(worker, id, undefined)
    }
  }

  /** The cache of one worker: they all serve the same names. */
  async *dump(): AsyncGenerator<Buffer> {
    const [worker] = this.ready()
    if (worker === undefined) return
    const pieces: Buffer[] = []
    let wake = () => {}
    this.onPiece = (piece) => {
      pieces.push(piece)
      wake()
    }
    worker.send({ kind: 'order', order: 'dump', number: worker.number })
    for (;;) {
      const piece = pieces.shift()
      if (piece === undefined) {
        await Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve
          }),
          worker.gone(),
        ])
        if (pieces.length === 0) return
      } else if (piece.length === 0) return
      else yield piece
    }
  }

  private collect(asker: WorkerProcess, id: number, page: WorkerPage): void {
    const open = new Set(this.ready()).add(asker)
    // It says itself whether it is ready.
    if (page === 'ready') open.delete(asker)
    this.nextId += 1
    const own = this.nextId
    const timer = setTimeout(() => this.expire(own), answerMsMax)
    this.collections.set(own, { asker, id, page, answers: new Map(), open, timer })
    // The view comes first: a worker shows the numbers of the group beside its own.
    for (const worker of open) worker.send({ kind: 'ask', id: own, page, view: this.view() })
    this.finish(own)
  }

  private add(worker: WorkerProcess, id: number, answer: WorkerAnswer | undefined): void {
    const collection = this.collections.get(id)
    if (collection?.open.delete(worker) !== true) return
    if (answer !== undefined) {
      if (collection.page === 'metrics') this.shown.set(worker, answer.families)
      collection.answers.set(worker, answer)
    }
    this.finish(id)
  }

  /** A sum without the late workers would look like a restart. */
  private expire(id: number): void {
    const { page, open } = this.collections.get(id) ?? { open: [] }
    for (const worker of open) {
      this.add(worker, id, page === 'metrics' ? this.lastShown(worker) : silent(worker))
    }
  }

  private finish(id: number): void {
    const collection = this.collections.get(id)
    if (collection === undefined || collection.open.size > 0) return
    clearTimeout(collection.timer)
    this.collections.delete(id)
    const { asker, answers } = collection
    const reasons = [...answers.values()].flatMap((answer) => answer.reasons)
    const text = collection.page === 'metrics' ? this.metricsOf(collection) : ''
    asker.send({ kind: 'page', id: collection.id, page: { text, reasons }, view: this.view() })
  }

  private lastShown(worker: WorkerProcess): WorkerAnswer | undefined {
    const families = this.shown.get(worker)
    return families && { families, reasons: [] }
  }

  /** The asker comes first, then the others as they answered. */
  private metricsOf({ asker, answers }: Collection): string {
    const isAsker = (worker: WorkerProcess) => Number(worker === asker)
    const workers = [...answers].toSorted(([one], [other]) => isAsker(other) - isAsker(one))
    const merged = mergeReadings([
      ...workers.map(([{ number }, { families }]) => ({ worker: String(number), families })),
      { worker: 'departed', families: this.departed },
      { worker: 'supervisor', families: supervisorReadings() },
    ])
    return inOneGo(textOf(merged))
  }
}

function silent({ number }: WorkerProcess): WorkerAnswer {
  const reasons = [`worker ${number}: has not answered for ${answerMsMax} ms`]
  return { families: [], reasons }
}
