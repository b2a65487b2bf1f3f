/** Describes a cache entry in words, for people. */
import { Rcode } from '../../wire/constants.ts'
import type { CacheEntry } from './entry.ts'

export function entryText(entry: CacheEntry, nowMs: number): string {
  const ageSeconds = Math.floor((nowMs - entry.storedMs) / 1000)
  const leftSeconds = Math.ceil((entry.expiresMs - nowMs) / 1000)
  const state = leftSeconds > 0 ? `${leftSeconds} s left` : `expired ${-leftSeconds} s ago`
  return `${keptText(entry)}, ${ageSeconds} s old, ${state}, ${entry.hits} hits`
}

export function keptText({ rcode, isDenial }: CacheEntry): string {
  if (rcode === Rcode.nxdomain) return 'a denial'
  return isDenial ? 'NODATA' : 'an answer'
}
