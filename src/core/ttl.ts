/**
 * TTL arithmetic: how long a response may be kept, and what its records say meanwhile. RFC 2181 8 (top bit), RFC 2308 5
 * (negative answers), RFC 8767 (stale), RFC 9520 (failures). Records keep their own TTLs; only the caps touch them.
 */
import { putU32, u16 } from '../wire/bytes.ts'
import { RrType } from '../wire/constants.ts'
import { type ResponseScan, readTtl } from '../wire/scan.ts'
import type { ResponseKind } from './response-kind.ts'

/** Bounds for one zone's answers, seconds. A minimum above 0 overrides smaller TTLs, and makes TTL 0 storable. */
export interface TtlLimits {
  readonly positiveMinSeconds: number
  readonly positiveMaxSeconds: number
  readonly negativeMinSeconds: number
  readonly negativeMaxSeconds: number
}

/**
 * Where the TTLs of an image are and what they were when it was stored: offset, seconds, offset, seconds... One flat array
 * of small integers per entry costs 16 octets a record.
 */
export type TtlList = number[]

/**
 * Bounds every TTL in `image` and says how long the whole may be kept.
 * @param scan of `image` itself
 * @returns seconds; 0 means that it answers only those who are already waiting
 */
export function boundTtls(
  image: Uint8Array,
  scan: ResponseScan,
  kind: ResponseKind,
  limits: TtlLimits,
): number {
  const isNegative = kind === 'nxdomain' || kind === 'nodata'
  const min = isNegative ? limits.negativeMinSeconds : limits.positiveMinSeconds
  const max = isNegative ? limits.negativeMaxSeconds : limits.positiveMaxSeconds
  let lifetime = isNegative ? clamp(scan.soaTtlSeconds, min, max) : max
  for (let i = 0; i < scan.records; i++) {
    if (i === scan.optIndex) continue
    const at = (scan.typeAt[i] as number) + 4
    const isNegativeSoa = isNegative && i === scan.soaIndex
    const ttl = isNegativeSoa ? lifetime : clamp(readTtl(image, at), min, max)
    putU32(image, at, ttl)
    if (ttl < lifetime) lifetime = ttl
  }
  return lifetime
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max)
}

/** Collects the TTLs of a scanned image. */
export function listTtls(image: Uint8Array, scan: ResponseScan): TtlList {
  const ttls: TtlList = []
  for (let i = 0; i < scan.records; i++) {
    const typeAt = scan.typeAt[i] as number
    // OPT's "TTL" is flags (RFC 6891 6.1.3). Images have none; a caller's mistake must not age it.
    if (u16(image, typeAt) !== RrType.opt) ttls.push(typeAt + 4, readTtl(image, typeAt + 4))
  }
  return ttls
}

/**
 * Writes the TTLs as they are after `elapsedSeconds`, never below zero.
 * @param elapsedSeconds whole seconds since the image was stored; negative counts as 0
 */
export function ageTtls(image: Uint8Array, ttls: TtlList, elapsedSeconds: number): void {
  const elapsed = Math.max(0, elapsedSeconds)
  for (let i = 0; i < ttls.length; i += 2) {
    putU32(image, ttls[i] as number, Math.max(0, (ttls[i + 1] as number) - elapsed))
  }
}

/** Writes one TTL into every record: what a stale answer carries (RFC 8767 4). */
export function overwriteTtls(image: Uint8Array, ttls: TtlList, ttlSeconds: number): void {
  for (let i = 0; i < ttls.length; i += 2) putU32(image, ttls[i] as number, ttlSeconds)
}
