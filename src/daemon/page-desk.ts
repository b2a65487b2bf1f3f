/** Carries what workers ask each other: metrics and readiness for whoever was scraped, the cache for a process that follows. */
import type { WorkersView } from '../observe/stats.ts'
import type { ToSupervisor, WorkerPage } from './worker-plan.ts'
import type { WorkerProcess } from './worker-process.ts'

interface Collection {
  readonly asker: WorkerProcess
  /** The asker's own number for it. */
  readonly id: number
  readonly texts: string[]
  readonly open: Set<WorkerProcess>
}

export class PageDesk {
  private readonly ready: () => readonly WorkerProcess[]
  private readonly view: () => WorkersView
  private readonly collections = new Map<number, Collection>()
  private nextId = 0
  private onPiece: ((piece: Buffer) => void) | undefined

  constructor(ready: () => readonly WorkerProcess[], view: () => WorkersView) {
    this.ready = ready
    this.view = view
  }

  take(worker: WorkerProcess, message: ToSupervisor): void {
    if (message.kind === 'ask') this.collect(worker, message.id, message.page)
    else if (message.kind === 'answer') this.add(worker, message.id, message.text)
    else if (message.kind === 'piece') this.onPiece?.(Buffer.from(message.piece))
  }

  /** A worker that has died answers nobody. */
  lost(worker: WorkerProcess): void {
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
    const others = this.ready().filter((worker) => worker !== asker)
    this.nextId += 1
    const collection = { asker, id, texts: [], open: new Set(others) }
    this.collections.set(this.nextId, collection)
    for (const worker of others) worker.send({ kind: 'ask', id: this.nextId, page })
    this.finish(this.nextId, collection)
  }

  private add(worker: WorkerProcess, id: number, text: string | undefined): void {
    const collection = this.collections.get(id)
    if (collection?.open.delete(worker) !== true) return
    if (text !== undefined) collection.texts.push(text)
    this.finish(id, collection)
  }

  private finish(id: number, { asker, id: askersId, texts, open }: Collection): void {
    if (open.size > 0) return
    this.collections.delete(id)
    asker.send({ kind: 'answers', id: askersId, texts, workers: this.view() })
  }
}
