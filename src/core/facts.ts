/**
 * The facts of a finished query that counters and logs record. The core gives the `source` with each decision, the pipeline adds
 * the rest; nothing else of a packet reaches counters or logs.
 */

/** Where a reply came from. Numbers, because they index counters. */
export const ReplySource = {
  /** A fresh positive answer from the cache. */
  cacheSuccess: 0,
  /** A fresh NXDOMAIN or NODATA from the cache. */
  cacheDenial: 1,
  /** An expired answer from the cache (RFC 8767). */
  stale: 2,
  /** A remembered resolution failure (RFC 9520). */
  failureCache: 3,
  /** An upstream's answer. */
  upstream: 4,
  /** An upstream's answer to an equal query that was already in flight. */
  joined: 5,
  /** Made here by the search path. */
  synthesised: 6,
  /** Made from the question alone: FORMERR, NOTIMP, REFUSED, BADVERS. */
  local: 7,
  /** SERVFAIL, because no upstream gave a usable answer. */
  failed: 8,
  /** SERVFAIL, because one of our limits was reached. */
  overloaded: 9,
} as const
export type ReplySource = (typeof ReplySource)[keyof typeof ReplySource]

/** Why a packet was dropped without a reply, in the order of its counters. */
export const dropReasons = [
  'response-to-server-port', // QR set: two servers that answer responses would never stop
  'short', // fewer than the header's twelve bytes
  'forbidden-port', // source port 0 or one whose service answers anything (echo, chargen)
  'own-address', // from one of our own sockets, or an upstream's: no client uses these addresses
  'rate-limited',
  'overloaded', // no room to wait, and no SERVFAIL was due
  'shutdown', // arrived, or was still unanswered, while the daemon stopped
  'defect', // the handler threw; the log has the stack
] as const
export type DropReason = (typeof dropReasons)[number]

/** For an owner that rewrites it. */
export function newReplyFacts(): ReplyFacts {
  return {
    serverIndex: 0,
    zoneIndex: -1,
    transport: 0,
    family: 4,
    qtype: 0,
    rcode: 0,
    source: ReplySource.local,
    queryBytes: 0,
    replyBytes: 0,
    dnssecOk: false,
    tookMs: 0,
  }
}

/**
 * Facts of one reply. The pipeline owns one object and rewrites it for each reply; every field is set every time, so that the
 * object keeps its shape.
 */
export interface ReplyFacts {
  /** Index of the listening address. */
  serverIndex: number
  /** Index of the longest matching zone; negative when no zone was looked up. */
  zoneIndex: number
  /** 0 UDP, 1 TCP. */
  transport: number
  family: 4 | 6
  qtype: number
  /** Extended response code, 12 bits. */
  rcode: number
  source: ReplySource
  queryBytes: number
  replyBytes: number
  /** The client set the DO bit (RFC 3225). */
  dnssecOk: boolean
  /** From the packet's arrival to the sending of the reply, milliseconds. */
  tookMs: number
}
