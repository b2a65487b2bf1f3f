/**
 * How much may be concluded about the cluster zone without asking (SP-15, SP-16). Plugins in front of `kubernetes` and server
 * blocks for parts of the zone can add names that its rules exclude, so the rules count only when their absence is vouched for.
 */
import { isAtOrBelow } from '../../wire/name.ts'
import { LatestMap } from '../cache/latest-map.ts'

/**
 * - verified: CoreDNS's own Corefile was read, and nothing in it can add names to the zone.
 * - declared: the operator says so.
 * - cautious: neither. A name is denied without asking only while CoreDNS's own recent denial of that very name counts.
 */
export type TrustLevel = 'verified' | 'declared' | 'cautious'

/** What the SOA of CoreDNS's denials has shown so far. */
export type Fingerprint = 'unseen' | 'coredns' | 'foreign'

/** Names that CoreDNS itself has denied, remembered in cautious mode. */
const confirmedMax = 20_000

export class SearchTrust {
  fingerprint: Fingerprint = 'unseen'
  level: TrustLevel
  private carveOuts: readonly Uint8Array[]
  /** Names by folded wire bytes; until when the denial counts. */
  private readonly confirmedUntilMs = new LatestMap<number>(confirmedMax)
  private readonly confirmSeconds: number

  /** @param carveOuts folded names; everything at and below them is asked */
  constructor(level: TrustLevel, carveOuts: readonly Uint8Array[], confirmSeconds: number) {
    this.level = level
    this.carveOuts = carveOuts
    this.confirmSeconds = confirmSeconds
  }

  /** Whether the zone's structural rules may be used by themselves. */
  get allowsStructure(): boolean {
    return this.level !== 'cautious' && this.fingerprint === 'coredns'
  }

  isCarvedOut(name: Uint8Array, nameBytes: number): boolean {
    for (const carveOut of this.carveOuts) {
      if (isAtOrBelow(name, nameBytes, carveOut, carveOut.length)) return true
    }
    return false
  }

  /** CoreDNS has denied this name. */
  confirm(name: string, nowMs: number): void {
    this.confirmedUntilMs.set(name, nowMs + this.confirmSeconds * 1000)
  }

  /** CoreDNS has said that this name exists. */
  refute(name: string): void {
    this.confirmedUntilMs.delete(name)
  }

  isConfirmed(name: string, nowMs: number): boolean {
    return nowMs < (this.confirmedUntilMs.get(name) ?? 0)
  }
}
