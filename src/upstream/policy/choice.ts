/**
 * Chooses the upstream to ask, by the group's policy and by how real questions fared (`health.ts`): there are no health checks except
 * one cheap question now and then to an upstream that fell silent. Pure: time and randomness are passed in.
 *
 * `sequential` is an order: the first that is not dead is asked, whatever it said about other names. resolv.conf(5) promises that,
 * and split-horizon networks rest on it. All others take the upstreams for equals: `spread` asks the one that will be free soonest
 * (load times round trip), `random` and `round_robin` are CoreDNS's.
 */

import { Rcode } from '../../wire/constants.ts'
import { hasSoundData } from '../../wire/record-data.ts'
import { isEmptyHanded, isReferral } from '../../wire/referral.ts'
import type { ResponseScan } from '../../wire/scan.ts'
import { Rank, type UpstreamHealth } from './health.ts'

export type ChoicePolicy = 'sequential' | 'spread' | 'random' | 'round_robin'

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
  /** 0 to 1; breaks ties, and is the choice of `random`. */
  readonly random: number
  /** Counts questions, for `round_robin`. */
  readonly turn: number
  /** Dead ones, too: there is nobody else. */
  readonly evenDead: boolean
}

/** Smaller differences are scheduler noise, not distance. */
const roundTripFloorMs = 1
/** Round trips up to this many times the shortest count as equal, so that endpoints of one cluster get equal shares. */
const equalWithin = 3

/** @returns the best candidate that was not tried; undefined when there is none */
export function chooseUpstream<C extends Candidate>(
  candidates: readonly C[],
  terms: ChoiceTerms,
): C | undefined {
  const { policy, tried, nowMs, evenDead } = terms
  const shortestMs = policy === 'spread' ? shortestRoundTripMs(candidates) : 0
  const from = firstIndex(candidates.length, terms)
  let best: C | undefined
  let bestRank: number = Rank.down
  let bestCost = evenDead ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[(from + i) % candidates.length] as C
    const rank = rankFor(policy, candidate.health.rank(nowMs))
    if (rank > bestRank || tried.includes(candidate)) continue
    const cost = policy === 'spread' ? costOf(candidate, shortestMs) : i
    if (rank === bestRank && cost >= bestCost) continue
    best = candidate
    bestRank = rank
    bestCost = cost
  }
  return best
}

function firstIndex(count: number, { policy, random, turn }: ChoiceTerms): number {
  if (policy === 'sequential') return 0
  return policy === 'round_robin' ? turn % count : Math.floor(random * count)
}

/** In an order a doubt about the first says nothing for the second. */
function rankFor(policy: ChoicePolicy, rank: Rank): Rank {
  return policy === 'sequential' && rank === Rank.doubtful ? Rank.well : rank
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

/** Some say this to EDNS, but also for other reasons: SERVFAIL, REFUSED, or NOERROR and not a record. */
export function blamesNothing(scan: ResponseScan): boolean {
  const { rcode } = scan
  return rcode === Rcode.servfail || rcode === Rcode.refused || isEmptyHanded(scan)
}

/** A denial from a server that gave no sign of knowing EDNS: whoever does has an OPT record in its reply to one (RFC 6891 6.1.1). */
export function isBareDenial({ rcode, optIndex }: ResponseScan): boolean {
  return rcode === Rcode.nxdomain && optIndex < 0
}

/** A truncated answer, which TCP may complete. Beside an error TC leaves nothing that a client could use. */
export function isCutAnswer({ tc, rcode }: ResponseScan): boolean {
  return tc && speaksOfName(rcode)
}

/**
 * Not an answer: another upstream may have one. Only NOERROR, NXDOMAIN and YXDOMAIN (RFC 6672 2.2) speak of the name, and a
 * referral does not. Data that cannot be read are no answer either (docs/decisions/0039).
 */
export function isUnhelpful(reply: Uint8Array, scan: ResponseScan): boolean {
  return !speaksOfName(scan.rcode) || isReferral(reply, scan) || !hasSoundData(reply, scan)
}

/** Whether a code says something about the name. */
export function speaksOfName(rcode: number): boolean {
  return rcode === Rcode.noerror || rcode === Rcode.nxdomain || rcode === Rcode.yxdomain
}
