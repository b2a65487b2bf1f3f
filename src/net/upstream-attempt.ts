/**
 * One sending of one question to one upstream, and what every transport does with the reply to it. Who asked is told
 * about a valid reply or a failure, once; a packet that fails the checks is counted and forgotten, and the
 * attempt goes on waiting (RFC 5452 9.1, draft-li-dnsop-response-preprocessing "awaiting valid responses").
 */

import type { TimerWheel } from '../platform/timer-wheel.ts'
import { matchesQuestion } from '../wire/response-match.ts'
import { type ResponseScan, scanResponse } from '../wire/scan.ts'
import type { AttemptList } from './upstream-attempt-list.ts'
import type { AttemptFailure, MismatchReason } from './upstream-counters.ts'
import type { RandomPool, RecentPorts } from './upstream-random.ts'
import type { UpstreamServer } from './upstream-server.ts'

/** What all parts of one exchange share. */
export interface ExchangeContext {
  readonly wheel: TimerWheel
  readonly random: RandomPool
  readonly recentPorts: RecentPorts
  /** Scan of the reply being handled; overwritten by the next one. */
  readonly scan: ResponseScan
  /** PEM certificates that may sign upstreams' certificates, instead of those that Node trusts. */
  readonly tlsCa?: string
}

export type AttemptKind =
  | 'first'
  | 'hedge' // the first takes longer than usual
  | 'failover' // the first failed or said SERVFAIL
  | 'replay' // the connection died under it
  | 'tcp' // truncated, or somebody is guessing at our UDP socket
  | 'plain' // without EDNS, after FORMERR or NOTIMP
  | 'trial' // ours, to see whether the upstream lives

export interface AttemptOwner {
  /** @param reply only valid during the call, as is the context's scan of it */
  onReply(attempt: Attempt, reply: Buffer, scan: ResponseScan): void
  onLost(attempt: Attempt, why: AttemptFailure): void
  /** Its connection has been silent for so long that it may be dead. The attempt goes on. */
  onStalled(attempt: Attempt): void
  /** Several packets came that only a forger or a broken server sends. The attempt goes on. */
  onSuspicion(attempt: Attempt): void
}

/** What an attempt sits on while it waits: a UDP socket, a connection, or the queue for one. */
export interface Carrier {
  /** The owner lost interest: no calls to it any more. */
  forget(attempt: Attempt): void
}

/** Mismatched packets on one question after which it is asked over TCP too (BIND's mismatchtcp, pdns-rec's spoof-nearmiss-max). */
const mismatchesBeforeTcp = 3

export class Attempt {
  readonly owner: AttemptOwner
  readonly upstream: UpstreamServer
  readonly kind: AttemptKind
  /** As it is sent, but for the ID. Shared with other attempts and never written to. */
  readonly frame: Buffer
  readonly questionEnd: number
  /** To a UDP upstream, but over TCP. */
  readonly overTcp: boolean
  /** All attempts for the same question: a hedge avoids their connections. */
  readonly siblings: AttemptList
  /** When it was given to its upstream. */
  readonly madeMs: number
  id = 0
  /** 0 until it is on the wire. */
  sentMs = 0
  /** Nothing more will be reported to the owner. */
  isDone = false
  /** Its silence was held against the upstream. */
  isStruck = false
  mismatches = 0
  carrier: Carrier | undefined

  constructor(
    owner: AttemptOwner,
    upstream: UpstreamServer,
    what: {
      kind: AttemptKind
      frame: Buffer
      questionEnd: number
      overTcp: boolean
      siblings: AttemptList
      madeMs: number
    },
  ) {
    this.owner = owner
    this.upstream = upstream
    this.kind = what.kind
    this.frame = what.frame
    this.questionEnd = what.questionEnd
    this.overTcp = what.overTcp
    this.siblings = what.siblings
    this.madeMs = what.madeMs
  }

  get hasOpt(): boolean {
    return this.frame.length > this.questionEnd
  }

  /** Where UDP will not do. */
  get canGoOverTcp(): boolean {
    return this.upstream.address.transport === 'udp' && !this.overTcp
  }

  cancel(): void {
    if (this.isDone) return
    this.isDone = true
    this.carrier?.forget(this)
  }

  fail(why: AttemptFailure): void {
    if (this.isDone) return
    this.isDone = true
    this.carrier = undefined
    this.upstream.counters.failures[why]++
    this.owner.onLost(this, why)
  }

  mismatched(why: MismatchReason): void {
    this.upstream.counters.mismatches[why]++
    this.mismatches++
    if (this.mismatches === mismatchesBeforeTcp && !this.isDone) this.owner.onSuspicion(this)
  }
}

/**
 * Checks a reply whose ID is right and scans it into the context's scan.
 * @returns why it is not one, or undefined when it is
 */
export function examineReply(
  reply: Buffer,
  attempt: Attempt,
  context: ExchangeContext,
): MismatchReason | undefined {
  if (!matchesQuestion(reply, reply.length, attempt.frame, attempt.questionEnd)) return 'question'
  return scanResponse(reply, reply.length, context.scan) ? undefined : 'malformed'
}

/** A copy of the attempt's frame under its own ID, at `at` in `into`. */
export function writeFrame(attempt: Attempt, into: Buffer, at: number): void {
  attempt.frame.copy(into, at)
  into[at] = attempt.id >>> 8
  into[at + 1] = attempt.id & 0xff
}

/** @returns what a socket's error means for the question */
export function failureOf(error: NodeJS.ErrnoException): AttemptFailure {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'refused'
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EADDRINUSE':
    case 'EADDRNOTAVAIL':
    case 'EAGAIN':
      return 'overloaded'
    case 'ETIMEDOUT':
      return 'connect-timeout'
    default:
      return 'unreachable'
  }
}
