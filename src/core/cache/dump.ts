/**
 * Cache entries as bytes, for a process that takes over: what was answered, how old it is and how long it may live. A record that
 * contradicts itself is refused; its route is looked up again, so that an answer is used only where the present configuration
 * would have got it. Pure; the caller frames the records.
 */
import { Flag2, headerBytes } from '../../wire/constants.ts'
import { copyFoldedName, skipName } from '../../wire/name.ts'
import { ResponseScan, scanResponse } from '../../wire/scan.ts'
import type { Router } from '../router.ts'
import type { Cache } from './cache.ts'
import type { CacheEntry } from './entry.ts'
import { nameIn } from './key.ts'
import { hashOf } from './key-bytes.ts'

/** Version of the records below. A dump of another version is useless. */
export const dumpVersion = 1

/** Bytes of a record before key, zone and image. */
const fixedBytes = 20
const denialFlag = 1
const familyFlag = 2

/** One record after its length (32 bits), with present TTLs. @param uses as the next process is to take them */
export function dumpEntry(entry: CacheEntry, nowMs: number, uses = entry.hits): Buffer {
  const image = entry.aged(nowMs)
  const { key, route } = entry
  const bytes = fixedBytes + key.length + route.zone.length + image.length
  const record = Buffer.allocUnsafe(4 + bytes)
  record.writeUInt32BE(bytes, 0)
  record.writeUInt16BE(key.length, 4)
  record.writeUInt16BE(route.zone.length, 6)
  const flags = (entry.isDenial ? denialFlag : 0) | (entry.deniesFamily ? familyFlag : 0)
  record.writeUInt32BE(flags, 8)
  record.writeUInt32BE(Math.max(0, Math.floor(nowMs - entry.storedMs)), 12)
  record.writeUInt32BE((entry.expiresMs - entry.storedMs) / 1000, 16)
  record.writeUInt32BE(Math.min(uses, 0xffff_ffff), 20)
  let at = 4 + fixedBytes
  at += record.write(key, at, 'latin1')
  at += record.write(route.zone, at, 'latin1')
  image.copy(record, at)
  return record
}

export interface DumpRecord {
  readonly key: string
  readonly zone: string
  readonly isDenial: boolean
  readonly deniesFamily: boolean
  readonly ageMs: number
  readonly lifetimeSeconds: number
  readonly hits: number
  /** A view of the dump. */
  readonly image: Buffer
}

/** @returns the records, or undefined when any detail of any record is wrong: then none should be believed */
export function readRecords(body: Buffer): DumpRecord[] | undefined {
  const records: DumpRecord[] = []
  const scan = new ResponseScan()
  let at = 0
  while (at < body.length) {
    if (at + 4 + fixedBytes > body.length) return undefined
    const end = at + 4 + body.readUInt32BE(at)
    if (end < at + 4 + fixedBytes || end > body.length) return undefined
    const record = readRecord(body.subarray(at + 4, end))
    if (record === undefined || !isSound(record, scan)) return undefined
    records.push(record)
    at = end
  }
  return records
}

function readRecord(bytes: Buffer): DumpRecord | undefined {
  const keyEnd = fixedBytes + bytes.readUInt16BE(0)
  const zoneEnd = keyEnd + bytes.readUInt16BE(2)
  if (zoneEnd > bytes.length) return undefined
  const flags = bytes.readUInt32BE(4)
  return {
    key: bytes.toString('latin1', fixedBytes, keyEnd),
    zone: bytes.toString('latin1', keyEnd, zoneEnd),
    isDenial: (flags & denialFlag) !== 0,
    deniesFamily: (flags & familyFlag) !== 0,
    ageMs: bytes.readUInt32BE(8),
    lifetimeSeconds: bytes.readUInt32BE(12),
    hits: bytes.readUInt32BE(16),
    image: bytes.subarray(zoneEnd),
  }
}

/** Whether the image is a whole message about the key's name. */
function isSound({ key, image }: DumpRecord, scan: ResponseScan): boolean {
  if (!scanResponse(image, image.length, scan) || scan.end !== image.length || scan.tc) return false
  const nameEnd = skipName(image, headerBytes, image.length)
  const name = Buffer.alloc(nameEnd - headerBytes)
  const nameBytes = copyFoldedName(image, headerBytes, nameEnd, name, 0)
  return nameBytes > 0 && name.toString('latin1', 0, nameBytes) === nameIn(key)
}

export interface Restored {
  readonly entries: number
  /** Expired for good, or of a zone that another upstream group answers for now. */
  readonly skipped: number
}

export interface RestoreParts {
  readonly cache: Cache
  readonly router: Router
  /** Whether a stage may answer questions about a name otherwise than an upstream would: it is asked before such an entry is given. */
  readonly isAltered?: (name: Uint8Array, nameBytes: number) => boolean
}

/** Puts records into the cache with their age. @param nowMs when they were dumped, on our clock */
export function restoreRecords(
  records: readonly DumpRecord[],
  { cache, router, isAltered }: RestoreParts,
  nowMs: number,
): Restored {
  const scan = new ResponseScan()
  let entries = 0
  for (const record of records) {
    const name = Buffer.from(nameIn(record.key), 'latin1')
    const route = router.route(name, name.length)
    if (route.zone !== record.zone) continue
    const image = Buffer.allocUnsafeSlow(record.image.length)
    record.image.copy(image)
    if (!route.trustAd) image.writeUInt8(image.readUInt8(3) & ~Flag2.ad, 3)
    scanResponse(image, image.length, scan)
    const { key, isDenial, deniesFamily, lifetimeSeconds, hits } = record
    const hash = hashOf(nameIn(key))
    const storedMs = nowMs - record.ageMs
    const common = { key, hash, image, scan, isDenial, deniesFamily, lifetimeSeconds }
    const isSure = isAltered?.(name, name.length) !== true
    const routed = { route, routeGeneration: isSure ? router.generation : -1 }
    if (cache.restore({ ...common, ...routed, nowMs: storedMs }, hits, nowMs)) entries += 1
  }
  return { entries, skipped: records.length - entries }
}
