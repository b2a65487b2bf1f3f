/**
 * One sending of one question to one upstream, and the handling of replies that all transports share. The owner is told once, about a valid
 * reply or a failure; a packet that fails the checks is counted and dropped, and the attempt goes on waiting (RFC 5452 9.1,
 * draft-li-dnsop-response-preprocessing "awaiting valid responses"). Sends nothing itself.
 */

import { append } from '../core/question/short-list.ts'
import { Chained } from '../core/sharing/chain.ts'
import type { Waiting } from '../core/sharing/fair-line.ts'
import type { Claim } from '../core/sharing/shares.ts'
import type { TimerWheel } from '../platform/timer-wheel.ts'
import { bareReply, matchesQuestion } from '../wire/response-match.ts'
import { type ResponseScan, scanResponse } from '../wire/scan.ts'
import type { AttemptFailure, MismatchReason, UpstreamCounters } from './counters.ts'
import { type AttemptKind, isExtra } from './policy/attempt-kind.ts'
import type { Dialect } from './policy/dialect.ts'
import type { UpstreamHealth } from './policy/health.ts'
import type { HedgeDelay } from './policy/hedge-delay.ts'
import { Standing } from './policy/stream-habits.ts'
import type { RandomPool, RecentPorts } from './random.ts'
import type { UpstreamAddress } from './settings.ts'

/** Shared by all parts of one exchange. */
export interface ExchangeContext {
  readonly wheel: TimerWheel
  readonly random: RandomPool
  readonly recentPorts: RecentPorts
  /** Scan of the reply being handled; overwritten by the next one. */
  readonly scan: ResponseScan
  /** PEM certificates that may sign upstreams' certificates, instead of those that Node trusts. */
  readonly tlsCa?: string
}

/** A question, and the offset where it ends in its message. */
export interface QuestionFrame {
  readonly frame: Buffer
  readonly questionEnd: number
}

/** The upstream as attempts, questions and transports see it; `UpstreamServer` documents each member. */
export interface Upstream {
  readonly name: string
  readonly address: UpstreamAddress
  readonly health: UpstreamHealth
  readonly hedgeDelay: HedgeDelay
  readonly counters: UpstreamCounters
  readonly dialect: Dialect
  send(attempt: Attempt): AttemptFailure | undefined
  tryOut(nowMs: number, clients?: QuestionFrame): void
  nudge(): void
  isLively(nowMs: number): boolean
  notLateBeforeMs(attempt: Attempt): number
  noteReply(attempt: Attempt, rcode: number, nowMs: number): void
  noteLateReply(attempt: Attempt, nowMs: number): void
  noteWait(attempt: Attempt, nowMs: number, isProof?: boolean): void
  timeoutMs(isOverTcp: boolean): number
  readonly hasRoom: boolean
  /** @param attempt whose socket failed, if it was that of one attempt */
  noteFailure(why: AttemptFailure, nowMs: number, attempt?: Attempt): void
}

export interface AttemptOwner {
  /** @param reply only valid during the call, as is the context's scan of it */
  onReply(attempt: Attempt, reply: Buffer, scan: ResponseScan): void
  onLost(attempt: Attempt, why: AttemptFailure): void
  /** The attempt's connection has been silent for so long that it may be dead. The attempt goes on. */
  onStalled(attempt: Attempt): void
  /** The attempt waits behind a question that is slow, or its connection may have dropped it. The attempt goes on. */
  onHeldUp(attempt: Attempt): void
  /** Several packets arrived that only a forger or a broken server sends. The attempt goes on. */
  onSuspicion(attempt: Attempt): void
  /** The attempt had to wait for a place, and has been sent now. */
  onSent(attempt: Attempt): void
}

/** What holds an attempt while it waits: a UDP socket, a connection, or the queue for one. */
export interface Carrier {
  /** The owner has given the attempt up: no more calls to it. */
  forget(attempt: Attempt): void
}

