/**
 * Who may take another place in a pool that all share: sockets, questions in flight, connections. A holder (a client, a domain, a
 * group of upstreams) may have as many places as are free, times its weight. So alone it gets half of the pool with weight 1, a
 * third with 1/2; and n that take all they can leave one part in n + 1 to those who come next, because a share shrinks with what
 * is left (Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", IEEE/ACM Transactions on
 * Networking 6(2), 1998). No share is configured, and none lies idle for somebody who does not come. Counts only.
 */

/** Why no place is given: the whole pool is taken, or the share of one of those for whom it would be. Labels metrics. */
export const shareOwners = ['all', 'client', 'domain', 'group', 'ourselves'] as const
export type ShareOwner = (typeof shareOwners)[number]

export interface Holder {
  readonly by: ShareOwner
  /** Of different kinds of holders in one pool, no two keys may be equal. */
  readonly key: string | number
  /** Places that it may have for each one that is free. */
  readonly weight: number
}

/** All holders that a place counts for. */
export type Claim = readonly Holder[]

export type ShareCounts = Record<ShareOwner, number>

/** Who may take another place now. */
export interface ShareRule {
  readonly free: number
  hasShare(holder: Holder): boolean
}

export class Shares implements ShareRule {
  taken = 0
  private max: number
  private readonly held = new Map<Holder['key'], number>()

  constructor(max: number) {
    this.max = max
  }

  /** The same places, for those who may have so many times more of what is free. */
  times(factor: number): ShareRule {
    const shares = this
    return {
      get free() {
        return shares.free
      },
      hasShare: (holder) => shares.of(holder) < shares.free * holder.weight * factor,
    }
  }

  /** Places taken above a smaller number are not called back. */
  setMax(max: number): void {
    this.max = max
  }

  get free(): number {
    return this.max - this.taken
  }

  of({ key }: Holder): number {
    return this.held.get(key) ?? 0
  }

  /** Whether this holder's own share has room. A holder without a place gets one as long as there is any. */
  hasShare(holder: Holder): boolean {
    return this.of(holder) < this.free * holder.weight
  }

  /** @returns whose share is used up; undefined when the place may be taken */
  refusal(claim: Claim): ShareOwner | undefined {
    return refusalBy(this, claim)
  }

  /** The caller has asked `refusal`, or has a reason not to. */
  take(claim: Claim, places = 1): void {
    this.taken += places
    for (const { key } of claim) this.held.set(key, (this.held.get(key) ?? 0) + places)
  }

  /** Each place that was taken, once, with an equal claim. */
  giveBack(claim: Claim, places = 1): void {
    this.taken -= places
    for (const { key } of claim) {
      const left = (this.held.get(key) ?? places) - places
      if (left === 0) this.held.delete(key)
      else this.held.set(key, left)
    }
  }
}

/** @returns whose share is used up; undefined when a place may be taken */
export function refusalBy(shares: ShareRule, claim: Claim): ShareOwner | undefined {
  if (shares.free <= 0) return 'all'
  for (const holder of claim) if (!shares.hasShare(holder)) return holder.by
  return undefined
}

export function noRefusals(): ShareCounts {
  return { all: 0, client: 0, domain: 0, group: 0, ourselves: 0 }
}
