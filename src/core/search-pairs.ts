/**
 * Stubs ask for A and AAAA of a name at once, in either order, and musl takes a pair that contradicts itself for an absent name
 * (searchpath 4.2). What ends a denial, its age or the news of a new Service, may come between the two. So nobody is
 * denied a name anew in the last quarter of a second of its evidence, and who was denied it stays denied for that long.
 */

/** Pairs come within milliseconds of each other; those of a stub without CPU within tens. */
export const pairMs = 250
/** Denials remembered: more than a busy node gives between the halves of a pair. */
const slots = 512

export class SearchPairs {
  private readonly names: string[] = new Array<string>(slots).fill('')
  private readonly clients: string[] = new Array<string>(slots).fill('')
  private readonly untilMs = new Float64Array(slots)
  private next = 0
  private lastMs = Number.NEGATIVE_INFINITY

  /**
   * A name is being denied.
   * @param name folded wire form, one character an octet
   * @param client its address; ports are different for the halves of some stubs' pairs
   * @param untilMs end of the evidence: the other half is denied for no longer than that
   */
  note(name: string, client: string, untilMs: number, nowMs: number): void {
    this.names[this.next] = name
    this.clients[this.next] = client
    this.untilMs[this.next] = Math.min(nowMs + pairMs, untilMs)
    this.next = (this.next + 1) % slots
    this.lastMs = nowMs
  }

  /** Whether nobody was denied anything lately. */
  isQuiet(nowMs: number): boolean {
    return nowMs >= this.lastMs + pairMs
  }

  /** Whether this client was denied the name a moment ago, and on evidence that still holds. */
  holds(name: string, client: string, nowMs: number): boolean {
    if (this.isQuiet(nowMs)) return false
    for (let slot = 0; slot < slots; slot++) {
      const isLive = nowMs < (this.untilMs[slot] ?? 0)
      if (isLive && this.names[slot] === name && this.clients[slot] === client) return true
    }
    return false
  }
}
