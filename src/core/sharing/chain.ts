/** Things in an order that has two ends, linked both ways: every step costs the same, however many there are. Holds them only. */

/** The place of a value in one chain at a time. Its owner keeps it, and moves the value with it. */
export class Link<T> {
  readonly value: T
  previous: Link<T> | undefined
  next: Link<T> | undefined

  constructor(value: T) {
    this.value = value
  }
}

export class Chain<T> {
  first: Link<T> | undefined
  last: Link<T> | undefined

  /** @param link in no chain */
  addLast(link: Link<T>): void {
    link.previous = this.last
    link.next = undefined
    if (this.last === undefined) this.first = link
    else this.last.next = link
    this.last = link
  }

  /** @param link in no chain */
  addFirst(link: Link<T>): void {
    link.previous = undefined
    link.next = this.first
    if (this.first === undefined) this.last = link
    else this.first.previous = link
    this.first = link
  }

  /** @param link in this chain, as below */
  remove(link: Link<T>): void {
    const { previous, next } = link
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    // A dead link in the old space must not keep young ones alive.
    link.previous = undefined
    link.next = undefined
  }

  moveLast(link: Link<T>): void {
    if (link === this.last) return
    this.remove(link)
    this.addLast(link)
  }

  moveFirst(link: Link<T>): void {
    if (link === this.first) return
    this.remove(link)
    this.addFirst(link)
  }
}
