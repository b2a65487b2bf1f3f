/**
 * Who owns a name: the upstream group of the longest matching zone, or a stage that answers for it here. The resolvers outside own
 * what nobody has claimed. A name that nobody is asked about has no owner: who tells an alias to it may tell the rest.
 */
import type { ForeignName } from './answer/alias-chain.ts'
import type { Router } from './router.ts'
import type { Stage } from './stages/stage.ts'

export interface OwnersParts {
  readonly router: Router
  readonly local: readonly Stage[]
}

export class Owners {
  private readonly parts: OwnersParts

  constructor(parts: OwnersParts) {
    this.parts = parts
  }

  /** Whether a name belongs to others than the group that was asked. */
  readonly isForeign: ForeignName = (name, nameBytes, asked) => {
    const { group, isUnserved } = this.parts.router.route(name, nameBytes)
    return (group !== asked && isUnserved !== true) || this.isLocal(name, nameBytes)
  }

  /** Whether it belongs to others by their claim, and not because it is left to the resolvers outside. */
  readonly isClaimed: ForeignName = (name, nameBytes, asked) => {
    const { group, zone, isUnserved } = this.parts.router.route(name, nameBytes)
    const isOfOthers = zone !== '.' && group !== asked && isUnserved !== true
    return isOfOthers || this.isLocal(name, nameBytes)
  }

  private isLocal(name: Buffer, nameBytes: number): boolean {
    return this.parts.local.some((stage) => stage.claims?.(name, nameBytes) === true)
  }
}
