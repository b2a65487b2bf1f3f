/**
 * V8's flags that work after the start as well, and are better given then. Node carries compiled code of its own modules, and V8 takes
 * it only under the flags it was compiled with: with one of these on the command line, the start compiles `http`, `crypto` and
 * others anew, some 30 of 260 ms (docs/decisions/0025). Sizes of spaces are not among those flags.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** @param percent of what survived the last collection by which the heap may grow until the next; V8 alone takes up to 300 */
export function limitHeapGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}

/** Collects all there is, and gives back the pages. An ordinary collection keeps most of them. */
export function collectToTheLast(): void {
  setFlagsFromString('--expose-gc')
  // Only contexts made from now on have it.
  const collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>
  collect({ type: 'major', flavor: 'last-resort' })
}
