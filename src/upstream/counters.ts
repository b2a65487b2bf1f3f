/** Plain numbers about upstreams, counted where things happen and read when metrics are scraped. */
import type { ExchangeFailure } from '../core/ports.ts'
import { noRefusals } from '../core/sharing/shares.ts'
import { addDuration, durationSlots } from '../platform/duration-buckets.ts'
import type { AttemptKind } from './policy/attempt-kind.ts'

/** Rcodes 0-23 (IANA), then one slot for all others. */
const rcodeSlots = 25

/** Why a packet from an upstream was not accepted as an answer. */
export const mismatchReasons = [
  'short', // fewer than twelve bytes
  'source', // from another address than the upstream's
  'id', // no question with this ID is open here
  'question', // not a response, not opcode QUERY, or another question
  'malformed', // truncated records, pointer loops, count lies
] as const
export type MismatchReason = (typeof mismatchReasons)[number]

/** Why one sending of a question failed. */
export const attemptFailures = [
  'refused', // ICMP port unreachable, or RST to our SYN
  'unreachable', // no route, or a local firewall
  'connect-timeout',
  'tls', // handshake or certificate
  'connection-lost', // closed or reset by the peer with the question unanswered
  'malformed', // answered with an unusable message
  'overloaded', // one of our limits: queue, sockets, file descriptors
  'closed', // the upstream was removed from the configuration, or we are stopping
] as const
export type AttemptFailure = (typeof attemptFailures)[number]

export class UpstreamCounters {
  /** Valid replies by rcode; see `rcodeSlots`. */
  readonly repliesByRcode = new Float64Array(rcodeSlots)
  /** Round trips, a histogram (`platform/duration-buckets.ts`) for each slot of `repliesByRcode`. */
  readonly durations = new Float64Array(durationSlots * rcodeSlots)
  readonly mismatches: Record<MismatchReason, number> = zeros(mismatchReasons)
  readonly failures: Record<AttemptFailure, number> = zeros(attemptFailures)
  /** Questions handed to a socket, without trials. */
  sent = 0
  /** Of those, the ones over UDP to an upstream that is asked over TCP. */
  aside = 0
  /** Cheap questions of our own that test whether a silent upstream answers. */
  trials = 0
  /** Replies to questions that were given up or answered elsewhere before. */
  lateReplies = 0
  /** Replies with TC set. */
  truncated = 0
  /** Attempts that waited longer than usual while nothing at all came from this upstream. */
  silences = 0
  /** Questions that found no socket at once, by whose share was used up. */
  readonly waits = noRefusals()
  connectionsOpened = 0
  /** Questions sent on a connection that had carried one before. */
  connectionsReused = 0
  /** Dials that failed. */
  connectionsFailed = 0

  replied(rcode: number, tookMs: number): void {
    const slot = Math.min(rcode, rcodeSlots - 1)
    this.repliesByRcode[slot] = (this.repliesByRcode[slot] as number) + 1
    addDuration(this.durations, slot * durationSlots, tookMs)
  }
}

export class GroupCounters {
  questions = 0
  answers = 0
  hedges = 0
  /** Hedges that answered first. */
  hedgesWon = 0
  /** Questions asked once more because they waited behind a slow one. */
  overtakes = 0
  /** Packets beyond the first that are neither: fail-over, replay, TCP after TC, plain DNS after FORMERR. */
  retries = 0
  /** Hedges and fail-overs that the retry budget did not allow. */
  budgetRefusals = 0
  /** Questions without an answer, by the failure reported to the core. */
  readonly failures: Record<ExchangeFailure, number> = {
    timeout: 0,
    unreachable: 0,
    malformed: 0,
    overloaded: 0,
    shutdown: 0,
  }

  /** One more packet was sent for a question. */
  launched(kind: AttemptKind): void {
    if (kind === 'hedge') this.hedges++
    else if (kind === 'overtake') this.overtakes++
    else if (kind !== 'first') this.retries++
  }
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>
}
