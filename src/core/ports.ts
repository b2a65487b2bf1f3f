/**
 * The interfaces between the pure core and the shells around it. A shell (socket, timer, log) implements or calls these; nothing
 * here knows which shell it is.
 */
import type { ResponseScan } from '../wire/scan.ts'
import type { Claim } from './sharing/shares.ts'

/** How a query reached us. Numbers, because they index counters. */
export const Transport = { udp: 0, tcp: 1 } as const
export type Transport = (typeof Transport)[keyof typeof Transport]

/** The way back for one reply. Unlike `Peer` it may be kept until the answer is there. */
export interface ReplyTo {
  /**
   * Sends one whole DNS message (without a TCP length prefix). Never throws; a reply to a peer that is gone is lost. The caller
   * may reuse the bytes as soon as the call returns.
   */
  send(reply: Uint8Array): void
}

/**
 * The sender of the query being handled. A view that the endpoint reuses for its next packet: read it inside
 * `QueryHandler.handle`, and call `hold` to keep a way back.
 */
export interface Peer {
  readonly transport: Transport
  readonly family: 4 | 6
  /** Source port, 0-65535. Port 0 is possible on the wire and must never be sent to. */
  readonly port: number
  /** Index of the listening address in the configured order; labels metrics. */
  readonly serverIndex: number
  /** Source address in text; may build a string, so not for the hit path. */
  address(): string
  hold(): ReplyTo
}

/** Takes the packets of a listener. Implemented by the pipeline. */
export interface QueryHandler {
  /**
   * The messages handled until the next call have just been received. Call it before the first `handle` of each batch: reading the
   * clock once for each of them instead would be a tenth of a hit.
   */
  beginBatch(): void
  /**
   * Handles one message synchronously.
   * @param query buffer that holds the message at offset 0; only valid during the call
   * @param queryBytes length of the message
   * @param out a reply that is ready at once is written here, from offset 0
   * @returns bytes written to `out`; 0 when nothing is to be sent now (dropped, or answered later through `peer.hold()`)
   */
  handle(query: Buffer, queryBytes: number, out: Buffer, peer: Peer): number
}

/** One sending of a question, for those who look back. Times of the exchange's clock, milliseconds. */
export interface Sending {
  readonly upstream: { readonly name: string }
  /** Over TCP although its upstream is asked over UDP. */
  readonly overTcp: boolean
  /** Over UDP although its upstream is asked over TCP. */
  readonly isAside: boolean
  /** Why it was sent: first, hedge, failover and so on. */
  readonly kind: string
  readonly madeMs: number
  /** When it was on the wire; 0 if it never was. */
  readonly sentMs: number
  /** What it failed of; undefined when it has not, or was given up. */
  readonly lostTo: string | undefined
  /** When a reply to it came, or it failed; 0 while neither has. */
  readonly endMs: number
  /** RCODE of the reply; -1 without one. */
  readonly rcode: number
}

/** One question for an upstream group. */
export interface Ask {
  /**
   * The whole upstream query: ID 0, RD set, qname in lower case, our own OPT record last. Shared by all attempts and never
   * modified: each attempt copies it and writes its own ID.
   */
  readonly frame: Buffer
  /** Bytes of header and question: the rest of `frame` is the OPT record. */
  readonly questionEnd: number
  /** Name of the upstream group that the router chose. */
  readonly group: string
  /** The upstream may have to ask other servers first, which may take seconds (see patience.ts). */
  readonly mayRecurse: boolean
  /** For whom it is asked: whose share of sockets it takes. */
  readonly claim: Claim
  /** Clients that wait for the answer. */
  readonly waiters?: { readonly length: number }
  /** The frame with letters in random case, once it was sent so; set by the exchange (see question/returned.ts). */
  challenge?: Buffer | undefined
  /** The question has come back to us, so whoever was sent the challenge leads here. */
  hasReturned?: boolean
  /** Its sendings, the newest last; set by the exchange. */
  sendings?: { readonly all: readonly Sending[] } | undefined
}

/** Why no upstream gave a usable answer. */
export type ExchangeFailure =
  | 'timeout' // at least one upstream was asked, none answered before the deadline
  | 'unreachable' // every upstream is down or refused the connection
  | 'malformed' // upstreams answered, but not with a usable message
  | 'overloaded' // one of our limits kept the question from being sent
  | 'shutdown' // the daemon is stopping

/** Result of an `Ask`. */
export type Outcome =
  | {
      readonly kind: 'answer'
      /** Reply that matches the question; only valid during the call. */
      readonly reply: Buffer
      /** Scan of `reply`; only valid during the call. */
      readonly scan: ResponseScan
      /** Address of the upstream that answered, for logs. */
      readonly upstream: string
    }
  | { readonly kind: 'failed'; readonly why: ExchangeFailure }

export interface OutcomeSink<A extends Ask> {
  onOutcome(ask: A, outcome: Outcome): void
}

/** Carries questions to upstreams. Implemented over sockets, and by fakes in tests. */
export interface Exchange<A extends Ask> {
  /**
   * Starts asking. `sink.onOutcome` is called exactly once for each call, never before `start` has returned, and no later than
   * the group's deadline.
   */
  start(ask: A, sink: OutcomeSink<A>): void
}
