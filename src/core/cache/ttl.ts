/**
 * TTL arithmetic: how long a response may be kept, and the TTLs of its records in that time. RFC 2181 8 (top bit), RFC 2308 5
 * (negative answers), RFC 8767 (stale), RFC 9520 (failures). Records keep their own TTLs but for the bounds, and sets of an upstream for theirs.
 */
import { putU32, u16, u32 } from '../../wire/bytes.ts'
import { skipName } from '../../wire/name.ts'
import { type ResponseScan, readTtl } from '../../wire/scan.ts'
import type { ResponseKind } from '../answer/response-kind.ts'

/** Bounds for one zone's answers, seconds. A minimum above 0 overrides smaller TTLs, and makes TTL 0 storable. */
export interface TtlLimits {
  readonly positiveMinSeconds: number
  readonly positiveMaxSeconds: number
  readonly negativeMinSeconds: number
  readonly negativeMaxSeconds: number
  /** False: answers go to the clients that wait for them and are not kept. Absent: true. */
  readonly keep?: boolean
}

/**
 * Bounds every TTL in `image`, and computes how long the whole message may be kept.
 * @param scan of `image` itself
 * @returns seconds, for a denial without SOA an upper bound; 0 means that it answers only the clients that are already waiting
 */
export function boundTtls(
  image: Uint8Array,
  scan: ResponseScan,
  kind: ResponseKind,
  limits: TtlLimits,
): number {
  const hasSoa = kind === 'nxdomain' || kind === 'nodata'
  const isNegative = hasSoa || kind === 'bare-denial'
  const min = isNegative ? limits.negativeMinSeconds : limits.positiveMinSeconds
  const max = isNegative ? limits.negativeMaxSeconds : limits.positiveMaxSeconds
  let lifetime = hasSoa ? clamp(scan.soaTtlSeconds, min, max) : max
  for (let i = 0; i < scan.records; i++) {
    if (i === scan.optIndex) continue
    const at = (scan.typeAt[i] as number) + 4
    const isNegativeSoa = hasSoa && i === scan.soaIndex
    const ttl = isNegativeSoa ? lifetime : clamp(readTtl(image, at), min, max)
    putU32(image, at, ttl)
    if (ttl < lifetime) lifetime = ttl
  }
  return lifetime
}

/** The same for what an upstream sent: its sets get one TTL each. A template's records have those that an operator wrote, as in CoreDNS. */
export function boundSets(
  image: Uint8Array,
  scan: ResponseScan,
  kind: ResponseKind,
  limits: TtlLimits,
): number {
  const lifetime = boundTtls(image, scan, kind, limits)
  if (kind === 'answer' && scan.answers > 1) levelTtls(image, scan)
  return lifetime
}

/** RFC 2181 5.2: a set with several TTLs counts as if all were the lowest. Those of an alias chain are sets of their own. */
function levelTtls(image: Uint8Array, scan: ResponseScan): void {
  const qtype = u16(image, scan.questionEnd - 4)
  let lowest = 0xffff_ffff
  for (let i = 0; i < scan.answers; i++) {
    const at = scan.typeAt[i] as number
    if (u16(image, at) === qtype) lowest = Math.min(lowest, u32(image, at + 4))
  }
  for (let i = 0; i < scan.answers; i++) {
    const at = scan.typeAt[i] as number
    if (u16(image, at) === qtype) putU32(image, at + 4, lowest)
  }
}

/** The shortest TTL of a message's records. @param most what it is at the most */
export function shortestTtl(image: Uint8Array, scan: ResponseScan, most: number): number {
  let shortest = most
  for (let i = 0; i < scan.records; i++)
    if (i !== scan.optIndex)
      shortest = Math.min(shortest, readTtl(image, (scan.typeAt[i] as number) + 4))
  return shortest
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max)
}

/**
 * Subtracts whole seconds from every TTL, never below zero.
 * @param image a sound message without an OPT record, whose "TTL" is flags (RFC 6891 6.1.3)
 * @param at offset of its first record
 */
export function ageTtls(image: Uint8Array, at: number, records: number, seconds: number): void {
  let next = at
  for (let i = 0; i < records; i++) {
    const ttlAt = skipName(image, next, image.length) + 4
    putU32(image, ttlAt, Math.max(0, u32(image, ttlAt) - seconds))
    next = ttlAt + 6 + u16(image, ttlAt + 4)
  }
}

/** Writes one TTL into every record, as a stale answer needs (RFC 8767 4). Parameters as in `ageTtls`. */
export function overwriteTtls(image: Uint8Array, at: number, records: number, ttl: number): void {
  let next = at
  for (let i = 0; i < records; i++) {
    const ttlAt = skipName(image, next, image.length) + 4
    putU32(image, ttlAt, ttl)
    next = ttlAt + 6 + u16(image, ttlAt + 4)
  }
}
