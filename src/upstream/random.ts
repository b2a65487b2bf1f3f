/**
 * Unpredictable query IDs (RFC 5452 4.3; CVE-2019-19794 is a forwarder that drew them from a seeded generator), from a pool: one
 * call into the system's generator per 4096 numbers instead of one per query.
 */
import { randomFillSync } from 'node:crypto'

const poolSize = 4096

export class RandomPool {
  private readonly pool = new Uint16Array(poolSize)
  private used = poolSize

  /** @returns 0 to 65535, uniform */
  id(): number {
    if (this.used === poolSize) {
      randomFillSync(this.pool)
      this.used = 0
    }
    const id = this.pool[this.used] as number
    // A used number must not be found in memory later.
    this.pool[this.used++] = 0
    return id
  }

  /** @returns 0 to 1, exclusive, in steps of 1/65536 */
  fraction(): number {
    return this.id() / 65536
  }
}

/** More than the questions in flight to UDP upstreams at any time, far fewer than the kernel's 28,232 ports. */
const remembered = 1024

/**
 * Recently used ports. The kernel draws ports at random but may draw one again at once: 18 of 1,000 questions would share one,
 * and a late reply to the earlier could reach the later.
 */
export class RecentPorts {
  private readonly ring = new Uint16Array(remembered)
  private readonly isRecent = new Uint8Array(65536)
  private at = 0

  /** @returns false when the port was used recently; it is not noted again then */
  note(port: number): boolean {
    if (this.isRecent[port] === 1) return false
    this.isRecent[this.ring[this.at] as number] = 0
    this.isRecent[port] = 1
    this.ring[this.at] = port
    this.at = (this.at + 1) % remembered
    return true
  }
}
