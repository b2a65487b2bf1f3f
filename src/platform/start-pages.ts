/**
 * The kernel maps whole runs of a program's file around each page that is touched. Pages that only the start needs (V8's snapshot, ICU,
 * the compilers) stay in the resident memory: about 24 of 54 MiB. They are unmapped once, shortly after the start;
 * a page that is used again comes back from the page cache by itself (docs/decisions/0026).
 */
import { readFile } from 'node:fs/promises'

/** A range of addresses of this process, in bytes. */
export interface Mapping {
  readonly address: bigint
  readonly length: number
  readonly residentBytes: number
}

/** Unmaps pages that are backed by a file; 0 or -errno. */
export type DropPages = (address: bigint, length: number) => number

/** The first questions of waiting pods have been answered by then. */
const delayMs = 1000
/** Smaller mappings are not worth their system call and the faults after it. */
const residentMinBytes = 524_288

const headOfMapping = /^(?=[0-9a-f]+-[0-9a-f]+ )/m
/** Of a file, private, and never written to through this mapping. */
const mappedFile = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ [1-9]\d* +\//

/**
 * Read-only memory can still differ from its file: the linker writes addresses before it makes pages read-only, a probe
 * writes breakpoints. Such pages are anonymous, and a mapping with a single one is left alone.
 *
 * @param smaps `/proc/self/smaps` (proc_pid_smaps(5))
 */
export function droppableMappings(smaps: string): Mapping[] {
  const found: Mapping[] = []
  for (const text of smaps.split(headOfMapping)) {
    const [, from, to] = mappedFile.exec(text) ?? []
    const residentBytes = sizeIn(text, 'Rss')
    if (from === undefined || to === undefined || residentBytes < residentMinBytes) continue
    if (sizeIn(text, 'Anonymous') !== 0) continue
    const address = BigInt(`0x${from}`)
    found.push({ address, length: Number(BigInt(`0x${to}`) - address), residentBytes })
  }
  return found
}

/** @returns bytes; NaN when the kernel does not say */
function sizeIn(text: string, name: string): number {
  const [, kilobytes] = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text) ?? []
  return kilobytes === undefined ? Number.NaN : Number(kilobytes) * 1024
}

/**
 * The kernel takes about 4 ms for the list: a thread of the pool reads it, the event loop goes on.
 * @returns unmapped bytes
 * @throws when `/proc` cannot be read
 */
export async function dropStartPages(drop: DropPages): Promise<number> {
  const mappings = droppableMappings(await readFile('/proc/self/smaps', 'latin1'))
  const dropped = mappings.filter(({ address, length }) => drop(address, length) === 0)
  return dropped.reduce((sum, { residentBytes }) => sum + residentBytes, 0)
}

/**
 * @param done gets the number of unmapped bytes; 0 when `/proc` or the kernel refuses, and the memory stays as it is
 * @returns a function that cancels it
 */
export function dropStartPagesLater(drop: DropPages, done: (bytes: number) => void): () => void {
  const timer = setTimeout(() => {
    dropStartPages(drop).then(done, () => done(0))
  }, delayMs)
  timer.unref()
  return () => clearTimeout(timer)
}
