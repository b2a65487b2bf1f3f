/**
 * Chooses the upstream to ask by how real questions fared: there are no health checks except one cheap question now and then to
 * an upstream that fell silent. Pure: time and randomness are passed in.
 *
 * Two policies. `sequential` asks the first healthy upstream of the list: resolv.conf(5) promises that order, and split-horizon
 * set-ups rest on it. `spread` asks the one that will be free soonest (load times round trip): CoreDNS endpoints are equals, and
 * new ones must get their share.
 */

import { Rcode } from '../../wire/constants.ts'
import { isReferral } from '../../wire/referral.ts'
import type { ResponseScan } from '../../wire/scan.ts'

export type ChoicePolicy = 'sequential' | 'spread'

/** How far an upstream is trusted. Numbers, because the lowest is chosen. */
export const Rank = {
  well: 0,
  /** Recently silent, or unhelpful: asked only when there is no better one. */
  doubtful: 1,
  /** Refuses, or has been silent for long: gets no question but one trial per `trialEveryMs`. */
  down: 2,
} as const
export type Rank = (typeof Rank)[keyof typeof Rank]

/** Two a second at most, and service is back within a second of the upstream's return. */
const trialEveryMs = 500
/** Added at random, so that the nodes of a cluster do not send trials in step. */
const trialJitterMs = 100
/** Questions that may try an upstream out of turn when all others are down: about as many as come before its reply. */
const lastHopesMax = 20
/** A lone refusal may be one dead pod behind a service address. */
const refusalsMax = 2
/** Silence takes an upstream `down` only with this many unanswered questions ... */
const strikesMax = 3
/** ... over at least this long: a burst lost within one second is no outage. */
const strikeSpanMs = 1000
/** How long an upstream stays doubtful that answers, but without helping any client. */
const unwellMs = 5000
/** Rescues by other upstreams in a row after which SERVFAIL is the upstream's fault, not the name's. */
const rescuesMax = 3

export class UpstreamHealth {
  /** When the last valid reply came, whatever its content. */
  lastReplyMs = Number.NEGATIVE_INFINITY
  private strikes = 0
  private firstStrikeMs = 0
  private refusals = 0
  private rescues = 0
  private unwellUntilMs = Number.NEGATIVE_INFINITY
  private nextTrialMs = Number.NEGATIVE_INFINITY
  private lastHopes = 0
  private down = false

  get isDown(): boolean {
    return this.down
  }

  rank(nowMs: number): Rank {
    if (this.down) return Rank.down
    return this.strikes > 0 || nowMs < this.unwellUntilMs ? Rank.doubtful : Rank.well
  }

  /** A valid reply came. @returns true when that brought the upstream back up */
  replied(nowMs: number): boolean {
    this.lastReplyMs = nowMs
    this.strikes = 0
    this.refusals = 0
    this.lastHopes = 0
    const wasDown = this.down
    this.down = false
    return wasDown
  }

  /**
   * A question waited longer than usual, without a reply to any question in that time. @returns true when that took the upstream
   * down
   */
  stayedSilent(nowMs: number): boolean {
    if (this.strikes === 0) this.firstStrikeMs = nowMs
    this.strikes++
    return this.strikes >= strikesMax && nowMs - this.firstStrikeMs >= strikeSpanMs
      ? this.takeDown(nowMs)
      : false
  }

  /** It refused a packet or a connection, or cannot be reached. @returns true when that took the upstream down */
  refused(nowMs: number): boolean {
    this.refusals++
    return this.refusals >= refusalsMax ? this.takeDown(nowMs) : false
  }

  /** Another upstream had a usable answer where this one said SERVFAIL or REFUSED. */
  wasRescued(nowMs: number): void {
    if (++this.rescues >= rescuesMax) this.isUnwell(nowMs)
  }

  /** It had a usable answer. */
  helped(): void {
    this.rescues = 0
  }

  /** It answers, but should be avoided where others can answer (because it drops its connections, say). */
  isUnwell(nowMs: number): void {
    this.unwellUntilMs = nowMs + unwellMs
  }

