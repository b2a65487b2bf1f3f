/** The tree of a fair line: who has things in it, by client, domain and so on down the claim. Whose turn it is is decided in fair-line.ts. */
import { Chain, Link } from './chain.ts'
import { type HashChained, HashChains } from './hash-chains.ts'
import type { Holder, ShareRule } from './shares.ts'

/** The things of one holder: those of its next holders, and those that have no next holder, in order of arrival. */
export class Branch<T> implements HashChained<Branch<T>> {
  readonly parent: Branch<T> | undefined
  readonly holder: Holder | undefined
  /** Number of branches. */
  size = 0
  /** The branches, the one whose turn is next first. */
  readonly turns = new Chain<Link<Branch<T>>>()
  /** The branches, the one in which a thing came last and was not served since last. */
  readonly arrivals = new Chain<Link<Branch<T>>>()
  readonly things = new Chain<Link<T>>()
  isTurnOfBranches = false
  /** In the parent's chains. */
  readonly turn = new Link(this)
  readonly arrival = new Link(this)
  readonly keyHash: number
  nextInBucket: Branch<T> | undefined
  private readonly table: BranchTable<T>

  constructor(table: BranchTable<T>, parent?: Branch<T>, holder?: Holder) {
    this.table = table
    this.parent = parent
    this.holder = holder
    this.keyHash = hashFor(parent, holder?.key ?? 0)
  }

  get isEmpty(): boolean {
    return this.things.first === undefined && this.size === 0
  }

  hasShare(shares: ShareRule): boolean {
    return this.holder === undefined || shares.hasShare(this.holder)
  }

  /** The branch of a holder, for a thing that has just come. */
  branchFor(holder: Holder): Branch<T> {
    const known = this.table.find(this, holder.key)
    if (known !== undefined) {
      this.arrivals.moveLast(known.arrival)
      return known
    }
    const branch = new Branch<T>(this.table, this, holder)
    this.table.add(branch)
    this.size += 1
    this.turns.addLast(branch.turn)
    this.arrivals.addLast(branch.arrival)
    return branch
  }

  /** A thing has left the branch of this holder, or a branch further below. */
  update(below: Branch<T>, isServed: boolean): void {
    if (isServed) this.isTurnOfBranches = false
    if (!below.isEmpty) {
      if (!isServed) return
      this.turns.moveLast(below.turn)
      this.arrivals.moveFirst(below.arrival)
      return
    }
    this.turns.remove(below.turn)
    this.arrivals.remove(below.arrival)
    this.table.remove(below)
    this.size -= 1
  }
}

/** All branches of a line by parent and holder. One for all, and no Map: docs/decisions/0057. */
export class BranchTable<T> extends HashChains<Branch<T>> {
  find(parent: Branch<T>, key: Holder['key']): Branch<T> | undefined {
    let branch = this.firstFor(hashFor(parent, key))
    while (branch !== undefined && (branch.parent !== parent || branch.holder?.key !== key))
      branch = branch.nextInBucket
    return branch
  }
}

/** The keys of clients and domains are hashes, each with a secret of this process. */
function hashFor<T>(parent: Branch<T> | undefined, key: Holder['key']): number {
  return Math.imul(parent?.holder?.key ?? 0, 31) ^ key
}
