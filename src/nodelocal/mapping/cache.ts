/** The settings of the one cache that takes the place of the caches of all server blocks. */
import type { Block } from '../blocks.ts'
import type { PlainSection } from './plain.ts'

/** Bounds of `cache.entriesMax`. */
const entriesMax = 10_000_000

export function cacheSettings(blocks: readonly Block[]): PlainSection {
  const caches = blocks.flatMap(({ has }) => has.cache ?? [])
  if (caches.length === 0) return {}
  const entries = caches.reduce(
    (sum, { success, denial }) => sum + success.entries + denial.entries,
    0,
  )
  return { entriesMax: Math.min(entries, entriesMax) }
}
