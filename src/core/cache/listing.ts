/** Describes cache entries for an operator, as values. Changes nothing. */
import { Rcode } from '../../wire/constants.ts'
import { presentName } from '../../wire/name.ts'
import type { CacheEntry } from './entry.ts'
import { bitsIn, nameIn, typeIn } from './key.ts'

/** One cached answer. */
export interface EntryView {
  /** Presentation form with trailing dot. */
  readonly name: string
  readonly type: number
  /** The question had DO, CD. */
  readonly dnssecOk: boolean
  readonly checkingDisabled: boolean
  readonly kind: 'answer' | 'nodata' | 'nxdomain'
  readonly zone: string
  readonly group: string
  readonly ageSeconds: number
  /** Negative when it has expired: it may still be given while upstreams fail. */
  readonly leftSeconds: number
  readonly hits: number
  /** As accounted in `cache.bytesMax`. */
  readonly bytes: number
  /** One line each; only where they were asked for. */
  readonly records?: readonly string[]
}

/** @param records makes the lines of a message; undefined leaves them out */
export function viewOf(
  entry: CacheEntry,
  nowMs: number,
  records?: (image: Uint8Array) => readonly string[],
): EntryView {
  const { key, route, hits, bytes } = entry
  const { dnssecOk, checkingDisabled } = bitsIn(key)
  return {
    name: presentName(Buffer.from(nameIn(key), 'latin1'), 0),
    type: typeIn(key),
    dnssecOk,
    checkingDisabled,
    kind: kindOf(entry),
    zone: route.zone,
    group: route.group,
    ageSeconds: Math.floor((nowMs - entry.storedMs) / 1000),
    leftSeconds: Math.ceil((entry.expiresMs - nowMs) / 1000),
    hits,
    bytes,
    ...(records !== undefined && { records: records(presentImage(entry, nowMs)) }),
  }
}

function kindOf({ rcode, isDenial }: CacheEntry): EntryView['kind'] {
  if (rcode === Rcode.nxdomain) return 'nxdomain'
  return isDenial ? 'nodata' : 'answer'
}

/** An expired entry keeps the TTLs that it has: a stale answer would get others. */
function presentImage(entry: CacheEntry, nowMs: number): Buffer {
  return entry.isFresh(nowMs) ? entry.aged(nowMs) : entry.image()
}
