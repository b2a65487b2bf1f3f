/**
 * What the resolver says about a question: the reply, or what the question has to wait for; and the circumstances under which it is
 * decided. Values only: who fills a decision is `resolver.ts` with its stages, who carries it out is the pipeline.
 */
import { Rcode } from '../wire/constants.ts'
import type { StoredImage } from '../wire/reply.ts'
import type { CacheEntry } from './cache/entry.ts'
import { ReplySource } from './facts.ts'
import type { Follows } from './question/arrival.ts'
import type { Ticket } from './question/in-flight.ts'

/** What a client gets. To be copied before anything else is done with the cache. */
export interface Reply {
  /** Message in the cache. */
  readonly stored?: StoredImage | undefined
  /** Message, unless it is the one above; undefined too for a reply without records. */
  readonly image: Buffer | undefined
  readonly rcode: number
  readonly source: ReplySource
  /** RFC 8914 code, or -1. */
  readonly ede: number
}

/** What waiting clients get: what they wait for is not in the cache under their question. */
export interface Settlement extends Reply {
  readonly stored?: undefined
  /** The alias in `image` leads to this name of the cluster (folded wire form, one character an octet): it is to be asked for the rest. */
  readonly leadsTo?: string
}

/**
 * What is to be done with a question. A reply is ready (`stored`, or `image`, or only `rcode` where there are no records), or else
 * the question waits for `ticket`. One object per resolver, rewritten by each `begin`.
 */
export class Decision {
  isReply = true
  /** Reply to be copied out now, from the cache. */
  stored: StoredImage | undefined
  /** Reply to be copied out now, from elsewhere. */
  image: Buffer | undefined
  rcode: number = Rcode.noerror
  source: ReplySource = ReplySource.local
  /** RFC 8914 code, or -1. */
  ede = -1
  /** Position of the zone in the configured order, -1 when none was looked for. */
  zoneIndex = -1
  /** What the question waits for. */
  ticket: Ticket | undefined
  /** The ticket is new and has to be asked. */
  starts = false
  /** An expired answer can be given instead when waiting takes too long. */
  hasStale = false
  /** The ticket is of another question: when that is answered, this one is decided anew. */
  follows: Follows | undefined

  /** @internal */
  reply(settlement: Settlement, zoneIndex: number): this {
    this.isReply = true
    this.stored = undefined
    this.image = settlement.image
    this.rcode = settlement.rcode
    this.source = settlement.source
    this.ede = settlement.ede
    this.zoneIndex = zoneIndex
    this.ticket = undefined
    this.starts = false
    this.hasStale = false
    return this
  }

  /** @internal What an entry that is fresh says; its TTLs become those of now. */
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

  /** @internal To its own question. */
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

  /** @internal To another question, after which this one is decided anew. */
  follow(ticket: Ticket, starts: boolean, why: Follows): this {
    this.wait(ticket, starts, false)
    this.follows = why
    return this
  }
}

/** Whoever asks. */
export interface Asker {
  readonly clientPort: number
  /** How often the question has waited for the answer to another one. */
  readonly turns: number
  /** Client's address in text; may build a string. */
  clientAddress(): string
}
