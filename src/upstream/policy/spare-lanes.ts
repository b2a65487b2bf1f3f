/**
 * How many connections more take questions because heads of line turn old: between its sending and the moment when it is found out, a slow
 * name lies on a connection that others would take. So many more that one is nearly always free; where no head turns old, and for a burst of
 * some, none. Pure.
 */

/** Over which old heads are averaged. */
const memoryMs = 1000
/** Times as many as become old until they are found out, on average: slow names come in bursts, and an idle connection costs little. */
const marginFactor = 8
/** In ages of an old head: how long it takes until it is found out, with the rounds in which they are looked for. */
const blindAges = 1.5

export class SpareLanes {
  /** Heads that became old, the latest weighing most. */
  private found = 0
  private foundMs = 0

  /** A head that was not expected to be slow has turned out to be old. */
  note(nowMs: number): void {
    this.found = this.lately(nowMs) + 1
    this.foundMs = nowMs
  }

  /**
   * @param slowAfterMs age of an old head
   * @param max at most so many
   */
  wanted(nowMs: number, slowAfterMs: number, max: number): number {
    if (this.found === 0) return 0
    const blindMs = blindAges * slowAfterMs
    return Math.min(max, Math.round((marginFactor * this.lately(nowMs) * blindMs) / memoryMs))
  }

  private lately(nowMs: number): number {
    return this.found * Math.exp((this.foundMs - nowMs) / memoryMs)
  }
}
