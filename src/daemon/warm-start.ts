/** Restores the cache of the process before: the whole dump is checked before any answer of it is used. */
import { type Restored, restoreRecords } from '../core/cache/dump.ts'
import { readDump } from '../handover/cache-file.ts'
import type { Log } from '../observe/log.ts'
import type { DataPath } from './data-path.ts'
import type { WorkerLink } from './workers/link.ts'

/** @throws when the dump is damaged, foreign or of another version; the cache is unchanged then */
export function restoreDump(dump: Buffer, path: DataPath, nowMs: number): Restored {
  const read = readDump(dump)
  if (!read.ok) throw new Error(read.why)
  return restoreRecords(read.records, path, nowMs - read.ageMs)
}

/** In a worker: restores the cache that the supervisor received, if there is one. A bad one is logged and ignored. */
export async function restoreFrom(
  link: WorkerLink,
  path: DataPath,
  nowMs: number,
  log: Log,
): Promise<void> {
  const dump = await link.readDump()
  if (dump === undefined) return
  try {
    const restored = restoreDump(dump, path, nowMs)
    link.noteRestored({ entries: restored.entries, isRefused: false })
    log.info({ ...restored }, 'hand-over: cache taken over')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    link.noteRestored({ entries: 0, isRefused: true })
    log.warn({ why }, 'hand-over: cache not taken over; we start with an empty one')
  }
}
