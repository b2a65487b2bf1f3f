/** Watches the kernel's connection table: when it is full, everything but DNS through neardns loses new connections. */
import { readFile } from 'node:fs/promises'
import { type Trouble, trouble } from '../trouble.ts'

/** Counts as full from here on: the last entries fill within milliseconds. */
const fullShare = 0.95
const everyMs = 10_000

/** Reads the counters at intervals. */
export class ConntrackWatch {
  private nextMs = 0

  async check(): Promise<Trouble[]> {
    if (performance.now() < this.nextMs) return []
    this.nextMs = performance.now() + everyMs
    const full = await isConntrackFull()
    return full === undefined ? [] : [trouble('conntrack_full', full)]
  }
}

/** @returns the counters when the table is full, else undefined; a kernel without conntrack has none */
async function isConntrackFull(directory = '/proc/sys/net/netfilter'): Promise<string | undefined> {
  try {
    const [count, max] = await Promise.all(
      ['nf_conntrack_count', 'nf_conntrack_max'].map(async (name) =>
        Number(await readFile(`${directory}/${name}`, 'latin1')),
      ),
    )
    if (count === undefined || max === undefined || !(max > 0) || count < max * fullShare) {
      return undefined
    }
    return `conntrack holds ${count} of ${max} entries`
  } catch {
    return undefined
  }
}
