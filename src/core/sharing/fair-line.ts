/**
 * What waits for a place in a shared pool, served in turns: clients one after another, each client's domains one after another,
 * and so on down the claim. So a client with a thousand questions in the line is served as often as one with a single question,
 * and what is at fault for the line is the last to profit from it. Holds things, and decides which comes next; bounded by its
 * user.
 */
import type { Claim, Holder, Shares } from './shares.ts'

/** Branches looked at in one go; the next look goes on behind them. */
const looksMax = 64

/** The things of one holder: those of its next holders, and those that have no next holder, in order of arrival. */
class Branch<T> {
  readonly holder: Holder | undefined
  readonly branches = new Map<Holder['key'], Branch<T>>()
  readonly things = new Set<T>()
  isTurnOfThings = false

  constructor(holder: Holder | undefined) {
    this.holder = holder
  }

  get isEmpty(): boolean {
    return this.things.size === 0 && this.branches.size === 0
  }
}

export class FairLine<T extends { readonly claim: Claim }> {
  length = 0
  private readonly root = new Branch<T>(undefined)

  add(thing: T): void {
    let branch = this.root
    for (const holder of thing.claim) {
      const next = branch.branches.get(holder.key) ?? new Branch<T>(holder)
      branch.branches.set(holder.key, next)
      branch = next
    }
    branch.things.add(thing)
    this.length += 1
  }

  /** @returns whether it was in the line */
  remove(thing: T): boolean {
    if (!this.removeFrom(this.root, thing, 0)) return false
    this.length -= 1
    return true
  }

  /** Takes the next thing out for whose claim there is a place; undefined when there is none. */
  next(shares: Shares): T | undefined {
    if (this.length === 0 || shares.free <= 0) return undefined
    const thing = this.nextOf(this.root, shares)
    if (thing !== undefined) this.remove(thing)
    return thing
  }

  /** Takes everything out. */
  clear(): T[] {
    const things: T[] = []
    collect(this.root, things)
    this.root.branches.clear()
    this.root.things.clear()
    this.length = 0
    return things
  }

  private nextOf(branch: Branch<T>, shares: Shares): T | undefined {
    if (branch.holder !== undefined && !shares.hasShare(branch.holder)) return undefined
    const [first] = branch.things
    branch.isTurnOfThings = !branch.isTurnOfThings
    if (branch.isTurnOfThings && first !== undefined) return first
    let looks = 0
    for (const [key, below] of branch.branches) {
      if (++looks > looksMax) break
      // To the end of the turns; a Map iterates in the order of insertion, and comes to it again only after all others.
      branch.branches.delete(key)
      branch.branches.set(key, below)
      const thing = this.nextOf(below, shares)
      if (thing !== undefined) return thing
      if (looks >= branch.branches.size) break
    }
    return first
  }

  private removeFrom(branch: Branch<T>, thing: T, depth: number): boolean {
    const holder = thing.claim[depth]
    if (holder === undefined) return branch.things.delete(thing)
    const below = branch.branches.get(holder.key)
    if (below === undefined || !this.removeFrom(below, thing, depth + 1)) return false
    if (below.isEmpty) branch.branches.delete(holder.key)
    return true
  }
}

function collect<T>(branch: Branch<T>, into: T[]): void {
  for (const below of branch.branches.values()) collect(below, into)
  into.push(...branch.things)
}
