/**
 * Finds the connections whose head of line is old. CoreDNS answers the questions of one connection one after another, so whatever
 * stands behind a name that it must ask others for waits as long. Runs only while a question is open. Places nothing itself: the
 * pool does what `HeldUp` says.
 */
import type { Attempt } from '../attempt.ts'
import type { StreamConnection } from './stream-connection.ts'

/** The pool as the watch sees it. */
export interface HeldUp {
  nowMs(): number
  /** Age from which a head is old. */
  readonly slowAfterMs: number
  /** Connections with an unanswered question; empty while the server answers out of order. */
  watched(): readonly StreamConnection[]
  /** Whether the server has answered others although this head is old, so that the head is slow. */
  isPassed(connection: StreamConnection): boolean
  /** The head has been old for the whole of a turn. Called again in each round until there is an answer. */
  onOldHead(connection: StreamConnection, isHeadSlow: boolean): void
  /** All heads were looked at. */
  onWatched(): void
}

export class HeadWatch {
  private readonly pool: HeldUp
  private readonly suspects = new Map<StreamConnection, Attempt>()
  private timer: NodeJS.Timeout | undefined
  private immediate: NodeJS.Immediate | undefined
  private readonly suspectAll = () => this.suspect()
  private readonly judgeAll = () => this.judge()

  constructor(pool: HeldUp) {
    this.pool = pool
  }

  /** A question was sent. */
  begin(): void {
    if (this.timer !== undefined || this.immediate !== undefined) return
    // Twice as often as a head can become old, so that it is found within half that time again.
    this.timer = setTimeout(this.suspectAll, Math.max(1, Math.floor(this.pool.slowAfterMs / 2)))
  }

  stop(): void {
    clearTimeout(this.timer)
    clearImmediate(this.immediate)
    this.timer = undefined
    this.immediate = undefined
    this.suspects.clear()
  }

  /**
   * Between this and `judge` all sockets are read once: after a stall of our own event loop the answers may lie in the kernel.
   */
  private suspect(): void {
    this.timer = undefined
    const oldFromMs = this.pool.nowMs() - this.pool.slowAfterMs
    for (const connection of this.pool.watched()) {
      const { head } = connection
      if (head !== undefined && connection.quietSinceMs <= oldFromMs) {
        this.suspects.set(connection, head)
      }
    }
    if (this.suspects.size === 0) return this.goOn()
    // The first immediate still belongs to this turn.
    this.immediate = setImmediate(() => {
      this.immediate = setImmediate(this.judgeAll)
    })
  }

  private judge(): void {
    this.immediate = undefined
    const { pool, suspects } = this
    for (const [connection, head] of suspects) {
      if (connection.state !== 'open' || connection.head !== head) continue
      pool.onOldHead(connection, pool.isPassed(connection))
    }
    suspects.clear()
    pool.onWatched()
    this.goOn()
  }

  private goOn(): void {
    if (this.pool.watched().length > 0) this.begin()
  }
}
