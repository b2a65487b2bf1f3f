/**
 * What one server does with more than one question on a connection. RFC 7766 6.2.1 asks servers to take pipelined questions; some
 * close the connection after each answer, drop what was sent behind the first question, or answer nothing after it. A habit is
 * learned from the question's own fate, believed for a while, and tried again. Pure.
 */

/** How a question was put on its connection. Numbers, because they are compared. */
export const Standing = {
  /** The first of its connection. */
  fresh: 0,
  /** Alone, after earlier ones had been answered. */
  reused: 1,
  /** Behind a question without an answer. */
  behind: 2,
} as const
export type Standing = (typeof Standing)[keyof typeof Standing]

/** How long each connection carries only one question after the upstream has closed a young one with questions open ... */
const singleUseMs = 2000
/** ... and after this many such closes within a second: then it is no restart but the server's habit. */
const habitMs = 10_000
const habitLosses = 3
const habitSpanMs = 1000
/** Discarding is believed for twice as long each time it is seen again, up to this. */
const discardsMaxMs = 640_000

/** An upstream that was seen to answer out of order is trusted to do so for this long. */
const concurrentMs = 60_000

const never = Number.NEGATIVE_INFINITY

export class StreamHabits {
  private concurrentUntilMs = never
  private onceUntilMs = never
  private singlyUntilMs = never
  private losses = 0
  private suspectedMs = never
  private firstLossMs = never
  private discardForMs = habitMs
  /** It has answered a question on a connection. */
  isKnown = false
  /** The most that it has been seen to do. */
  private proven: Standing = Standing.fresh

  /** Each connection is to carry one question and no more. */
  servesOnce(nowMs: number): boolean {
    return nowMs < this.onceUntilMs
  }

  /** A question is to be sent only after the one before it was answered. */
  servesSingly(nowMs: number): boolean {
    return nowMs < Math.max(this.onceUntilMs, this.singlyUntilMs)
  }

  /** Whether the server has answered a question that was sent in this way. */
  answers(standing: Standing): boolean {
    return standing <= this.proven
  }

  noteAnswer(standing: Standing): void {
    this.isKnown = true
    if (standing <= this.proven) return
    this.proven = standing
    if (standing === Standing.behind) this.discardForMs = habitMs
  }

  /** Whether it works on several questions of a connection at once, so that none waits behind another (RFC 7766 6.2.1.1). */
  isConcurrent(nowMs: number): boolean {
    return nowMs < this.concurrentUntilMs
  }

  /** A question was answered after a younger one on its connection. */
  noteConcurrent(nowMs: number): void {
    this.concurrentUntilMs = nowMs + concurrentMs
  }

  /** The server has closed a young connection on which questions were open. */
  noteLoss(nowMs: number): void {
    if (nowMs - this.firstLossMs > habitSpanMs) {
      this.firstLossMs = nowMs
      this.losses = 0
    }
    const forMs = ++this.losses >= habitLosses ? habitMs : singleUseMs
    this.onceUntilMs = Math.max(this.onceUntilMs, nowMs + forMs)
  }

  /** A question that was sent in this way got no answer, and the same question sent elsewhere did. */
  noteDiscard(standing: Standing, nowMs: number): void {
    if (standing === Standing.fresh || this.isBelieved(standing, nowMs)) return
    const untilMs = nowMs + this.discardForMs
    if (standing === Standing.behind) this.singlyUntilMs = untilMs
    else this.onceUntilMs = Math.max(this.onceUntilMs, untilMs)
    this.discardForMs = Math.min(discardsMaxMs, 2 * this.discardForMs)
    this.proven = Standing.fresh
  }

  /** The same of a server that is known to answer such questions: two within a second are no accident, but may be an outage. */
  suspect(standing: Standing, nowMs: number): void {
    const isSecond = nowMs - this.suspectedMs < habitSpanMs
    this.suspectedMs = nowMs
    if (isSecond && standing === Standing.behind) {
      this.singlyUntilMs = Math.max(this.singlyUntilMs, nowMs + singleUseMs)
    }
  }

  private isBelieved(standing: Standing, nowMs: number): boolean {
    return standing === Standing.behind ? this.servesSingly(nowMs) : this.servesOnce(nowMs)
  }
}
