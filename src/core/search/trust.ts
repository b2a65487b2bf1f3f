/**
 * How much may be concluded about the cluster zone without asking (SP-15, SP-16). Plugins in front of `kubernetes` and server
 * blocks for parts of the zone can add names that its rules exclude, so the rules count only when their absence is vouched for.
 */
import { isAtOrBelow } from '../../wire/name.ts'

/**
 * - verified: CoreDNS's own Corefile was read, and nothing in it can add names to the zone.
 * - declared: the operator says so.
 * - cautious: neither. What is known of one name says nothing about another; only A's own denial speaks for the other types.
 */
export type TrustLevel = 'verified' | 'declared' | 'cautious'

/** What the SOA of CoreDNS's denials has shown so far. */
export type Fingerprint = 'unseen' | 'coredns' | 'foreign'

export class SearchTrust {
  fingerprint: Fingerprint = 'unseen'
  level: TrustLevel
  private carveOuts: readonly Uint8Array[]

  /** @param carveOuts folded names; everything at and below them is asked */
  constructor(level: TrustLevel, carveOuts: readonly Uint8Array[]) {
    this.level = level
    this.carveOuts = carveOuts
  }

  /** Whether evidence about one name may deny another: by a cut, or by a rule. */
  get allowsInference(): boolean {
    return this.level !== 'cautious'
  }

  /** Whether the zone's structural rules may be used by themselves. */
  get allowsStructure(): boolean {
    return this.allowsInference && this.fingerprint === 'coredns'
  }

  isCarvedOut(name: Uint8Array, nameBytes: number): boolean {
    for (const carveOut of this.carveOuts) {
      if (isAtOrBelow(name, nameBytes, carveOut, carveOut.length)) return true
    }
    return false
  }
}
