/**
 * The second half of a miss: what an upstream's answer means for waiting clients and for later ones. Judges the answer, caches
 * what may be cached, and otherwise falls back on stale data or remembers the failure. Pure.
 */
import { Ede, Flag1, messageBytesMax, Rcode } from '../wire/constants.ts'
import { makeImage } from '../wire/image.ts'
import { ResponseScan, scanResponse } from '../wire/scan.ts'
import { keepAll, keepAnswerOnly } from './answer/acceptable.ts'
import { AliasChain } from './answer/alias-chain.ts'
import { withAlias } from './answer/redirection.ts'
import { classify, isUnfollowed, type ResponseKind } from './answer/response-kind.ts'
import type { Cache } from './cache/cache.ts'
import type { CacheEntry } from './cache/entry.ts'
import type { FailureCache } from './cache/failure-cache.ts'
import { boundSets } from './cache/ttl.ts'
import type { KeptFor, Settlement } from './decision.ts'
import { ReplySource } from './facts.ts'
import { Owners } from './owners.ts'
import type { ExchangeFailure, Outcome } from './ports.ts'
import type { Ticket } from './question/in-flight.ts'
import type { Route, Router } from './router.ts'
import type { Observation } from './search/observer.ts'
import { pairMs } from './search/pairs.ts'
import type { SearchSlot } from './search/search-path.ts'
import type { Stage } from './stages/stage.ts'

export interface SettlerParts {
  readonly cache: Cache
  readonly failures: FailureCache
  readonly router: Router
  /** Learns from answers of the cluster's DNS; empty when the search path is off. */
  readonly search: SearchSlot
  /** Names that these answer for are taken from no upstream. */
  readonly local: readonly Stage[]
}

/** Codes that mean the same to the client as to us; all others become SERVFAIL. */
const relayed: ReadonlySet<number> = new Set([Rcode.servfail, Rcode.refused, Rcode.yxdomain])

/** A response and what it was taken for. */
interface Judged {
  readonly reply: Buffer
  readonly scan: ResponseScan
  readonly kind: ResponseKind
}

export class Settler {
  private readonly parts: SettlerParts
  private readonly chain = new AliasChain()
  private readonly imageScan = new ResponseScan()
  private readonly owners: Owners
  /** Images are made here: waiting clients get theirs from this buffer, the cache keeps a copy. */
  private readonly scratch = Buffer.allocUnsafeSlow(messageBytesMax)

  constructor(parts: SettlerParts) {
    this.parts = parts
    this.owners = new Owners(parts)
  }

  /** @param outcome its buffers are not kept */
  settle(ticket: Ticket, outcome: Outcome, nowMs: number): Settlement {
    if (outcome.kind === 'failed') return this.failed(ticket, outcome.why, Rcode.servfail, nowMs)
    const { reply, scan } = ticket.dnssecOk ? outcome : withAlias(outcome)
    if (!this.chain.follow(reply, scan, ticket.route.group, this.owners.isForeign))
      return this.failed(ticket, 'malformed', Rcode.servfail, nowMs)
    if (this.chain.isForeign) return this.head(ticket, reply, scan, nowMs)
    const kind = classify(reply, scan, this.chain)
    if (!ticket.route.isCluster && isUnfollowed(scan, kind, this.chain))
      return this.head(ticket, reply, scan, nowMs)
    if (kind === 'failure') return this.unanswered(ticket, scan.rcode, nowMs)
    // What is cut off may be the data.
    const preferred = scan.tc ? undefined : this.overDenial(ticket, kind, nowMs)
    if (preferred !== undefined) return preferred
    const image = this.imageOf(ticket, { reply, scan, kind })
    if (image === undefined) return this.failed(ticket, 'malformed', Rcode.servfail, nowMs)
    if (scan.tc) return this.cut(ticket, image, kind, nowMs)
    this.parts.failures.forget(ticket.key, ticket.hash)
    const kept = this.keep(ticket, image, kind, nowMs)
    const { rcode } = this.imageScan
    const { upstream } = outcome
    return { image, rcode, source: ReplySource.upstream, ede: -1, kept, upstream }
  }

  /** A fresh entry as the answer to a question that follows from another. */
  known(entry: CacheEntry, nowMs: number): Settlement {
    const { rcode, isDenial } = entry
    const lifetimeSeconds = Math.floor((entry.expiresMs - nowMs) / 1000)
    const kept = { lifetimeSeconds, isDenial }
    return { image: entry.aged(nowMs), rcode, source: ReplySource.upstream, ede: -1, kept }
  }

