/**
 * Who may take another place in a pool that all share: sockets, questions in flight, connections. A holder (a client, a domain, a
 * group of upstreams) may have as many places as are free, times its weight. So alone it gets half of the pool with weight 1, a
 * third with 1/2; and n that take all they can leave one part in n + 1 to those who come next, because a share shrinks with what
 * is left (Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", IEEE/ACM Transactions on
 * Networking 6(2), 1998). No share is configured, and none lies idle for somebody who does not come. Counts only.
 */

import { Counts } from './counts.ts'

/** Why no place is given: the whole pool is taken, or the share of one of those for whom it would be. Labels metrics. */
export const shareOwners = ['all', 'client', 'domain', 'group', 'ourselves'] as const
export type ShareOwner = (typeof shareOwners)[number]

export interface Holder {
  readonly by: ShareOwner
  /** A hash, 32 bits. Two holders that have the same by chance share what one has. */
  readonly key: number
  /** Address of a client. */
  readonly client?: string
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
  private readonly held = new Counts()

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
    return this.held.get(key)
  }

  /** Whether this holder's own share has room. A holder without a place gets one as long as there is any. */
  hasShare(holder: Holder): boolean {
    return this.of(holder) < this.free * holder.weight
  }

  /**
   * @param also one more for whom the place would be; looked at first
   * @returns whose share is used up; undefined when the place may be taken
   */
  refusal(claim: Claim, also?: Holder): ShareOwner | undefined {
    const refusal = also === undefined ? undefined : this.refusalFor(also)
    return refusal ?? refusalBy(this, claim)
  }

  /** The same for a place that counts for one holder alone. */
  refusalFor(holder: Holder): ShareOwner | undefined {
    if (this.free <= 0) return 'all'
    return this.hasShare(holder) ? undefined : holder.by
  }

  /** The caller has asked `refusal`, or has a reason not to. */
  take(claim: Claim, places = 1, also?: Holder): void {
    this.taken += places
    for (const { key } of claim) this.held.add(key, places)
    if (also !== undefined) this.held.add(also.key, places)
  }

  takeFor({ key }: Holder): void {
    this.taken += 1
    this.held.add(key, 1)
  }

  /** Each place that was taken, once, with an equal claim. */
  giveBack(claim: Claim, places = 1, also?: Holder): void {
    this.taken -= places
    for (const { key } of claim) this.held.subtract(key, places)
    if (also !== undefined) this.held.subtract(also.key, places)
  }

  /** Each that was taken by `takeFor`, once. */
  giveBackFor({ key }: Holder): void {
    this.taken -= 1
    this.held.subtract(key, 1)
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
