/**
 * How one upstream wants to be asked, as far as its replies show: with EDNS or without, over UDP or over TCP. Learned only from a
 * question that was answered in the other manner where the usual one had failed, and forgotten after a time, when the usual one
 * works again, or when the upstream comes back from being down: it may be another server then (RFC 6891 6.2.2, 7). Pure.
 *
 * DNS Flag Day 2019 ended retries without EDNS after silence in recursive servers, because they hide broken servers from all who
 * ask them. A forwarder has one or two servers that it cannot choose, so it makes one such retry: docs/decisions/0044.
 */

/** Failures in a row after which one question's silence or SERVFAIL may be about its manner. One may be a lost packet. */
const failuresMax = 3

/** Retries in the other manner that an error may cost, until one has helped ... */
const triesMax = 3
/** ... or this time has passed since the last. */
const triesRestMs = 60_000

/** What is known about one manner of asking. */
class Manner {
  private untilMs = Number.NEGATIVE_INFINITY
  private isProven = false
  private failures = 0
  private helps = 0
  private tries = 0
  private triedMs = Number.NEGATIVE_INFINITY
  /** Learned before, so one more failure tells as much as several did. */
  private hasFailedBefore = false

  /** Whether a failure may be due to this manner. */
  get isDoubtful(): boolean {
    return !this.isProven || this.failures >= failuresMax
  }

  isAvoided(nowMs: number): boolean {
    return nowMs < this.untilMs
  }

  /** An error, which is more often about the name. @returns whether this question may find out, by a retry in the other manner */
  takeTry(nowMs: number): boolean {
    this.failures += 1
    if (nowMs - this.triedMs >= triesRestMs) this.tries = 0
    if (!this.isDoubtful || this.tries >= triesMax) return false
    this.tries += 1
    this.triedMs = nowMs
    return true
  }

  worked(): void {
    this.isProven = true
    this.failures = 0
    this.tries = 0
    this.helps = 0
    this.hasFailedBefore = false
    this.untilMs = Number.NEGATIVE_INFINITY
  }

  failed(): void {
    this.failures += 1
  }

  /** A question was answered in the other manner. @param isCertain the reply to this one left no doubt */
  otherHelped(isCertain: boolean, untilMs: number): void {
    this.helps += 1
    this.tries = 0
    if (!isCertain && !this.hasFailedBefore && this.helps < failuresMax) return
    this.untilMs = untilMs
    this.hasFailedBefore = true
    this.isProven = false
  }

  forget(): void {
    this.untilMs = Number.NEGATIVE_INFINITY
    this.isProven = false
    this.helps = 0
  }
}

export class Dialect {
  readonly edns = new Manner()
  readonly udp = new Manner()

  /** The upstream is back from being down. */
  forget(): void {
    this.edns.forget()
    this.udp.forget()
  }
}