  /**
   * Half an answer, because the upstream's TCP fails: the client may try its own, and nobody else gets it (RFC 2181 9). Expired data
   * are whole, and asking has failed (RFC 8767 4).
   */
  private cut(ticket: Ticket, image: Buffer, kind: ResponseKind, nowMs: number): Settlement {
    const { entry, route } = ticket
    const whole = entry?.isDenial === false ? this.clientTimeout(ticket, nowMs) : undefined
    if (whole !== undefined) return whole
    boundSets(image, this.imageScan, kind, route.ttl)
    image[2] = (image[2] as number) | Flag1.tc
    return { image, rcode: this.imageScan.rcode, source: ReplySource.upstream, ede: -1 }
  }

  /** An expired answer as a reply (RFC 8767 4, RFC 8914 4.4 and 4.20). */
  stale(entry: CacheEntry): Settlement {
    return {
      image: entry.stale(this.parts.cache.settings.serveStale.replyTtlSeconds),
      rcode: entry.rcode,
      source: ReplySource.stale,
      ede: entry.rcode === Rcode.nxdomain ? Ede.staleNxdomain : Ede.staleAnswer,
    }
  }

  /**
   * How long an expired answer is held back while upstreams are asked. Most take some milliseconds and some take seconds
   * (RFC 8767 5); CoreDNS takes as long only for names that it has to ask others for. NODATA waits as long: a Service may have
   * got its first address since, and only an outage is worse than to miss it.
   */
  holdBackMs(entry: CacheEntry): number {
    const { clientTimeoutMs, clusterClientTimeoutMs } = this.parts.cache.settings.serveStale
    const isLong = entry.route.mayRecurse || entry.isDenial || entry.isAlias
    return isLong ? clientTimeoutMs : clusterClientTimeoutMs
  }

  /**
   * What waiting clients get when the upstream takes too long. Later clients get it at once, until the answer comes.
   * @returns undefined when there is no stale data to give
   */
  clientTimeout(ticket: Ticket, nowMs: number): Settlement | undefined {
    const { entry } = ticket
    if (entry?.isUsableStale(nowMs) !== true) return undefined
    this.delayRecheck(entry, nowMs)
    return this.stale(entry)
  }

  /** What a client gets when there is no room to wait. */
  overloaded(entry: CacheEntry | undefined, nowMs: number): Settlement {
    if (entry?.isUsableStale(nowMs) === true) return this.stale(entry)
    const rcode = Rcode.servfail
    return { image: undefined, rcode, source: ReplySource.overloaded, ede: Ede.other }
  }

  /**
   * Expired data in place of an upstream's denial, where the operator wants that: after an outage denials may be no more right
   * than silence. Never in the cluster, where an address soon belongs to somebody else.
   */
  private overDenial(
    { entry, route }: Ticket,
    kind: ResponseKind,
    nowMs: number,
  ): Settlement | undefined {
    const { settings, stats } = this.parts.cache
    if (!settings.serveStale.overDenials || route.isCluster || !isDenial(kind)) return undefined
    if (entry?.isUsableStale(nowMs) !== true || entry.isDenial) return undefined
    stats.passedOver += 1
    this.delayRecheck(entry, nowMs)
    return this.stale(entry)
  }

  /**
   * The part of an answer before the alias that leads to another owner's name, whose rest, its rcode too, is not this server's to
   * say (RFC 6604 3); or all of one whose last alias nobody has looked behind. That one stands if asking comes to nothing.
   */
  private head(ticket: Ticket, reply: Buffer, scan: ResponseScan, nowMs: number): Settlement {
    const leadsTo = this.chain.end
    const cut = this.imageOf(ticket, { reply, scan, kind: 'answer' })
    if (cut === undefined) return this.failed(ticket, 'malformed', Rcode.servfail, nowMs)
    cut[3] = (cut[3] as number) & 0xf0
    this.imageScan.rcode = Rcode.noerror
    const lifetimeSeconds = boundSets(cut, this.imageScan, 'answer', ticket.route.ttl)
    this.learn(ticket, cut, lifetimeSeconds, nowMs)
    const image = Buffer.from(cut)
    const whole = this.chain.isForeign ? this.wholeOf(ticket, reply, scan) : image
    const head = { leadsTo, image, whole }
    return { image: undefined, rcode: Rcode.noerror, source: ReplySource.upstream, ede: -1, head }
  }

  /** All that a server said, if it has data of the wanted type for a name of the resolvers outside. */
  private wholeOf(ticket: Ticket, reply: Buffer, scan: ResponseScan): Buffer | undefined {
    const { chain } = this
    const { group } = ticket.route
    if (scan.tc) return undefined
    const { isClaimed } = this.owners
    if (isClaimed(chain.name, chain.nameBytes, group)) return undefined
    if (!chain.follow(reply, scan, group, isClaimed) || chain.isForeign) return undefined
    if (classify(reply, scan, chain) !== 'answer') return undefined
    const image = this.imageOf(ticket, { reply, scan, kind: 'answer' })
    return image && Buffer.from(image)
  }

