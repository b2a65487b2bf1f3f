/**
 * The frame around a dump of the cache: its kind, its time, and a checksum over everything. A dump is read whole before one
 * record is used, so that a foreign, damaged or truncated one counts as none. Knows no socket.
 */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Cache } from '../core/cache/cache.ts'
import { type DumpRecord, dumpEntry, dumpVersion, readRecords } from '../core/cache/dump.ts'

const magic = 'neardns cache\n'
/** Magic, version, time. */
const headBytes = magic.length + 2 + 8
const digestBytes = 32

/** Entries written before packets get their turn: 0.2 ms once the code is warm. */
const sliceEntries = 50

/** The bytes of the dump, in parts; the loop gets its turn between them. */
export async function* dumpCache(
  cache: Cache,
  nowMs: () => number,
  wallMs = Date.now(),
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const head = Buffer.alloc(headBytes)
  head.write(magic, 'latin1')
  head.writeUInt16BE(dumpVersion, magic.length)
  head.writeDoubleBE(wallMs, magic.length + 2)
  // All ages are those of this moment, however long the writing takes.
  const dumpedMs = nowMs()
  hash.update(head)
  yield head
  let slice: Buffer[] = []
  for (const entry of cache.all()) {
    // The successor may have other zones, and so other owners for the parts.
    if (cache.isJoined(entry)) continue
    slice.push(dumpEntry(entry, dumpedMs, cache.usesOf(entry)))
    if (slice.length < sliceEntries) continue
    const piece = Buffer.concat(slice)
    slice = []
    hash.update(piece)
    yield piece
    await nextTurn()
  }
  if (slice.length > 0) {
    const rest = Buffer.concat(slice)
    hash.update(rest)
    yield rest
  }
  yield hash.digest()
}

export type ReadDump =
  | { readonly ok: true; readonly records: readonly DumpRecord[]; readonly ageMs: number }
  | { readonly ok: false; readonly why: string }

/** @param dump all of it */
export function readDump(dump: Buffer, wallMs = Date.now()): ReadDump {
  const why = mistakeIn(dump)
  if (why !== undefined) return { ok: false, why }
  const records = readRecords(dump.subarray(headBytes, -digestBytes))
  if (records === undefined) return { ok: false, why: 'it holds what is no answer' }
  // A clock that was set back must not make answers younger.
  const ageMs = Math.max(0, wallMs - dump.readDoubleBE(magic.length + 2))
  return { ok: true, records, ageMs }
}

/** @returns whether it begins as a dump does; what is in it is for `readDump` */
export function isDump(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, magic.length) === magic
}

function mistakeIn(dump: Buffer): string | undefined {
  if (dump.length < headBytes + digestBytes) return `it is cut off after ${dump.length} bytes`
  if (!isDump(dump)) return 'it is not of neardns'
  const version = dump.readUInt16BE(magic.length)
  if (version !== dumpVersion) return `it is of version ${version}; this is version ${dumpVersion}`
  if (Number.isNaN(dump.readDoubleBE(magic.length + 2))) return 'it does not say when it was made'
  const digest = createHash('sha256').update(dump.subarray(0, -digestBytes)).digest()
  return digest.equals(dump.subarray(-digestBytes)) ? undefined : 'its checksum does not fit'
}
