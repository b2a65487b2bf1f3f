/**
 * Counts the outcome of every query in typed arrays: a few additions per packet, no allocation, no string. `observe/families/query.ts`
 * turns the numbers into metrics at a scrape. A value from a packet (query type, response code) becomes an index only after it was mapped
 * to a closed set, so the memory is fixed at construction. Never reads a clock.
 */
import { type DropReason, dropReasons, type ReplyFacts, ReplySource } from '../core/facts.ts'
import { addDuration, durationSlots } from '../platform/duration-buckets.ts'

const sourceCount = Object.keys(ReplySource).length

/** Query types that have a `type` label of their own in CoreDNS, by number. All others are `other`. */
export const countedTypes: readonly (readonly [type: number, label: string])[] = [
  [1, 'A'],
  [28, 'AAAA'],
  [5, 'CNAME'],
  [48, 'DNSKEY'],
  [43, 'DS'],
  [15, 'MX'],
  [50, 'NSEC3'],
  [47, 'NSEC'],
  [2, 'NS'],
  [12, 'PTR'],
  [46, 'RRSIG'],
  [6, 'SOA'],
  [33, 'SRV'],
  [16, 'TXT'],
  [65, 'HTTPS'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [255, 'ANY'],
]
const typeSlots = countedTypes.length + 1
const typeSlotOf = new Uint8Array(256).fill(countedTypes.length)
for (const [slot, [type]] of countedTypes.entries()) typeSlotOf[type] = slot

/** 0-23 (IANA), then one slot for all others. */
export const rcodeSlots = 25

/** CoreDNS's message size bounds, inclusive. */
export const sizeBoundsBytes: readonly number[] = [
  0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16000, 32000, 48000, 64000,
]
/** Slots of one size histogram: the buckets, one for larger sizes, then the sum. */
export const sizeSlots = sizeBoundsBytes.length + 2
const sizeSumSlot = sizeSlots - 1

export class QueryCounters {
  readonly servers: readonly string[]
  /** The given zones, then `dropped`: CoreDNS's name for queries that belong to no zone. */
  readonly zones: readonly string[]
  /** [server][zone][transport][family][type] */
  readonly requests: Float64Array
  /** [server][zone] of `durationSlots` */
  readonly durations: Float64Array
  /** [server][zone][transport] of `sizeSlots` */
  readonly querySizes: Float64Array
  readonly replySizes: Float64Array
  /** [server][zone][source][rcode] */
  readonly responses: Float64Array
  /** [server][zone] */
  readonly dnssecOk: Float64Array
  /** [server][reason] */
  readonly drops: Float64Array

  /**
   * @param servers one label per listening address, as in `dns://169.254.20.10:53`
   * @param zones one label per routed zone, as in `cluster.local.`; their order gives `zoneIndex`
   */
  constructor(servers: readonly string[], zones: readonly string[]) {
    this.servers = servers
    this.zones = [...zones, 'dropped']
    const pairs = this.servers.length * this.zones.length
    this.requests = new Float64Array(pairs * 4 * typeSlots)
    this.durations = new Float64Array(pairs * durationSlots)
    this.querySizes = new Float64Array(pairs * 2 * sizeSlots)
    this.replySizes = new Float64Array(pairs * 2 * sizeSlots)
    this.responses = new Float64Array(pairs * sourceCount * rcodeSlots)
    this.dnssecOk = new Float64Array(pairs)
    this.drops = new Float64Array(this.servers.length * dropReasons.length)
  }

  /**
   * Adopts the counts of label sets that exist in both, so that a changed configuration does not reset the counters of the zones that
   * stayed.
   */
  absorb(older: QueryCounters): void {
    for (const [serverIndex, server] of this.servers.entries()) {
      const olderServer = older.servers.indexOf(server)
      if (olderServer < 0) continue
      copyBlock(
        { slots: older.drops, index: olderServer },
        { slots: this.drops, index: serverIndex },
        dropReasons.length,
      )
      for (const [zoneIndex, zone] of this.zones.entries()) {
        const olderZone = older.zones.indexOf(zone)
        if (olderZone < 0) continue
        const from = older.pairIndex(olderServer, olderZone)
        const to = this.pairIndex(serverIndex, zoneIndex)
        for (const name of perPairArrays) {
          const width = this[name].length / (this.servers.length * this.zones.length)
          copyBlock({ slots: older[name], index: from }, { slots: this[name], index: to }, width)
        }
      }
    }
  }

  /** Counts one reply. Clients that waited for the same answer get, and count, a reply each. */
  replied(facts: ReplyFacts): void {
    const pair = this.pairIndex(facts.serverIndex, facts.zoneIndex)
    const carried = pair * 2 + facts.transport
    const familyBit = facts.family === 6 ? 1 : 0
    increment(this.requests, (carried * 2 + familyBit) * typeSlots + typeSlot(facts.qtype))
    const rcodeSlot = Math.min(facts.rcode, rcodeSlots - 1)
    increment(this.responses, (pair * sourceCount + facts.source) * rcodeSlots + rcodeSlot)
    addDuration(this.durations, pair * durationSlots, facts.tookMs)
    addSize(this.querySizes, carried * sizeSlots, facts.queryBytes)
    addSize(this.replySizes, carried * sizeSlots, facts.replyBytes)
    if (facts.dnssecOk) increment(this.dnssecOk, pair)
  }

  /** Counts replies that the kernel has given. How long they took is not known: `durations` do not have them. */
  repliedElsewhere(facts: ReplyFacts, replies: number): void {
    const pair = this.pairIndex(facts.serverIndex, facts.zoneIndex)
    const carried = pair * 2 + facts.transport
    const familyBit = facts.family === 6 ? 1 : 0
    const typeAt = (carried * 2 + familyBit) * typeSlots + typeSlot(facts.qtype)
    increment(this.requests, typeAt, replies)
    const rcodeSlot = Math.min(facts.rcode, rcodeSlots - 1)
    const responseAt = (pair * sourceCount + facts.source) * rcodeSlots + rcodeSlot
    increment(this.responses, responseAt, replies)
    addSize(this.querySizes, carried * sizeSlots, facts.queryBytes, replies)
    addSize(this.replySizes, carried * sizeSlots, facts.replyBytes, replies)
  }

  /** Counts a packet without a reply. */
  dropped(serverIndex: number, why: DropReason): void {
    increment(this.drops, serverIndex * dropReasons.length + dropReasons.indexOf(why))
  }

  /** @returns queries that were answered and packets that were dropped, in all */
  get handled(): number {
    let sum = 0
    for (const count of this.requests) sum += count
    for (const count of this.drops) sum += count
    return sum
  }

  /** @returns replies for one listening address and zone that came from `source`, with any rcode */
  repliesFrom(serverIndex: number, zoneIndex: number, source: ReplySource): number {
    const base = (this.pairIndex(serverIndex, zoneIndex) * sourceCount + source) * rcodeSlots
    let sum = 0
    for (let rcode = 0; rcode < rcodeSlots; rcode++) sum += this.responses[base + rcode] ?? 0
    return sum
  }

  /** @returns replies with this rcode that came from any of `sources` */
  repliesWith(pair: number, sources: readonly ReplySource[], rcode: number): number {
    let sum = 0
    for (const source of sources) {
      sum += this.responses[(pair * sourceCount + source) * rcodeSlots + rcode] ?? 0
    }
    return sum
  }

  /** Position of a listening address and zone in the arrays that start with [server][zone]. */
  pairIndex(serverIndex: number, zoneIndex: number): number {
    const zone = zoneIndex < 0 ? this.zones.length - 1 : zoneIndex
    return serverIndex * this.zones.length + zone
  }

  /**
   * @param slot an index of `countedTypes`, or its length for `other`
   * @returns queries of one cell
   */
  requestsAt(pair: number, transport: number, familyBit: number, slot: number): number {
    return this.requests[((pair * 2 + transport) * 2 + familyBit) * typeSlots + slot] ?? 0
  }
}

const perPairArrays = [
  'requests',
  'durations',
  'querySizes',
  'replySizes',
  'responses',
  'dnssecOk',
] as const

interface Block {
  readonly slots: Float64Array
  readonly index: number
}

function copyBlock(from: Block, to: Block, width: number): void {
  const start = from.index * width
  to.slots.set(from.slots.subarray(start, start + width), to.index * width)
}

function typeSlot(qtype: number): number {
  return qtype < 256 ? (typeSlotOf[qtype] as number) : countedTypes.length
}

function increment(slots: Float64Array, at: number, by = 1): void {
  slots[at] = (slots[at] as number) + by
}

function addSize(slots: Float64Array, base: number, bytes: number, messages = 1): void {
  let bucket = 0
  // Linear: nearly all messages belong to one of the first four buckets.
  while (bucket < sizeBoundsBytes.length && bytes > (sizeBoundsBytes[bucket] as number)) bucket++
  increment(slots, base + bucket, messages)
  increment(slots, base + sizeSumSlot, bytes * messages)
}
