/**
 * What waits for a place in a shared pool, served in turns: clients one after another, each client's domains one after another,
 * and so on down the claim. So a client with a thousand questions in the line is served as often as one with a single question,
 * and what is at fault for the line is the last to profit from it. Holds things, and decides which comes next; bounded by its
 * user. No look at the line takes longer because it is long.
 */
import { Chain, Link } from './chain.ts'
import type { Claim, Holder, ShareRule } from './shares.ts'

/** Branches looked at in one go; the next look goes on behind them. */
const looksMax = 64

/** The things of one holder: those of its next holders, and those that have no next holder, in order of arrival. */
class Branch<T> {
  readonly parent: Branch<T> | undefined
  private readonly holder: Holder | undefined
  readonly branches = new Map<Holder['key'], Branch<T>>()
  /** The branches, the one whose turn is next first. */
  readonly turns = new Chain<Branch<T>>()
  /** The branches, the one in which a thing came last and was not served since last. */
  readonly arrivals = new Chain<Branch<T>>()
  readonly things = new Chain<T>()
  isTurnOfBranches = false
  /** In the parent's chains. */
  readonly turn = new Link(this)
  readonly arrival = new Link(this)

  constructor(parent?: Branch<T>, holder?: Holder) {
    this.parent = parent
    this.holder = holder
  }

  get isEmpty(): boolean {
    return this.things.first === undefined && this.branches.size === 0
  }

  hasShare(shares: ShareRule): boolean {
    return this.holder === undefined || shares.hasShare(this.holder)
  }

  /** The branch of a holder, for a thing that has just come. */
  branchFor(holder: Holder): Branch<T> {
    const known = this.branches.get(holder.key)
    if (known !== undefined) {
      this.arrivals.moveLast(known.arrival)
      return known
    }
    const branch = new Branch<T>(this, holder)
    this.branches.set(holder.key, branch)
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
    if (below.holder !== undefined) this.branches.delete(below.holder.key)
  }
}

interface Place<T> {
  readonly branch: Branch<T>
  /** In the branch's things. */
  readonly link: Link<T>
}

export class FairLine<T extends { readonly claim: Claim }> {
  private readonly root = new Branch<T>()
  private readonly places = new Map<T, Place<T>>()
  private looksLeft = 0

  get length(): number {
    return this.places.size
  }

  /** @param thing not in the line */
  add(thing: T): void {
    let branch = this.root
    for (const holder of thing.claim) branch = branch.branchFor(holder)
    const link = new Link(thing)
    branch.things.addLast(link)
    this.places.set(thing, { branch, link })
  }

  /** @returns whether it was in the line */
  remove(thing: T): boolean {
    return this.takeOut(thing, false)
  }

  /** Takes the next thing out for whose claim there is a place; undefined when there is none. */
  next(shares: ShareRule): T | undefined {
    const thing = this.peek(shares)
    if (thing !== undefined) this.serve(thing)
    return thing
  }

  /** Whether there is a place for anything in the line. Nobody's turn comes or goes by asking. */
  hasNext(shares: ShareRule): boolean {
    if (this.length === 0 || shares.free <= 0) return false
    this.looksLeft = looksMax
    return this.hasNextIn(this.root, shares)
  }

  /**
   * The next thing for whose claim there is a place, left in the line; undefined when there is none. A holder that has no share when
   * its turn comes loses the turn.
   * @param newestFirst clients take turns, and of each its newest comes first; then its other domains have a turn
   */
  peek(shares: ShareRule, newestFirst = false): T | undefined {
    if (this.length === 0 || shares.free <= 0) return undefined
    this.looksLeft = looksMax
    return this.nextOf(this.root, shares, newestFirst)
  }

  /** Takes out what `peek` found: its holders have had their turn. */
  serve(thing: T): void {
    this.takeOut(thing, true)
  }

  /** Takes everything out. */
  clear(): T[] {
    const things = [...this.places.keys()]
    for (const thing of things) this.remove(thing)
    return things
  }

  private hasNextIn(branch: Branch<T>, shares: ShareRule): boolean {
    if (!branch.hasShare(shares)) return false
    if (branch.things.first !== undefined) return true
    for (let link = branch.turns.first; link !== undefined; link = link.next) {
      if (--this.looksLeft < 0) return false
      if (this.hasNextIn(link.value, shares)) return true
    }
    return false
  }

  private nextOf(branch: Branch<T>, shares: ShareRule, newestFirst: boolean): T | undefined {
    if (!branch.hasShare(shares)) return undefined
    const { things, branches, turns } = branch
    const first = newestFirst ? things.last : things.first
    if (!branch.isTurnOfBranches && first !== undefined) return first.value
    for (let left = branches.size; left > 0 && --this.looksLeft >= 0; left--) {
      const below = turns.first?.value
      if (below === undefined) break
      const thing = newestFirst ? this.newestOf(below, shares) : this.nextOf(below, shares, false)
      if (thing !== undefined) return thing
      // Without a share it loses its turn, so that the next look comes to those behind it.
      turns.moveLast(below.turn)
    }
    return first?.value
  }

  private newestOf(branch: Branch<T>, shares: ShareRule): T | undefined {
    if (!branch.hasShare(shares)) return undefined
    const { arrivals, branches, things } = branch
    for (let left = branches.size; left > 0 && --this.looksLeft >= 0; left--) {
      const below = arrivals.last?.value
      if (below === undefined) break
      const thing = this.newestOf(below, shares)
      if (thing !== undefined) return thing
      arrivals.moveFirst(below.arrival)
    }
    return things.last?.value
  }

  private takeOut(thing: T, isServed: boolean): boolean {
    const place = this.places.get(thing)
    if (place === undefined) return false
    this.places.delete(thing)
    let { branch } = place
    branch.things.remove(place.link)
    if (isServed) branch.isTurnOfBranches = true
    for (let { parent } = branch; parent !== undefined; parent = parent.parent) {
      parent.update(branch, isServed)
      branch = parent
    }
    return true
  }
}
