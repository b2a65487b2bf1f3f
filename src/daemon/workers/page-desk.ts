/** Carries what workers ask each other: metrics and readiness for whoever was scraped, the cache for a process that follows. */
import { countsOf, type WorkerText } from '../../observe/merge-expositions.ts'
import type { SupervisorView } from '../../observe/stats.ts'
import { supervisorText } from '../../observe/supervisor-text.ts'
import type { ToSupervisor, WorkerPage } from './plan.ts'
import type { WorkerProcess } from './process.ts'

/** A worker that has not answered by then is shown with what it said the last time. */
const answerMsMax = 1000

interface Collection {
  readonly asker: WorkerProcess
  /** The asker's own number for it. */
  readonly id: number
  readonly page: WorkerPage
  readonly parts: WorkerText[]
  readonly open: Set<WorkerProcess>
  readonly timer: NodeJS.Timeout
}

export class PageDesk {
  private readonly ready: () => readonly WorkerProcess[]
  private readonly view: () => SupervisorView
  private readonly collections = new Map<number, Collection>()
  private nextId = 0
  private onPiece: ((piece: Buffer) => void) | undefined
  /** What each has said of itself on the newest page of metrics. */
  private readonly shown = new Map<WorkerProcess, string>()
  /** What those had counted that are dead. */
  private departed = ''

  constructor(ready: () => readonly WorkerProcess[], view: () => SupervisorView) {
    this.ready = ready
    this.view = view
  }

  take(worker: WorkerProcess, message: ToSupervisor): void {
    if (message.kind === 'ask') this.collect(worker, message.id, message.page)
    else if (message.kind === 'answer') this.add(worker, message.id, message.text)
    else if (message.kind === 'piece') this.onPiece?.(Buffer.from(message.piece))
    else if (message.kind === 'shown') this.shown.set(worker, message.text)
  }

  /** A worker that has died answers nobody. */
  lost(worker: WorkerProcess): void {
    const text = this.shown.get(worker)
    this.shown.delete(worker)
    if (text !== undefined) this.departed = countsOf([this.departed, text])
    for (const id of [...this.collections.keys()]) this.add(worker, id, undefined)
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
    const open = new Set(this.ready().filter((worker) => worker !== asker))
    this.nextId += 1
    const own = this.nextId
    const timer = setTimeout(() => this.expire(own), answerMsMax)
    this.collections.set(own, { asker, id, page, parts: [], open, timer })
    for (const worker of open) worker.send({ kind: 'ask', id: own, page })
    this.finish(own)
  }

  private add(worker: WorkerProcess, id: number, text: string | undefined): void {
    const collection = this.collections.get(id)
    if (collection?.open.delete(worker) !== true) return
    if (text !== undefined) {
      if (collection.page === 'metrics') this.shown.set(worker, text)
      collection.parts.push({ worker: String(worker.number), text })
    }
    this.finish(id)
  }

  /** A sum without those that are late would look like a restart. */
  private expire(id: number): void {
    const { page, open } = this.collections.get(id) ?? { open: [] }
    for (const worker of open) {
      const text = page === 'metrics' ? this.shown.get(worker) : silent(worker)
      this.add(worker, id, text)
    }
  }

  private finish(id: number): void {
    const collection = this.collections.get(id)
    if (collection === undefined || collection.open.size > 0) return
    const { asker, id: askersId, page, parts, timer } = collection
    clearTimeout(timer)
    this.collections.delete(id)
    const more = page === 'metrics' ? this.ownParts() : []
    asker.send({ kind: 'answers', id: askersId, parts: [...parts, ...more], view: this.view() })
  }

  private ownParts(): WorkerText[] {
    return [
      { worker: 'departed', text: this.departed },
      { worker: 'supervisor', text: supervisorText() },
    ]
  }
}

function silent({ number }: WorkerProcess): string {
  return `worker ${number}: has not answered for ${answerMsMax} ms`
}
