/**
 * What waits for a place in a shared pool, served in turns: clients one after another, each client's domains one after another,
 * and so on down the claim. So a client with a thousand questions in the line is served as often as one with a single question,
 * and what is at fault for the line is the last to profit from it. Holds things, and decides which comes next; bounded by its
 * user.
 */
import type { Claim, Holder, ShareRule } from './shares.ts'

/** Branches looked at in one go; the next look goes on behind them. */
const looksMax = 64

/** The things of one holder: those of its next holders, and those that have no next holder, in order of arrival. */
class Branch<T> {
  readonly holder: Holder | undefined
  readonly branches = new Map<Holder['key'], Branch<T>>()
  readonly things = new Set<T>()
  isTurnOfBranches = false

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
    return this.takeOut(thing, false)
  }

  /** Takes the next thing out for whose claim there is a place; undefined when there is none. */
  next(shares: ShareRule): T | undefined {
    const thing = this.peek(shares)
    if (thing !== undefined) this.serve(thing)
    return thing
  }

  /**
   * The next thing for whose claim there is a place, left in the line; undefined when there is none.
   * @param newestFirst clients take turns, and of each its newest comes first
   */
  peek(shares: ShareRule, newestFirst = false): T | undefined {
    if (this.length === 0 || shares.free <= 0) return undefined
    return this.nextOf(this.root, shares, newestFirst)
  }

  /** Takes out what `peek` found: its holders have had their turn. */
  serve(thing: T): void {
    this.takeOut(thing, true)
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

  private nextOf(branch: Branch<T>, shares: ShareRule, newestFirst: boolean): T | undefined {
    if (branch.holder !== undefined && !shares.hasShare(branch.holder)) return undefined
    const [first] = branch.things
    if (!branch.isTurnOfBranches && first !== undefined) return first
    let looks = 0
    for (const [key, below] of branch.branches) {
      if (++looks > looksMax) break
      const thing = newestFirst ? newestOf(below, shares) : this.nextOf(below, shares, false)
      if (thing !== undefined) return thing
      // Without a share it loses its turn, so that the next look comes to those behind it.
      toEnd(branch.branches, key, below)
      if (looks >= branch.branches.size) break
    }
    return first
  }

  private takeOut(thing: T, isServed: boolean): boolean {
    if (!takeFrom(this.root, thing, 0, isServed)) return false
    this.length -= 1
    return true
  }
}

/** Rare, so that no second order is kept for it. */
function newestOf<T>(branch: Branch<T>, shares: ShareRule): T | undefined {
  if (branch.holder !== undefined && !shares.hasShare(branch.holder)) return undefined
  for (const below of [...branch.branches.values()].toReversed()) {
    const thing = newestOf(below, shares)
    if (thing !== undefined) return thing
  }
  return [...branch.things].at(-1)
}

/** A Map iterates in the order of insertion. */
function toEnd<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key)
  map.set(key, value)
}

function takeFrom<T extends { readonly claim: Claim }>(
  branch: Branch<T>,
  thing: T,
  depth: number,
  isServed: boolean,
): boolean {
  const holder = thing.claim[depth]
  if (isServed) branch.isTurnOfBranches = holder === undefined
  if (holder === undefined) return branch.things.delete(thing)
  const below = branch.branches.get(holder.key)
  if (below === undefined || !takeFrom(below, thing, depth + 1, isServed)) return false
  if (below.isEmpty) branch.branches.delete(holder.key)
  else if (isServed) toEnd(branch.branches, holder.key, below)
  return true
}

function collect<T>(branch: Branch<T>, into: T[]): void {
  for (const below of branch.branches.values()) collect(below, into)
  into.push(...branch.things)
}
