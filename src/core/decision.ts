/**
 * The resolver's decision about a question: the reply, or the ticket that the question has to wait for. Also the client that
 * asks. Values only: `resolver.ts` and its stages fill a decision, the pipeline carries it out.
 */
import { Rcode } from '../wire/constants.ts'
import type { StoredImage } from '../wire/reply.ts'
import type { AliasHead } from './alias-head.ts'
import type { CacheEntry } from './cache/entry.ts'
import { ReplySource } from './facts.ts'
import type { Transport } from './ports.ts'
import type { Follows } from './question/arrival.ts'
import type { Ticket } from './question/in-flight.ts'
import type { Reply, Revision } from './reply.ts'

/** What waiting clients get: a message that is not in the cache under their question. */
export interface Settlement extends Reply {
  readonly stored?: undefined
  /** A failure that an upstream gave as its answer, or that of an alias's target: it says nothing about another type or name. */
  readonly isAnswered?: boolean
  /** For how long the image may be kept; undefined when it may not. */
  readonly kept?: KeptFor | undefined
  /** Set instead of an image when the answer is only the first part: an alias leads to another owner's name. */
  readonly head?: AliasHead
}

export interface KeptFor {
  readonly lifetimeSeconds: number
  readonly isDenial: boolean
}

/**
 * What to do with a question. Either a reply is ready (`stored`, or `image`, or only `rcode` where there are no records), or the
 * question waits for `ticket`. One object per resolver, rewritten by each `begin`.
 */
export class Decision {
  isReply = true
  /** Reply to copy out now, from the cache. */
  stored: StoredImage | undefined
  /** Reply to copy out now, from elsewhere. */
  image: Buffer | undefined
  rcode: number = Rcode.noerror
  source: ReplySource = ReplySource.local
  /** RFC 8914 code, or -1. */
  ede = -1
  /** Counts only beside a code. */
  edeText: Buffer | undefined
  /** Position of the zone in the configured order, -1 when no zone was looked up. */
  zoneIndex = -1
  /** The ticket that the question waits for. */
  ticket: Ticket | undefined
  /** The ticket is new and has to be asked. */
  starts = false
  /** An expired answer can be given instead when the wait takes too long. */
  hasStale = false
  /** Set when the ticket is another question's: after its answer this question is decided anew. */
  follows: Follows | undefined
  /** Set by a stage whose answer is an alias: the resolver opens a question for the rest, and takes it away. */
  head: AliasHead | undefined
  /** What is done to the reply, now or later, because another question was asked. Not changed by the methods below. */
  revision: Revision | undefined

  /** @internal */
  reply(settlement: Settlement, zoneIndex: number): this {
    this.isReply = true
    this.stored = undefined
    this.image = settlement.image
    this.rcode = settlement.rcode
    this.source = settlement.source
    this.ede = settlement.ede
    this.edeText = settlement.edeText
    this.zoneIndex = zoneIndex
    this.ticket = undefined
    this.starts = false
    this.hasStale = false
    return this
  }

  /** @internal Replies with a message that was made from evidence, without asking for it. */
  synthesise(image: Buffer, rcode: number, zoneIndex: number): this {
    return this.reply({ image, rcode, source: ReplySource.synthesised, ede: -1 }, zoneIndex)
  }

  /** @internal Replies from a fresh entry, with present TTLs. */
  replyFrom(entry: CacheEntry, nowMs: number): this {
    entry.age(nowMs)
    this.isReply = true
    this.stored = entry
    this.image = undefined
    this.rcode = entry.rcode
    this.source = entry.isDenial ? ReplySource.cacheDenial : ReplySource.cacheSuccess
    this.ede = -1
    this.zoneIndex = entry.route.zoneIndex
    this.ticket = undefined
    this.starts = false
    this.hasStale = false
    return this
  }

  /** @internal Waits for the question's own answer. */
  wait(ticket: Ticket, starts: boolean, hasStale: boolean): this {
    this.isReply = false
    this.stored = undefined
    this.image = undefined
    this.ticket = ticket
    this.starts = starts
    this.hasStale = hasStale
    this.follows = undefined
    this.zoneIndex = ticket.route.zoneIndex
    return this
  }

  /** @internal Waits for another question, after which this one is decided anew. */
  follow(ticket: Ticket, starts: boolean, why: Follows): this {
    this.wait(ticket, starts, false)
    this.follows = why
    return this
  }
}

/** The client that asks. */
export interface Asker {
  readonly clientPort: number
  /** Absent: UDP. */
  readonly transport?: Transport
  /** How often the question has waited for another question's answer. */
  readonly turns: number
  /** Client's address in text; may build a string. */
  clientAddress(): string
}

/** Asks when no client does. */
export const nobody: Asker = { clientPort: 0, turns: 0, clientAddress: () => '' }
