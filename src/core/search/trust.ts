/**
 * How much may be concluded about the cluster zone without asking. Plugins in front of `kubernetes` and server blocks for parts
 * of the zone can put names where its rules have none, so the rules count only when somebody vouches for them.
 */
import { isAtOrBelow } from '../../wire/name.ts'
import { LatestMap } from '../cache/latest-map.ts'

/**
 * - verified: CoreDNS's own Corefile was read, and nothing in it can add names to the zone.
 * - declared: the operator says so.
 * - cautious: neither. A name is answered without asking only while CoreDNS itself has denied that very name lately.
 */
export type TrustLevel = 'verified' | 'declared' | 'cautious'

/** What the SOA of CoreDNS's denials has shown so far. */
export type Fingerprint = 'unseen' | 'coredns' | 'foreign'

/** Names that CoreDNS has denied itself, kept so many seconds at most in cautious mode. */
const confirmedMax = 20_000

export class SearchTrust {
  fingerprint: Fingerprint = 'unseen'
  level: TrustLevel
  private carveOuts: readonly Uint8Array[]
  /** Names by folded wire octets; until when the denial counts. */
  private readonly confirmedUntilMs = new LatestMap<number>(confirmedMax)
  private readonly confirmSeconds: number

  /** @param carveOuts folded names; at and below them everything is asked */
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