/** Mismatched packets for one question after which it is also asked over TCP (BIND's mismatchtcp, pdns-rec's spoof-nearmiss-max). */
const mismatchesBeforeTcp = 3

type GivenToAttempt = 'kind' | 'overTcp' | 'siblings' | 'madeMs' | 'claim' | 'mayRecurse'

export class Attempt extends Chained<Attempt> implements Waiting<Attempt> {
  readonly owner: AttemptOwner
  readonly upstream: Upstream
  readonly kind: AttemptKind
  /** As sent, except for the ID. Shared with other attempts and never written to. */
  readonly frame: Buffer
  readonly questionEnd: number
  /** Over TCP although the upstream's transport is UDP. */
  readonly overTcp: boolean
  /** All attempts for the same question: a hedge avoids their connections. */
  readonly siblings: AttemptList
  /** When the upstream got it. */
  readonly madeMs: number
  /** Whose share of sockets it takes. */
  readonly claim: Claim
  /** The upstream may have to ask others for it. */
  readonly mayRecurse: boolean
  /** How it was put on its connection. */
  standing: Standing = Standing.fresh
  /** Takes a connection of its own: it is expected to be slow, or must not wait again. */
  isApart = false
  /** Sent over UDP although the upstream's transport is TCP (`upstream/stream/side-door.ts`). */
  isAside = false
  /** Asked again elsewhere since it was held up. */
  wasOvertaken = false
  /** Given up on its connection, where the server may have dropped it. */
  wasDropped = false
  /** A younger question on its connection was answered before it. */
  wasPassed = false
  id = 0
  /** 0 until it is on the wire. */
  sentMs = 0
  /** Nothing more will be reported to the owner. */
  isDone = false
  /** What it failed of on its way; undefined while it has not, and when it was given up. */
  lostTo: AttemptFailure | undefined
  /** When its upstream replied, or it was lost; 0 until then. */
  endMs = 0
  /** RCODE of the reply; -1 without one. */
  rcode = -1
  /** The upstream's silence was already counted against it. */
  isStruck = false
  /** It waits for a socket: its upstream knows nothing of it yet. */
  isHeld = false
  mismatches = 0
  carrier: Carrier | undefined
  place: Waiting<Attempt>['place']

  constructor(
    owner: AttemptOwner,
    upstream: Upstream,
    what: Pick<Attempt, keyof QuestionFrame | GivenToAttempt>,
  ) {
    super()
    this.owner = owner
    this.upstream = upstream
    this.kind = what.kind
    this.frame = what.frame
    this.questionEnd = what.questionEnd
    this.overTcp = what.overTcp
    this.siblings = what.siblings
    this.madeMs = what.madeMs
    this.claim = what.claim
    this.mayRecurse = what.mayRecurse
  }

  get hasOpt(): boolean {
    return this.frame.length > this.questionEnd
  }

  /** Whether to fall back from UDP to TCP. */
  get canGoOverTcp(): boolean {
    return this.isAside || (this.upstream.address.transport === 'udp' && !this.overTcp)
  }

  cancel(): void {
    if (this.isDone) return
    this.isDone = true
    this.carrier?.forget(this)
  }

  fail(why: AttemptFailure): void {
    if (this.isDone) return
    this.isDone = true
    this.lostTo = why
    this.carrier = undefined
    this.upstream.counters.failures[why]++
    this.owner.onLost(this, why)
  }

  mismatched(why: MismatchReason): void {
    this.upstream.counters.mismatches[why]++
    if (++this.mismatches === mismatchesBeforeTcp && !this.isDone) this.owner.onSuspicion(this)
  }
}

/** All attempts of one question, the newest last. Decides nothing. */
export class AttemptList {
  private attempts: Attempt[] = []
  /** Index of the first that counts. */
  private begin = 0

  get all(): readonly Attempt[] {
    return this.attempts
  }

