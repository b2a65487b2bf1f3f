/** Long work in slices: what the event loop has for others is done between two of them. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * What a packet may have to wait for. A scrape takes 3-5 ms of CPU: of the queries of a second with a scrape, at 10,000 q/s, 99 % were
 * answered within 0.43-0.67 ms with slices of 0.1 ms and within 0.56-0.95 ms with slices of 1 ms.
 */
const sliceMs = 0.1
/**
 * Of the time that others took since the last slice. Where each turn of the loop takes 50 ms (garbage collections in a row), slices of
 * 0.1 ms made a scrape last longer than scrapers wait; a tenth more is not what makes such a packet late.
 */
const shareOfTurn = 0.1
/** A daemon that had been stopped for a minute does not owe its packets a slice of seconds. */
const sliceMsMax = 5

/** The event loop, or a test's. */
export interface Turns {
  /** In ms. */
  now(): number
  /** Resolves when others have had their turn. */
  next(): Promise<void>
}

const ofTheLoop: Turns = { now: () => performance.now(), next: () => nextTurn() }

export class TimeSlices {
  readonly #turns: Turns
  #endsMs: number

  constructor(turns: Turns = ofTheLoop) {
    this.#turns = turns
    this.#endsMs = turns.now() + sliceMs
  }

  /** Await it after each piece of the work, which should be shorter than a slice. Lets others in when the slice is used up. */
  async giveWay(): Promise<void> {
    const leftMs = this.#turns.now()
    if (leftMs < this.#endsMs) return
    await this.#turns.next()
    const backMs = this.#turns.now()
    const fairMs = (backMs - leftMs) * shareOfTurn
    this.#endsMs = backMs + Math.min(Math.max(sliceMs, fairMs), sliceMsMax)
  }
}
