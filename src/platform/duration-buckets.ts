/**
 * The sixteen duration buckets that CoreDNS uses (0.25 ms doubled up to 8.192 s), as array arithmetic, so that
 * each part counts the durations that it measures: sockets those of exchanges, the pipeline those of queries.
 * Never publishes anything.
 */

/** Upper bounds in seconds, inclusive (`le`). */
export const durationBoundsSeconds: readonly number[] = Array.from(
  { length: 16 },
  (_, n) => 0.00025 * 2 ** n,
)

/** Floats of one histogram: sixteen buckets, one above all bounds, then the sum in milliseconds. */
export const durationSlots = 18
const aboveAll = 16
const sumSlot = 17

/** Counts one duration in the histogram that starts at `base` in `slots`. A negative one (clock step) counts as 0. */
export function addDuration(slots: Float64Array, base: number, tookMs: number): void {
  const slot = base + durationBucket(tookMs)
  slots[slot] = (slots[slot] as number) + 1
  if (tookMs > 0) slots[base + sumSlot] = (slots[base + sumSlot] as number) + tookMs
}

/** @returns index of the first bound that is not below the duration, 16 when all are */
export function durationBucket(tookMs: number): number {
  const quarters = Math.ceil(tookMs * 4)
  if (!(quarters > 1)) return 0
  if (quarters > 32768) return aboveAll
  return 32 - Math.clz32(quarters - 1)
}
