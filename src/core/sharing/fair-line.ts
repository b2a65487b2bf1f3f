/**
 * What waits for a place in a shared pool, served in turns: clients one after another, each client's domains one after another,
 * and so on down the claim. So a client with a thousand questions in the line is served as often as one with a single question,
 * and what is at fault for the line is the last to profit from it. Holds things, and decides which comes next; bounded by its
 * user. No look at the line takes longer because it is long.
 */
import { Branch, BranchTable } from './branch.ts'
import { Chain, Link } from './chain.ts'
import type { Claim, ShareRule } from './shares.ts'

/** Branches looked at in one go; the next look goes on behind them. */
const looksMax = 64

/** Where a thing is in a line. */
interface Place<T> {
  readonly line: object
  readonly branch: Branch<T>
  /** In the branch's things. */
  readonly link: Link<T>
  /** In all things of the line. */
  readonly arrival: Link<T>
}

/** What may wait. */
export interface Waiting<T> {
  readonly claim: Claim
  /** @internal Only the line writes to it. */
  place?: Place<T> | undefined
}

export class FairLine<T extends Waiting<T>> {
  private readonly root = new Branch<T>(new BranchTable<T>())
  /** In order of arrival. */
  private readonly all = new Chain<Link<T>>()
  private count = 0
  private looksLeft = 0

  get length(): number {
    return this.count
  }

  /** @param thing not in the line */
  add(thing: T): void {
    let branch = this.root
    for (const holder of thing.claim) branch = branch.branchFor(holder)
    const link = new Link(thing)
    const arrival = new Link(thing)
    branch.things.addLast(link)
    this.all.addLast(arrival)
    thing.place = { line: this, branch, link, arrival }
    this.count += 1
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
    const things: T[] = []
    for (let link = this.all.first; link !== undefined; link = link.next) things.push(link.value)
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
    const { things, size, turns } = branch
    const first = newestFirst ? things.last : things.first
    if (!branch.isTurnOfBranches && first !== undefined) return first.value
    for (let left = size; left > 0 && --this.looksLeft >= 0; left--) {
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
    const { arrivals, size, things } = branch
    for (let left = size; left > 0 && --this.looksLeft >= 0; left--) {
      const below = arrivals.last?.value
      if (below === undefined) break
      const thing = this.newestOf(below, shares)
      if (thing !== undefined) return thing
      arrivals.moveFirst(below.arrival)
    }
    return things.last?.value
  }

  private takeOut(thing: T, isServed: boolean): boolean {
    const { place } = thing
    if (place?.line !== this) return false
    thing.place = undefined
    this.count -= 1
    this.all.remove(place.arrival)
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
