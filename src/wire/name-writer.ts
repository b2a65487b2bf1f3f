/**
 * Writes names into a message, compressed: a name or the rest of one that stands in the message already becomes a pointer to it
 * (RFC 1035 4.1.4). Total, with bounded work: what would cost too much is written in full, a name that is malformed is refused.
 */
import { putU16, u8, u16 } from './bytes.ts'
import { headerBytes, labelBytesMax, nameBytesMax } from './constants.ts'
import { foldTable, pointerTarget } from './name.ts'

/** How a name is written. */
export const NameForm = {
  /** Compressed; letter case does not matter (RFC 4343). */
  owner: 0,
  /** Compressed where the letters are the same: the case of names in data is kept. */
  data: 1,
  /** In full. Later names may point to it. */
  full: 2,
} as const
export type NameForm = (typeof NameForm)[keyof typeof NameForm]

const labelsMax = 127
/** Pointers have 14 bits (RFC 1035 4.1.4). */
export const pointerMax = 0x3fff
const slotBits = 12
/** Half of the slots, so that a look-up takes few steps. */
const placesMax = 2 ** (slotBits - 1)
const probesMax = 8
const generationMax = 2 ** 18 - 1

/**
 * Labels read and compared for one message. Answers of 64 KiB stay far below this; 5,436 pointers to one name of 126 labels would be
 * 685,000.
 */
const stepsMax = 65_536

export class NameWriter {
  /** The message being written. */
  out: Buffer = Buffer.alloc(0)
  /** Offset after its last byte. */
  to = 0
  /** Where the name appended last stands; above `pointerMax` it is out of reach of pointers. */
  place = 0
  /** The name read last, written out. */
  private readonly name = new Uint8Array(nameBytesMax)
  private readonly labelAt = new Uint8Array(labelsMax)
  private readonly hashes = new Int32Array(labelsMax)
  private labels = 0
  private nameBytes = 0
  /** Places of names, found by their hashes: number of the message times 2^14, plus the offset. */
  private readonly slots = new Uint32Array(2 ** slotBits)
  private generation = 0
  private places = 0
  /** Until the question's name has been read: where it ends. */
  private questionEnd = 0
  private readsLeft = 0
  private comparisonsLeft = 0

  /**
   * Begins a message.
   * @param out holds header and question
   * @param to offset after the question
   */
  open(out: Buffer, to: number): void {
    this.out = out
    this.to = to
    this.questionEnd = to
  }

  /** Most messages have no name but the question's, so that it is looked at when another one comes. */
  private begin(): boolean {
    const { out, questionEnd } = this
    this.questionEnd = 0
    this.places = 0
    this.readsLeft = stepsMax
    this.comparisonsLeft = stepsMax
    this.generation += 1
    if (this.generation > generationMax) {
      this.slots.fill(0)
      this.generation = 1
    }
    if (!this.read(out, headerBytes, questionEnd)) return false
    this.hash()
    this.remember(this.labels, headerBytes)
    return true
  }

  /** Appends a name. @returns false when it is malformed, or has no room */
  append(source: Uint8Array, at: number, end: number, form: NameForm): boolean {
    if (this.questionEnd > 0 && !this.begin()) return false
    if (!this.read(source, at, end)) return false
    this.hash()
    const { out, to, name, labels, labelAt } = this
    let known = 0
    let target = -1
    for (; known < labels; known++) {
      target = this.find(known, form !== NameForm.owner)
      if (target >= 0) break
    }
    const isWhole = form === NameForm.full || target < 0
    const written = isWhole ? this.nameBytes : (labelAt[known] as number)
    if (to + written > out.length) return false
    for (let i = 0; i < written; i++) out[to + i] = name[i] as number
    this.to = to + written
    this.place = known === 0 && target >= 0 ? target : to
    this.remember(known, to)
    return isWhole || this.point(target)
  }

  /** Appends a pointer. @param place up to `pointerMax`. @returns false when there is no room */
  point(place: number): boolean {
    if (this.to + 2 > this.out.length) return false
    putU16(this.out, this.to, 0xc000 | place)
    this.to += 2
    return true
  }

  private read(source: Uint8Array, at: number, end: number): boolean {
    const { name, labelAt } = this
    let pieceStart = at
    let pieceEnd = end
    let from = at
    let bytes = 0
    let labels = 0
    while (from < pieceEnd && this.readsLeft-- > 0) {
      const octet = u8(source, from)
      if (octet > labelBytesMax) {
        from = pointerTarget(source, from, pieceEnd, pieceStart)
        if (from < 0) return false
        pieceEnd = pieceStart
        pieceStart = from
        continue
      }
      if (bytes + octet + 1 > nameBytesMax || from + octet + 1 > pieceEnd) return false
      for (let i = 0; i <= octet; i++) name[bytes + i] = source[from + i] as number
      if (octet === 0) {
        this.labels = labels
        this.nameBytes = bytes + 1
        return true
      }
      labelAt[labels] = bytes
      labels += 1
      bytes += octet + 1
      from += octet + 1
    }
    return false
  }

  /** Hashes each ending of the name, folded. Label lengths are below 64, so folding never changes them. */
  private hash(): void {
    const { name, labelAt, hashes } = this
    let hash = 0
    for (let label = this.labels - 1; label >= 0; label--) {
      const from = labelAt[label] as number
      const end = from + u8(name, from)
      for (let i = from; i <= end; i++)
        hash = Math.imul(hash ^ (foldTable[name[i] as number] as number), 0x0100_0193)
      hashes[label] = hash
    }
  }

  private slotOf(label: number): number {
    return Math.imul(this.hashes[label] as number, 0x9e37_79b1) >>> (32 - slotBits)
  }

  /** @returns where the name's ending from `label` on stands in the message, or -1 */
  private find(label: number, isExact: boolean): number {
    const { slots, generation } = this
    let slot = this.slotOf(label)
    for (let i = 0; i < probesMax; i++) {
      const found = slots[slot] as number
      if (found >>> 14 !== generation) return -1
      const place = found & pointerMax
      if (this.isAt(place, this.labelAt[label] as number, isExact)) return place
      slot = (slot + 1) & (slots.length - 1)
    }
    return -1
  }

  private isAt(place: number, nameAt: number, isExact: boolean): boolean {
    const { out, name } = this
    let at = place
    let from = nameAt
    for (;;) {
      const octet = u8(out, at)
      if (octet > labelBytesMax) {
        at = u16(out, at) & pointerMax
        continue
      }
      if (octet !== u8(name, from) || this.comparisonsLeft-- <= 0) return false
      if (octet === 0) return true
      for (let i = 1; i <= octet; i++) {
        const [one, other] = [u8(out, at + i), u8(name, from + i)]
        if (one !== other && (isExact || foldTable[one] !== foldTable[other])) return false
      }
      at += octet + 1
      from += octet + 1
    }
  }

  /** Notes where the endings from the first `labels` labels on stand; the name begins at `at`. */
  private remember(labels: number, at: number): void {
    const { slots } = this
    for (let label = 0; label < labels && this.places < placesMax; label++) {
      const place = at + (this.labelAt[label] as number)
      if (place > pointerMax) return
      let slot = this.slotOf(label)
      for (let i = 0; i < probesMax; i++) {
        if ((slots[slot] as number) >>> 14 !== this.generation) {
          slots[slot] = this.generation * 0x4000 + place
          this.places += 1
          break
        }
        slot = (slot + 1) & (slots.length - 1)
      }
    }
  }
}
