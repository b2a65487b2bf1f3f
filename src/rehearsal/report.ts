/** What a rehearsal tells: the object that `--json` prints, and that the text is made of. Types only. */
import type { Reason } from './difference.ts'
import type { Quantiles } from './waits.ts'

export interface Report {
  /** From the first packet to the last, seconds. */
  readonly seconds: number
  /** Addresses that the pods ask. */
  readonly servers: readonly string[]
  /** One of them is this node's: a cache such as NodeLocal DNSCache answers there. */
  readonly isCache: boolean
  /** Packets that the kernel gave us, and those for which there was no room. Undefined for a file. */
  readonly kernel: { readonly packets: number; readonly dropped: number } | undefined
  /** Packets that were seen again on another link. */
  readonly copies: number
  readonly queries: number
  readonly clients: number
  /** Queries to port 53 of other addresses; a query whose address was translated is among them once more. */
  readonly otherServers: readonly { readonly server: string; readonly queries: number }[]
  readonly judged: number
  readonly notJudged: NotJudged
  readonly same: Same
  readonly differences: readonly Difference[]
  /** Judged queries by where the instance had its answer from. */
  readonly answered: Answered
  /** Questions to upstreams. */
  readonly groups: readonly Group[]
  /** Questions of the search path that were answered by presumption. */
  readonly presumed: number
  /** Questions of the instance's own that had no captured reply. */
  readonly ownUnanswered: number
  readonly waits: { readonly now: Quantiles; readonly rehearsed: Quantiles }
}

export interface NotJudged {
  /** The pod got none, or it was lost here. */
  readonly noReply: number
  /** A reply whose query was sent before the beginning, or was lost here. */
  readonly lateReply: number
  /** The instance would have asked what no pod was told. */
  readonly noCapturedReply: number
  /** The instance gave no reply at all. */
  readonly notAnswered: number
  /** No question that is resolved: other classes, zone transfers, junk. */
  readonly odd: number
  /** A reply that cannot be read. */
  readonly unreadable: number
  /** Connections. */
  readonly tcp: number
  readonly fragment: number
  /** Packets longer than the buffer. */
  readonly cut: number
}

export interface Same {
  readonly all: number
  readonly otherTtl: number
  readonly otherOrder: number
}

export interface Difference {
  readonly reason: Reason
  readonly means: string
  readonly count: number
  readonly examples: readonly Example[]
}

export interface Example {
  readonly atMs: number
  readonly name: string
  readonly type: number
  readonly client: string
  readonly got: { readonly rcode: number; readonly records: number }
  readonly gives: { readonly rcode: number; readonly records: number }
  /** Of `ReplySource`. */
  readonly source: number
}

export interface Answered {
  readonly cache: number
  readonly searchPath: number
  readonly configuration: number
  /** Waited for an equal question that was on its way. */
  readonly joined: number
  readonly upstream: number
}

export interface Group {
  readonly name: string
  readonly isCluster: boolean
  /** Judged queries of pods. */
  readonly queries: number
  /** Questions that the upstreams get now, as far as that can be seen. */
  readonly now: number
  /** Those that they would get. */
  readonly rehearsed: number
  /** Those of `now` that the search path answers. */
  readonly bySearchPath: number
}
