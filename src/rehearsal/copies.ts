/**
 * Tells a packet that is seen again on its way (on the pod's link, on the bridge, on the node's own) from one that was sent again. A
 * packet passes each place once, so the same bytes at a place where they have been are a new packet. Pure.
 */

/** A packet is through the node in much less; a client repeats its query in 5 s (glibc), 2.5 s (musl). */
const onItsWayMs = 1000

interface Seen {
  readonly atMs: number
  readonly places: number[]
}

export class Copies {
  /** Packets that were seen before. */
  copies = 0
  private present = new Map<string, Seen>()
  private previous = new Map<string, Seen>()
  private turnedMs = Number.NEGATIVE_INFINITY

  /** @param identity what is the same for all copies of a packet */
  isNew(identity: string, place: number, atMs: number): boolean {
    this.turn(atMs)
    const seen = this.present.get(identity) ?? this.previous.get(identity)
    if (seen !== undefined && atMs - seen.atMs < onItsWayMs && !seen.places.includes(place)) {
      seen.places.push(place)
      this.copies += 1
      return false
    }
    this.present.set(identity, { atMs, places: [place] })
    return true
  }

  /** Forgets what is through, a generation at a time. */
  private turn(atMs: number): void {
    if (atMs - this.turnedMs < onItsWayMs) return
    this.turnedMs = atMs
    this.previous = this.present
    this.present = new Map()
  }
}
