/**
 * What can be said about a finished query: the facts that counters and logs record. The core gives the `source`
 * with each decision, the pipeline adds the rest, and nothing else of a packet leaves this way.
 */

/** Who made a reply. Numbers, because they index counters. */
export const ReplySource = {
  /** A fresh positive answer from memory. */
  cacheSuccess: 0,
  /** A fresh NXDOMAIN or NODATA from memory. */
  cacheDenial: 1,
  /** An expired answer from memory (RFC 8767). */
  stale: 2,
  /** A resolution failure from memory (RFC 9520). */
  failureCache: 3,
  /** An upstream's answer. */
  upstream: 4,
  /** An upstream's answer, asked for by an equal query just before. */
  joined: 5,
  /** Made here from what is known about the search path. */
  synthesised: 6,
  /** Made from the question alone: FORMERR, NOTIMP, REFUSED, BADVERS. */
  local: 7,
  /** SERVFAIL, because no upstream gave a usable answer. */
  failed: 8,
  /** SERVFAIL, because a limit of ours was reached. */
  overloaded: 9,
} as const
export type ReplySource = (typeof ReplySource)[keyof typeof ReplySource]

/** Why a packet was given up without a reply, in the order of its counters. */
export const dropReasons = [
  'response-to-server-port', // QR set: answering responses makes two servers talk for ever
  'short', // fewer than the header's twelve octets
  'forbidden-port', // source port 0 or one whose service answers anything (echo, chargen)
  'own-address', // from one of our own sockets, or an upstream's: no client sits there
  'loop-marker', // carries the marker that we put on our own upstream queries
  'rate-limited',
  'overloaded', // no room to wait, and no SERVFAIL was due
  'shutdown', // arrived or still unanswered while the daemon stopped
  'defect', // the handler threw; the log has the stack
] as const
export type DropReason = (typeof dropReasons)[number]

/**
 * Facts of one reply. The pipeline owns one object and rewrites it for each reply; every field is set every time,
 * so that the object keeps its shape.
 */
export interface ReplyFacts {
  /** Index of the listening address. */
  serverIndex: number
  /** Index of the longest matching zone; negative when none was looked for. */
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
  /** From the packet's arrival to the hand-over of the reply, milliseconds. */
  tookMs: number
}
