/**
 * How one upstream wants to be asked, as far as its replies show: with EDNS or without, over UDP or over TCP. Learned only from a
 * question that was answered in the other manner where the usual one had failed, and forgotten after a time, when the usual one
 * works again, or when the upstream comes back from being down: it may be another server then (RFC 6891 6.2.2, 7). Pure.
 *
 * DNS Flag Day 2019 ended retries without EDNS after silence in recursive servers, because they hide broken servers from all who
 * ask them. A forwarder has one or two servers that it cannot choose, so it makes one such retry: docs/decisions/0044.
 */

import { Retries, type RetryTurn } from './plain-retries.ts'

/** Failures in a row after which one question's silence or SERVFAIL may be about its manner. One may be a lost packet. */
const failuresMax = 3

/** Retries that may be in vain: an error is more often about the name, and most denials are. */
const vainMax = { errors: 3, denials: 20 }

/**
 * Refusals in a row, each helped by the other manner, after which one that has worked is avoided. A forwarder passes on what the servers
 * of single zones say, and a burst of such a zone's names must not cost all others their signatures. unbound never avoids EDNS then.
 */
const refusalsMax = 20

/** What is known about one manner of asking. */
class Manner {
  private untilMs = Number.NEGATIVE_INFINITY
  private isProven = false
  private failures = 0
  private helps = 0
  private refusals = 0
  readonly errors = new Retries(vainMax.errors)
  readonly denials = new Retries(vainMax.denials)
  /** Learned before, so one more failure tells as much as several did. */
  private hasFailedBefore = false

  /** Whether a failure may be due to this manner. */
  get isDoubtful(): boolean {
    return !this.isProven || this.failures >= failuresMax
  }

  isAvoided(nowMs: number): boolean {
    return nowMs < this.untilMs
  }

  /** Whether an error, which is more often about the name, may be asked again in the other manner. */
  mayBlame(nowMs: number): RetryTurn {
    return this.isDoubtful ? this.errors.take(nowMs) : 'never'
  }

  /** The same for a denial without any sign that the server knows this manner. One that has given data to it does not deny for it. */
  mayDeny(nowMs: number): RetryTurn {
    return this.isProven ? 'never' : this.denials.take(nowMs)
  }

  /** @param isCertain a server that does not know this manner would have said something else */
  worked(isCertain = true): void {
    if (!isCertain && !this.isProven) return
    this.isProven = true
    this.failures = 0
    this.helps = 0
    this.refusals = 0
    this.hasFailedBefore = false
    this.untilMs = Number.NEGATIVE_INFINITY
    this.errors.reset()
    this.denials.reset()
  }

  failed(): void {
    this.failures += 1
  }

  /** A question was answered in the other manner. @param isCertain the reply to this one left no doubt */
  otherHelped(isCertain: boolean, untilMs: number): void {
    if (isCertain && this.isProven && ++this.refusals < refusalsMax) return
    this.helps += 1
    if (!isCertain && !this.hasFailedBefore && this.helps < failuresMax) return
    this.untilMs = untilMs
    this.hasFailedBefore = true
    this.isProven = false
  }

  forget(): void {
    this.untilMs = Number.NEGATIVE_INFINITY
    this.isProven = false
    this.helps = 0
    this.refusals = 0
    this.denials.reset()
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
