/**
 * Where names stand in a message whose records are copied as they are. What is cached does not stay as it is: TTLs get smaller,
 * addresses take turns, the question gets the client's letters and type. A pointer that leads to a name, and not into such fields, reads
 * the same for as long as the copy lives (RFC 1035 4.1.4: a prior occurrence of the name).
 */
import { u8, u16 } from './bytes.ts'
import { headerBytes, labelBytesMax, nameBytesMax } from './constants.ts'
import { pointerBits } from './name.ts'
import { pointerMax } from './name-writer.ts'

export class NamePlaces {
  /** Whether the name added last has no pointer. */
  isInFull = false
  private message: Uint8Array = new Uint8Array(0)
  /** Until its name has been entered: where the question ends. */
  private questionEnd = 0
  /** For each offset the length of the name that begins there, written in full; 0: none is known to. */
  private readonly lengths = new Uint8Array(pointerMax + 1)

  /** Begins a message: its question's name is known. */
  open(message: Uint8Array, questionEnd: number): void {
    this.message = message
    this.questionEnd = questionEnd
  }

  /** Whether the pointer at `at` leads to a known name. The caller has checked that both bytes are there. */
  leadsToName(at: number): boolean {
    return this.restAt(at, at + 2) > 0
  }

  /**
   * Enters a name with all its endings.
   * @returns offset after it; -1 when it is malformed, goes beyond `end`, is too long, or leads to no known name
   */
  add(at: number, end: number): number {
    if (this.questionEnd > 0) this.begin()
    const { message } = this
    let next = at
    while (next < end) {
      const octet = u8(message, next)
      if (octet === 0 || octet > labelBytesMax) {
        this.isInFull = octet === 0
        const isKnown = this.enter(at, next, this.isInFull ? 1 : this.restAt(next, end))
        return isKnown ? next + (this.isInFull ? 1 : 2) : -1
      }
      next += octet + 1
    }
    return -1
  }

  /** Most messages have no other pointer than those to the question's name, so that places are looked at when one comes. */
  private begin(): void {
    const nameEnd = this.questionEnd - 4
    this.questionEnd = 0
    this.lengths.fill(0, 0, this.message.length)
    this.add(headerBytes, nameEnd)
  }

  /** @returns length of the name that the pointer at `at` leads to, in full; 0 when none is known */
  private restAt(at: number, end: number): number {
    if (this.questionEnd > 0) this.begin()
    if (at + 2 > end || u8(this.message, at) < pointerBits) return 0
    return this.lengths[u16(this.message, at) & pointerMax] as number
  }

  /** @param rest length of what follows the labels from `at` to `labelsEnd`, in full */
  private enter(at: number, labelsEnd: number, rest: number): boolean {
    const { message, lengths } = this
    if (rest === 0 || labelsEnd - at + rest > nameBytesMax) return false
    // Writes beyond the array, where no pointer reaches, do nothing.
    for (let from = at; from < labelsEnd; from += u8(message, from) + 1)
      lengths[from] = labelsEnd - from + rest
    return true
  }
}
