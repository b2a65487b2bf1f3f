/** Things in an order that has two ends, linked both ways: every step costs the same, however many there are. Holds them only. */

/** What a chain writes to its members, and nobody else. Each is in one chain at a time. */
export abstract class Chained<N> {
  /** @internal */
  previous: N | undefined
  /** @internal */
  next: N | undefined
}

/** The place of a value in one chain, for values that are in several. Its owner keeps it, and moves the value with it. */
export class Link<T> extends Chained<Link<T>> {
  readonly value: T

  constructor(value: T) {
    super()
    this.value = value
  }
}

export class Chain<N extends Chained<N>> {
  first: N | undefined
  last: N | undefined

  /** @param link in no chain */
  addLast(link: N): void {
    link.previous = this.last
    link.next = undefined
    if (this.last === undefined) this.first = link
    else this.last.next = link
    this.last = link
  }

  /** @param link in no chain */
  addFirst(link: N): void {
    link.previous = undefined
    link.next = this.first
    if (this.first === undefined) this.last = link
    else this.first.previous = link
    this.first = link
  }

  /** @param link in this chain, as below */
  remove(link: N): void {
    const { previous, next } = link
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    // A dead link in the old space must not keep young ones alive.
    link.previous = undefined
    link.next = undefined
  }

  moveLast(link: N): void {
    if (link === this.last) return
    this.remove(link)
    this.addLast(link)
  }

  moveFirst(link: N): void {
    if (link === this.first) return
    this.remove(link)
    this.addFirst(link)
  }
}
