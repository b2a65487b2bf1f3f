/**
 * The time limits of one connection, as instants that are compared a few times a second: no connection has its own timer. Takes
 * times, returns verdicts; no clock, no socket.
 */
import type { TcpSessionSettings } from './tcp-settings.ts'
import type { TcpCloseReason } from './tcp-stats.ts'

const never = -1

export class TcpDeadlines {
  private readonly settings: TcpSessionSettings
  private readonly acceptedAtMs: number
  private activeAtMs: number
  private messageBegunAtMs = never
  private writeBlockedAtMs = never
  private endingAtMs = never

  /** All instants are monotonic milliseconds of one clock. */
  constructor(settings: TcpSessionSettings, nowMs: number) {
    this.settings = settings
    this.acceptedAtMs = nowMs
    this.activeAtMs = nowMs
  }

  /** A whole query was read or a reply written. Parts of a message do not count. */
  active(nowMs: number): void {
    this.activeAtMs = nowMs
  }

  /** A message is unfinished; its time runs from the first call after `messageDone`. */
  messageUnfinished(nowMs: number): void {
    if (this.messageBegunAtMs === never) this.messageBegunAtMs = nowMs
  }

  messageDone(): void {
    this.messageBegunAtMs = never
  }

  /** Replies wait for the client to read them; their time runs from the first call after `writeDone`. */
  writeBlocked(nowMs: number): void {
    if (this.writeBlockedAtMs === never) this.writeBlockedAtMs = nowMs
  }

  writeDone(): void {
    this.writeBlockedAtMs = never
  }

  /** The connection takes no more queries, or has sent its FIN. */
  ending(nowMs: number): void {
    this.endingAtMs = nowMs
  }

  /**
   * Why an open connection should take no more queries.
   * @param reading while false we do not read, so the client cannot finish its message
   */
  toFinish(nowMs: number, reading: boolean): TcpCloseReason | undefined {
    const { messageMs, lifetimeMs, idleMs } = this.settings
    const unfinished = this.messageBegunAtMs !== never
    if (unfinished && reading && nowMs - this.messageBegunAtMs >= messageMs)
      return 'message-timeout'
    if (nowMs - this.acceptedAtMs >= lifetimeMs) return 'lifetime'
    if (!unfinished && nowMs - this.activeAtMs >= idleMs) return 'idle'
    return undefined
  }

  /** Whether the client has not read its replies for too long. */
  isStalled(nowMs: number): boolean {
    return (
      this.writeBlockedAtMs !== never && nowMs - this.writeBlockedAtMs >= this.settings.writeStallMs
    )
  }

  /**
   * Whether an ending connection has used up its time: before our FIN that of a stalled write, for the replies in flight (more
   * than an exchange may take); after the FIN that of a message, for the client's FIN.
   */
  hasLingered(nowMs: number, finSent: boolean): boolean {
    const limitMs = finSent ? this.settings.messageMs : this.settings.writeStallMs
    return nowMs - this.endingAtMs >= limitMs
  }
}
