/**
 * A set, in the order in which its members came, for what comes and goes with each question. Not a Set: V8 replaces the table of a Set
 * every few of them, each dead table points to the next, and once one is in the old space so is all that was there whenever a table
 * was replaced, until the next major collection. The links are the members' own: each is in one set at a time.
 */

/** What a set writes to its members, and nobody else. */
export abstract class Member<T> {
  /** @internal Came before it. */
  ahead: T | undefined
  /** @internal Came after it. */
  behind: T | undefined
}

export class Members<T extends Member<T>> {
  size = 0
  first: T | undefined
  private last: T | undefined

  /** @param member of no set */
  add(member: T): void {
    const { last } = this
    member.ahead = last
    if (last === undefined) this.first = member
    else last.behind = member
    this.last = member
    this.size += 1
  }

  /** @returns whether it was there */
  delete(member: T): boolean {
    const { ahead, behind } = member
    if (ahead === undefined && this.first !== member) return false
    if (ahead === undefined) this.first = behind
    else ahead.behind = behind
    if (behind === undefined) this.last = ahead
    else behind.ahead = ahead
    // Neither keeps the other alive.
    member.ahead = undefined
    member.behind = undefined
    this.size -= 1
    return true
  }

  /** Those that are there now. */
  all(): T[] {
    const all: T[] = []
    for (let member = this.first; member !== undefined; member = member.behind) all.push(member)
    return all
  }
}
