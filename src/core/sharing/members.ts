/**
 * A set, in the order in which its members came, for what comes and goes with each question. Not a Set: V8 replaces the table of a Set
 * every few of them, each dead table points to the next, and once one is in the old space so is all that was there whenever a table
 * was replaced, until the next major collection. The links are the members' own: each is in one set at a time.
 */

import { Chain, type Chained } from './chain.ts'

export class Members<T extends Chained<T>> {
  size = 0
  private readonly chain = new Chain<T>()

  get first(): T | undefined {
    return this.chain.first
  }

  /** @param member of no set */
  add(member: T): void {
    this.chain.addLast(member)
    this.size += 1
  }

  /** @returns whether it was there */
  delete(member: T): boolean {
    if (member.previous === undefined && this.first !== member) return false
    this.chain.remove(member)
    this.size -= 1
    return true
  }

  /** Those that are there now. */
  all(): T[] {
    const all: T[] = []
    for (let member = this.first; member !== undefined; member = member.next) all.push(member)
    return all
  }
}
