/**
 * V8 flags that also work after the start, and are better set then. Node contains compiled code of its own modules, which V8 accepts
 * only under the flags that it was compiled with: with one of these flags on the command line, the start compiles `http`, `crypto` and
 * others anew, about 30 of 260 ms (docs/decisions/0025). Sizes of spaces are not among these flags.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export interface HeapLimits {
  /** By how much the heap may grow until the next collection, percent of what survived the last one; V8's own limit is 300. */
  readonly growthPercent: number
  /** V8 compacts pages from a fifth of garbage on (else 70 %), and the heap grows by 2 MB at the least (else 8). */
  readonly savesMemory: boolean
}

export function limitHeap({ growthPercent, savesMemory }: HeapLimits): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`)
  if (savesMemory) setFlagsFromString('--memory-saver-mode')
}

/**
 * Collects garbage. V8 gives back the pages later and in small steps, by itself: its memory reducer begins some seconds after a
 * collection when the process is idle.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  // Only contexts that are made from now on have `gc`.
  const collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>
  collect({ type: 'major' })
}
