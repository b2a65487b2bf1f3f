/** Writes records of scanned messages into a new one: names compressed as far as they may be, data checked (RFC 3597 4). */
import { putU16, u8, u16 } from './bytes.ts'
import { headerBytes, recordFixedBytes } from './constants.ts'
import { NameForm, NameWriter, pointerMax } from './name-writer.ts'
import { layoutOf, Part, skipPart } from './record-data.ts'
import type { ResponseScan } from './scan.ts'

/** Below this a loop is cheaper than `copy`, which calls into C++. */
const loopBytesMax = 32

const opaque = [Part.rest]

export class RecordWriter {
  private readonly names = new NameWriter()
  private source: Buffer = Buffer.alloc(0)
  private sourceEnd = 0
  /** The owner written last, in the source; no bytes when no pointer reaches what was written. */
  private ownerAt = 0
  private ownerBytes = 0
  private ownerPlace = 0

  /** Begins a message: parameters as in `NameWriter.open`. */
  open(out: Buffer, to: number): void {
    this.names.open(out, to)
  }

  /** Offset after the last byte written. */
  get to(): number {
    return this.names.to
  }

  /**
   * Sets the message that records are taken from.
   * @param isSameQuestion its question is the one of the message being written
   */
  readFrom(source: Buffer, scan: ResponseScan, isSameQuestion: boolean): void {
    this.source = source
    this.sourceEnd = scan.end
    this.ownerAt = headerBytes
    this.ownerPlace = headerBytes
    const isUsable = isSameQuestion && u8(source, headerBytes) !== 0
    this.ownerBytes = isUsable ? scan.questionEnd - 4 - headerBytes : 0
  }

  /** Appends a record. @returns false when it is malformed, or has no room */
  write(scan: ResponseScan, index: number): boolean {
    const { names, source } = this
    const typeAt = scan.typeAt[index] as number
    const dataAt = typeAt + recordFixedBytes
    const dataEnd = dataAt + u16(source, typeAt + 8)
    const ownerAt = scan.ownerAt[index] as number
    if (!this.writeOwner(ownerAt, typeAt - ownerAt)) return false
    if (!this.copy(typeAt, dataAt)) return false
    const from = names.to
    if (!this.writeData(layoutOf(u16(source, typeAt)) ?? opaque, dataAt, dataEnd)) return false
    putU16(names.out, from - 2, names.to - from)
    return true
  }

  /** Records of a set follow one another, all with the same owner in the same spelling. */
  private writeOwner(at: number, bytes: number): boolean {
    const { names, source } = this
    if (this.isOwnerAgain(at, bytes)) return names.point(this.ownerPlace)
    if (!names.append(source, at, this.sourceEnd, NameForm.owner)) return false
    this.ownerAt = at
    this.ownerPlace = names.place
    // The root is shorter than a pointer to it.
    const isReachable = names.place <= pointerMax && u8(names.out, names.place) !== 0
    this.ownerBytes = isReachable ? bytes : 0
    return true
  }

  /** Pointers count from the start of the message, so equal bytes are equal names. */
  private isOwnerAgain(at: number, bytes: number): boolean {
    const { source, ownerAt } = this
    if (bytes !== this.ownerBytes) return false
    for (let i = 0; i < bytes; i++) if (source[at + i] !== source[ownerAt + i]) return false
    return true
  }

  private writeData(layout: readonly number[], from: number, end: number): boolean {
    const { source, names } = this
    let at = from
    for (const part of layout) {
      const next = skipPart(source, part, at, end)
      if (next < 0) return false
      if (part === Part.packedName || part === Part.fullName) {
        const form = part === Part.packedName ? NameForm.data : NameForm.full
        if (!names.append(source, at, end, form)) return false
      } else if (!this.copy(at, next)) {
        return false
      }
      at = next
    }
    return at === end
  }

  private copy(from: number, end: number): boolean {
    const { source, names } = this
    const { out, to } = names
    const bytes = end - from
    if (to + bytes > out.length) return false
    if (bytes > loopBytesMax) source.copy(out, to, from, end)
    else for (let i = 0; i < bytes; i++) out[to + i] = source[from + i] as number
    names.to = to + bytes
    return true
  }
}