  /**
   * Takes the right to one trial of an upstream that is not well.
   * @param random 0 to 1
   */
  takeTrial(nowMs: number, random: number): boolean {
    if (nowMs < this.nextTrialMs) {
      if (this.lastHopes === 0) return false
      this.lastHopes--
      return true
    }
    this.nextTrialMs = nowMs + trialEveryMs + random * trialJitterMs
    return true
  }

  /**
   * All other upstreams have just gone down. This one may be back already (a rolling restart), so the next questions may try it
   * out of turn.
   */
  becomeLastHope(): void {
    this.lastHopes = lastHopesMax
  }

  private takeDown(nowMs: number): boolean {
    if (this.down) return false
    this.down = true
    this.nextTrialMs = nowMs + trialEveryMs
    return true
  }
}

export interface Candidate {
  readonly health: UpstreamHealth
  /** Questions in flight and queued. */
  readonly load: number
  /** Smoothed round trip; 0 while unknown. */
  readonly roundTripMs: number
}

export interface ChoiceTerms {
  readonly policy: ChoicePolicy
  /** Upstreams that this question has tried already. */
  readonly tried: readonly unknown[]
  readonly nowMs: number
  /** 0 to 1; breaks ties. */
  readonly random: number
}

/** Smaller differences are scheduler noise, not distance. */
const roundTripFloorMs = 1
/** Round trips up to this many times the shortest count as equal, so that endpoints of one cluster get equal shares. */
const equalWithin = 3

/** @returns the best candidate that is not down and was not tried; undefined when there is none */
export function chooseUpstream<C extends Candidate>(
  candidates: readonly C[],
  terms: ChoiceTerms,
): C | undefined {
  const { policy, tried, nowMs, random } = terms
  const spreads = policy === 'spread'
  const shortestMs = spreads ? shortestRoundTripMs(candidates) : 0
  const from = spreads ? Math.floor(random * candidates.length) : 0
  let best: C | undefined
  let bestRank: Rank = Rank.down
  let bestCost = Number.POSITIVE_INFINITY
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[(from + i) % candidates.length] as C
    const rank = candidate.health.rank(nowMs)
    if (rank === Rank.down || rank > bestRank || tried.includes(candidate)) continue
    const cost = spreads ? costOf(candidate, shortestMs) : i
    if (rank === bestRank && cost >= bestCost) continue
    best = candidate
    bestRank = rank
    bestCost = cost
  }
  return best
}

function shortestRoundTripMs(candidates: readonly Candidate[]): number {
  let shortestMs = Number.POSITIVE_INFINITY
  for (const { roundTripMs } of candidates) shortestMs = Math.min(shortestMs, roundTripMs)
  return Math.max(shortestMs, roundTripFloorMs)
}

function costOf(candidate: Candidate, shortestMs: number): number {
  const distance = candidate.roundTripMs / shortestMs
  return (candidate.load + 1) * (distance < equalWithin ? 1 : distance)
}

/** RFC 6891 7: rcodes of servers that do not know EDNS; BADVERS comes from those that know another version. */
export function refusesEdns(rcode: number): boolean {
  return rcode === Rcode.formerr || rcode === Rcode.notimp || rcode === Rcode.badvers
}

/** A truncated answer, which TCP may complete. TC says nothing beside an error. */
export function isCutAnswer({ tc, rcode }: ResponseScan): boolean {
  return tc && speaksOfName(rcode)
}

/**
 * Not an answer: another upstream may have one. Only NOERROR, NXDOMAIN and YXDOMAIN (RFC 6672 2.2) speak of the name, and a
 * referral does not.
 */
export function isUnhelpful(reply: Uint8Array, scan: ResponseScan): boolean {
  return !speaksOfName(scan.rcode) || isReferral(reply, scan)
}

function speaksOfName(rcode: number): boolean {
  return rcode === Rcode.noerror || rcode === Rcode.nxdomain || rcode === Rcode.yxdomain
}
