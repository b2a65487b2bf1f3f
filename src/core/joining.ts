/**
 * Joins the parts of an answer whose alias leads from one owner to another, and keeps the whole under its question for as long as its
 * shortest-lived part. The owner's word counts, its failure as well; only where resolvers outside fail, the data that the first
 * server gave for their name is better than none (docs/decisions/0042). Pure.
 */
import { Ede, Rcode } from '../wire/constants.ts'
import { ResponseScan, scanResponse } from '../wire/scan.ts'
import { splice } from '../wire/splice.ts'
import type { Crossing } from './alias-crossing.ts'
import type { Cache } from './cache/cache.ts'
import type { FailureCache } from './cache/failure-cache.ts'
import { boundTtls, shortestTtl } from './cache/ttl.ts'
import type { KeptFor, Settlement } from './decision.ts'
import { ReplySource } from './facts.ts'
import type { Ticket } from './question/in-flight.ts'
import type { Router } from './router.ts'
import type { Settler } from './settlement.ts'

export interface JoinerParts {
  readonly cache: Cache
  readonly failures: FailureCache
  readonly router: Router
  readonly settler: Settler
}

export class Joiner {
  readonly stats = { joined: 0, fallbacks: 0, failed: 0 }
  private readonly parts: JoinerParts
  private readonly scan = new ResponseScan()

  constructor(parts: JoinerParts) {
    this.parts = parts
  }

  /**
   * @param tail what became of the question that the crossing waited for
   * @returns images of its own, and none of the cache
   */
  join(crossing: Crossing, tail: Settlement, nowMs: number): Settlement {
    if (tail.image !== undefined) return this.joined(crossing, tail.image, tail, nowMs)
    const { whole } = crossing.head
    if (whole !== undefined && hasFailed(tail)) return this.fallBack(crossing, whole, nowMs)
    return this.failed(crossing, tail, nowMs)
  }

  private joined(
    crossing: Crossing,
    tailImage: Buffer,
    { rcode, source, ede, kept }: Settlement,
    nowMs: number,
  ): Settlement {
    const { ticket, head } = crossing
    const image = splice(head.image, tailImage)
    if (image === undefined || !scanResponse(image, image.length, this.scan)) {
      const tooLong = { image: undefined, rcode: Rcode.servfail, source: ReplySource.failed }
      return this.failed(crossing, { ...tooLong, ede: Ede.other }, nowMs)
    }
    this.stats.joined += 1
    const isStale = source === ReplySource.stale
    const whole = { image, rcode, source: isStale ? source : ReplySource.upstream, ede }
    if (kept === undefined) return whole
    if (kept.isDenial) this.boundDenial(ticket, image)
    const lifetimeSeconds = shortestTtl(image, this.scan, kept.lifetimeSeconds)
    return { ...whole, kept: this.keep(ticket, image, { ...kept, lifetimeSeconds }, nowMs) }
  }

  /** A denial lives no longer than either owner's limits allow. @param image scanned just now */
  private boundDenial({ route }: Ticket, image: Buffer): void {
    const kind = this.scan.soaIndex < 0 ? 'bare-denial' : 'nxdomain'
    boundTtls(image, this.scan, kind, { ...route.ttl, negativeMinSeconds: 0 })
  }

  /** Fresh, though not the owner's word: kept only until the owner is asked again. */
  private fallBack({ ticket }: Crossing, image: Buffer, nowMs: number): Settlement {
    const { ttl } = ticket.route
    const { failureRecheckSeconds } = this.parts.cache.settings.serveStale
    const positiveMaxSeconds = Math.min(ttl.positiveMaxSeconds, failureRecheckSeconds)
    const limits = { ...ttl, positiveMinSeconds: 0, positiveMaxSeconds }
    scanResponse(image, image.length, this.scan)
    this.stats.fallbacks += 1
    const lifetimeSeconds = boundTtls(image, this.scan, 'answer', limits)
    const kept = this.keep(ticket, image, { lifetimeSeconds, isDenial: false }, nowMs)
    return { image, rcode: Rcode.noerror, source: ReplySource.upstream, ede: -1, kept }
  }

  private failed({ ticket, owner }: Crossing, tail: Settlement, nowMs: number): Settlement {
    const { settler, failures } = this.parts
    const { key, hash, entry } = ticket
    this.stats.failed += 1
    if (!hasFailed(tail)) return { ...tail, isAnswered: true }
    const stale = entry && settler.clientTimeout(ticket, nowMs)
    if (stale?.image !== undefined) return { ...stale, image: Buffer.from(stale.image) }
    // A failure that is remembered for the rest need not be remembered for the whole.
    const { source, rcode } = tail
    if (source === ReplySource.failed)
      failures.note({ key, hash, route: owner ?? ticket.route, rcode, nowMs })
    return { ...tail, isAnswered: true }
  }

  /** @param image scanned just now */
  private keep(ticket: Ticket, image: Buffer, kept: KeptFor, nowMs: number): KeptFor | undefined {
    const { cache, failures, router } = this.parts
    const { key, hash, routeGeneration } = ticket
    failures.forget(key, hash)
    // Under zones that have changed meanwhile its parts may have other owners.
    // What a stage began is for the stage to say again: a refresh would ask an upstream.
    const isOfStage = ticket.head !== undefined
    if (isOfStage || kept.lifetimeSeconds === 0 || routeGeneration !== router.generation) {
      cache.drop(key, hash)
      return undefined
    }
    const common = { key, hash, image, scan: this.scan, route: ticket.route, routeGeneration }
    cache.put({ ...common, ...kept, isJoined: true, asOf: ticket.asOf, nowMs })
    return kept
  }
}

/** Nothing was said about the name, by nobody; a refusal made from the configuration is a word. */
function hasFailed({ source }: Settlement): boolean {
  return source !== ReplySource.local
}