  private imageOf(ticket: Ticket, { reply, scan, kind }: Judged): Buffer | undefined {
    const { isCluster, trustAd } = ticket.route
    const keep =
      isCluster && !this.chain.isForeign
        ? keepAll(reply, scan, this.chain)
        : keepAnswerOnly(reply, scan, this.chain, ticket.dnssecOk)
    // An SOA of another tree would tell a client's cache how long to believe the denial.
    if (!isCluster && kind === 'bare-denial' && scan.soaIndex >= 0) keep[scan.soaIndex] = 0
    const image = makeImage(reply, scan, keep, trustAd, this.scratch)
    if (image === undefined || !scanResponse(image, image.length, this.imageScan)) return undefined
    // RFC 1035 4.1.1: we are no authority. The cluster's DNS is passed on as it is, as NodeLocal DNSCache does.
    if (!isCluster) image[2] = (image[2] as number) & ~Flag1.aa
    return image
  }

  private keep(
    ticket: Ticket,
    image: Buffer,
    kind: ResponseKind,
    nowMs: number,
  ): KeptFor | undefined {
    const { cache } = this.parts
    const { route, hash } = ticket
    const lifetimeSeconds = this.lifetimeOf(image, kind, route)
    const observation = this.learn(ticket, image, lifetimeSeconds, nowMs)
    // A disproved entry goes even when nothing may be cached in its place: it must not come back as a stale answer.
    if (observation?.isContradiction === true || lifetimeSeconds === 0) {
      cache.drop(ticket.key, hash)
      return undefined
    }
    // Under the asked type alone, NXDOMAIN as well: docs/decisions/0041.
    cache.put({
      key: ticket.key,
      hash,
      image,
      scan: this.imageScan,
      isDenial: isDenial(kind),
      deniesFamily: observation?.deniesFamily === true,
      // The second half of a pair is denied in the remaining time: core/search/pairs.ts.
      lifetimeSeconds:
        observation?.deniesFamily === true ? lifetimeSeconds - pairMs / 1000 : lifetimeSeconds,
      route,
      routeGeneration: ticket.routeGeneration,
      asOf: ticket.asOf,
      nowMs,
    })
    return { lifetimeSeconds, isDenial: isDenial(kind) }
  }

  /** RFC 2308 5 advises against keeping denials without SOA: docs/decisions/0041 says why they are kept for a moment. */
  private lifetimeOf(image: Buffer, kind: ResponseKind, { ttl }: Route): number {
    const seconds = boundSets(image, this.imageScan, kind, ttl)
    if (ttl.keep === false) return 0
    return kind === 'bare-denial'
      ? Math.min(seconds, this.parts.cache.settings.noSoaSeconds)
      : seconds
  }

  private learn(
    ticket: Ticket,
    image: Buffer,
    lifeSeconds: number,
    nowMs: number,
  ): Observation | undefined {
    const { path } = this.parts.search
    if (path === undefined || !ticket.route.isCluster) return undefined
    return path.observer.observe(ticket, { reply: image, scan: this.imageScan, lifeSeconds }, nowMs)
  }

  /**
   * No upstream answered for the name. FORMERR, NOTIMP, NOTAUTH and extended codes are about the query that we made of the
   * client's, and a referral (NOERROR) leads where the client cannot go: for the client each of them is SERVFAIL.
   */
  private unanswered(ticket: Ticket, rcode: number, nowMs: number): Settlement {
    const isReferral = rcode === Rcode.noerror
    const given = relayed.has(rcode) ? rcode : Rcode.servfail
    const failed = this.failed(ticket, isReferral ? 'unreachable' : 'malformed', given, nowMs)
    return { ...failed, isAnswered: true }
  }

  private failed(ticket: Ticket, why: ExchangeFailure, rcode: number, nowMs: number): Settlement {
    const { failures } = this.parts
    const { entry, key, hash, route } = ticket
    const isOurs = why === 'overloaded' || why === 'shutdown'
    if (entry?.isUsableStale(nowMs) === true) {
      // A question that was never asked says nothing about the next one.
      if (!isOurs) this.delayRecheck(entry, nowMs)
      return this.stale(entry)
    }
    if (!isOurs) failures.note({ key, hash, route, rcode, nowMs })
    if (isOurs) return { image: undefined, rcode, source: ReplySource.overloaded, ede: Ede.other }
    const isSilent = why === 'timeout' || why === 'unreachable'
    return {
      image: undefined,
      rcode,
      source: ReplySource.failed,
      ede: isSilent ? Ede.noReachableAuthority : Ede.networkError,
    }
  }

  private delayRecheck(entry: CacheEntry, nowMs: number): void {
    const { failureRecheckSeconds } = this.parts.cache.settings.serveStale
    entry.recheckAtMs = nowMs + failureRecheckSeconds * 1000
  }
}

function isDenial(kind: ResponseKind): boolean {
  return kind === 'nxdomain' || kind === 'nodata' || kind === 'bare-denial'
}
