/** Writes records of scanned messages into a new one: names compressed as far as they may be, data checked (RFC 3597 4). */
import { putU16, u8, u16 } from './bytes.ts'
import { recordFixedBytes } from './constants.ts'
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
  /** Offset in the source of the owner written last; -1 when no pointer reaches what was written. */
  private ownerAt = -1
  private ownerPlace = 0

  /** Begins a message: parameters and result as in `NameWriter.open`. */
  open(out: Buffer, to: number): boolean {
    return this.names.open(out, to)
  }

  /** Offset after the last byte written. */
  get to(): number {
    return this.names.to
  }

  /** Sets the message that records are taken from. */
  readFrom(source: Buffer, scan: ResponseScan): void {
    this.source = source
    this.sourceEnd = scan.end
    this.ownerAt = -1
  }

  /** Appends a record. @returns false when it is malformed, or has no room */
  write(scan: ResponseScan, index: number): boolean {
    const { names, source } = this
    const typeAt = scan.typeAt[index] as number
    const dataAt = typeAt + recordFixedBytes
    const dataEnd = dataAt + u16(source, typeAt + 8)
    if (!this.writeOwner(scan.ownerAt[index] as number)) return false
    if (!this.copy(typeAt, dataAt)) return false
    const from = names.to
    if (!this.writeData(layoutOf(u16(source, typeAt)) ?? opaque, dataAt, dataEnd)) return false
    putU16(names.out, from - 2, names.to - from)
    return true
  }

  /** Records of a set follow one another, all with the same owner in the same spelling. */
  private writeOwner(at: number): boolean {
    const { names, source, ownerAt } = this
    if (ownerAt >= 0 && isSameSpelling(source, ownerAt, at)) return names.point(this.ownerPlace)
    if (!names.append(source, at, this.sourceEnd, NameForm.owner)) return false
    this.ownerPlace = names.place
    // The root is shorter than a pointer to it.
    const isReachable = names.place <= pointerMax && u8(source, at) !== 0
    this.ownerAt = isReachable ? at : -1
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
    else for (let i = 0; i < bytes; i++) out[to + i] = u8(source, from + i)
    names.to = to + bytes
    return true
  }
}

/** Whether two sound names are written in the same bytes. */
function isSameSpelling(bytes: Uint8Array, one: number, other: number): boolean {
  for (let at = 0; ; ) {
    const octet = u8(bytes, one + at)
    if (octet !== u8(bytes, other + at)) return false
    if (octet === 0) return true
    if (octet >= 0xc0) return u8(bytes, one + at + 1) === u8(bytes, other + at + 1)
    for (let i = at + 1; i <= at + octet; i++) {
      if (u8(bytes, one + i) !== u8(bytes, other + i)) return false
    }
    at += octet + 1
  }
}