  /**
   * Whether the question may be sent once more, of `sendsMax` packets. An attempt lost before it was sent (a refused dial, say) is
   * none, and counts half. Passing a slow question, and asking about a denial from below, once each, count nothing.
   */
  mayGrow(sendsMax: number, nextKind?: AttemptKind): boolean {
    if (nextKind !== undefined && isExtra(nextKind))
      return !this.attempts.some(({ kind }) => kind === nextKind)
    let sent = 0
    for (const [i, { isDone, sentMs, kind }] of this.attempts.entries())
      if (i >= this.begin && !isExtra(kind)) sent += isDone && sentMs === 0 ? 1 / 2 : 1
    return sent < sendsMax
  }

  /** What was sent until now counts no more: others are asked. */
  startOver(): void {
    this.begin = this.attempts.length
  }

  add(attempt: Attempt): void {
    this.attempts = append(this.attempts, attempt)
  }

  /** Whether any attempt waits on this carrier. */
  waitsOn(carrier: Carrier): boolean {
    for (const attempt of this.attempts) if (attempt.carrier === carrier) return true
    return false
  }

  /** Those that went to this upstream. */
  at(upstream: Upstream): readonly Attempt[] {
    return this.attempts.filter((attempt) => attempt.upstream === upstream)
  }

  /** The newest attempt that may still be answered. */
  lastLive(): Attempt | undefined {
    return this.attempts.findLast((attempt) => !attempt.isDone)
  }

  upstreams(): Upstream[] {
    return this.attempts.map((attempt) => attempt.upstream)
  }

  /** Nothing more is expected of this upstream. */
  cancelAt(upstream: Upstream): void {
    for (const attempt of this.at(upstream)) attempt.cancel()
  }

  /** Upstreams that may still answer. */
  awaited(): Upstream[] {
    return this.attempts.filter(({ isDone }) => !isDone).map(({ upstream }) => upstream)
  }

  wentOverTcp(upstream: Upstream): boolean {
    return this.attempts.some((one) => one.upstream === upstream && one.overTcp)
  }

  sawMismatch(): boolean {
    return this.attempts.some((attempt) => attempt.mismatches > 0)
  }

  /** Counts the wait against each upstream that has been silent since, and against EDNS there, once per upstream. */
  noteWaits(nowMs: number): void {
    for (const [i, attempt] of this.attempts.entries()) {
      const isFirst = this.attempts.findIndex(({ upstream }) => upstream === attempt.upstream) === i
      if (!isFirst || attempt.isDone) continue
      attempt.upstream.noteWait(attempt, nowMs)
      if (attempt.hasOpt) attempt.upstream.dialect.edns.failed()
    }
  }

  /** Tries out the upstreams that have been silent for that long and have the question. */
  askForSignsOfLife(nowMs: number, silentMs: number): void {
    for (const { upstream, sentMs, isDone } of this.attempts) {
      const isSilent = upstream.health.lastReplyMs < nowMs - silentMs
      if (!isDone && sentMs > 0 && isSilent) upstream.tryOut(nowMs)
    }
  }

  cancel(): void {
    for (const attempt of this.attempts) attempt.cancel()
  }
}

/**
 * Checks a reply whose ID is right, and scans it into the context's scan. @param reply at least a header
 * @returns the message to judge, or the mismatch
 */
export function examineReply(
  reply: Buffer,
  { frame, questionEnd }: Attempt,
  { scan }: ExchangeContext,
): Buffer | MismatchReason {
  const isOurs = matchesQuestion(reply, reply.length, frame, questionEnd)
  if (isOurs && scanResponse(reply, reply.length, scan)) return reply
  const bare = bareReply(reply, frame, questionEnd)
  if (bare !== undefined && scanResponse(bare, bare.length, scan)) return bare
  return isOurs ? 'malformed' : 'question'
}

/** Copies the attempt's frame with its own ID to offset `at` of `into`. */
export function writeFrame(attempt: Attempt, into: Buffer, at: number): void {
  attempt.frame.copy(into, at)
  into[at] = attempt.id >>> 8
  into[at + 1] = attempt.id & 0xff
}
