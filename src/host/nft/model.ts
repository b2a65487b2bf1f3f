/**
 * nftables as data: the few constructs that the daemon puts into the kernel's ruleset. `encode.ts` makes netlink
 * messages of them, `text.ts` text for people. No anonymous sets and no maps: the node's own nft would have to
 * understand them, and one of its versions does not (docs/decisions/0031).
 */

export type NftFamily = 'ip' | 'ip6' | 'inet'
export type Protocol = 'udp' | 'tcp'
export type Side = 'source' | 'destination'

/** One comparison; a rule applies when all of its matches do. */
export type NftMatch =
  /** `udp dport 53`, `udp sport 512-1023` */
  | {
      readonly kind: 'port'
      readonly protocol: Protocol
      readonly side: Side
      readonly ports: Ports
    }
  /** `ip daddr 169.254.20.10` */
  | {
      readonly kind: 'address'
      readonly family: 4 | 6
      readonly side: Side
      readonly address: string
    }
  /** `ip daddr @live4` */
  | { readonly kind: 'set'; readonly family: 4 | 6; readonly side: Side; readonly set: string }
  /** `ct status dnat` */
  | { readonly kind: 'translated' }
  /** `numgen random mod 3 0`: with a probability of 1/3 */
  | { readonly kind: 'oneIn'; readonly count: number }

export type Ports = number | readonly [first: number, last: number]

export type NftVerdict =
  | { readonly kind: 'notrack' | 'accept' | 'masquerade' }
  | {
      readonly kind: 'dnat'
      readonly family: 4 | 6
      readonly address: string
      readonly port: number
    }

export interface NftRule {
  readonly matches: readonly NftMatch[]
  readonly verdict: NftVerdict
  /** Shown by nft; at most 120 bytes. */
  readonly comment?: string
}

export interface NftChain {
  readonly name: string
  readonly type: 'filter' | 'nat'
  readonly hook: 'prerouting' | 'output' | 'postrouting'
  readonly priority: number
  readonly rules: readonly NftRule[]
}

/** A set of addresses, each with a timeout. */
export interface NftSet {
  readonly name: string
  readonly family: 4 | 6
}

/** A table of the family `inet`. */
export interface NftTable {
  readonly name: string
  /** The kernel removes it with the netlink socket that made it (`flags owner`, Linux 5.12). */
  readonly isOwned: boolean
  readonly sets: readonly NftSet[]
  readonly chains: readonly NftChain[]
}

/** Place of a chain of another program. */
export interface Place {
  readonly family: NftFamily
  readonly table: string
  readonly chain: string
}

/** Changes of one list take effect together or not at all. */
export type NftChange =
  | { readonly kind: 'addTable' | 'replaceTable'; readonly table: NftTable }
  | { readonly kind: 'deleteTable'; readonly family: NftFamily; readonly name: string }
  /** Afterwards exactly these addresses are in the set, with this timeout. */
  | {
      readonly kind: 'fillSet'
      readonly table: string
      readonly set: NftSet
      readonly addresses: readonly string[]
      readonly timeoutMs: number
    }
  /** At the head of the chain. */
  | { readonly kind: 'insertRule'; readonly at: Place; readonly rule: NftRule }
  | { readonly kind: 'deleteRule'; readonly at: Place; readonly handle: bigint }
