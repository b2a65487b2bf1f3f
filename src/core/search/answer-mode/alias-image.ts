/**
 * Writes the answer of one name as the answer of another name that is an alias of it: the CNAME first, then the chain and the
 * addresses in the order in which a stub follows them (glibc looks at each record once, and never goes back). For answer mode
 * (SP-23).
 */
import { putU16, putU32, u16 } from '../../../wire/bytes.ts'
import {
  Flag1,
  Flag2,
  headerBytes,
  messageBytesMax,
  nameBytesMax,
  RrClass,
  RrType,
  recordFixedBytes,
} from '../../../wire/constants.ts'
import { copyFoldedName, copyName, skipName } from '../../../wire/name.ts'
import { ResponseScan, scanResponse } from '../../../wire/scan.ts'

/** An answer whose TTLs are yet to be written. */
export interface AliasImage {
  readonly image: Buffer
  /** Offsets of all TTLs, and of the MINIMUM of the SOA. */
  readonly ttlAt: readonly number[]
  readonly hasAddress: boolean
}

export interface Alias {
  /** Folded wire form, one character a byte. */
  readonly name: string
  readonly target: string
  /** A or AAAA. */
  readonly qtype: number
}

/**
 * @param answer of `target`, NOERROR
 * @returns undefined when the answer is not safe to follow: it must be a chain in order with addresses or an SOA at its end
 */
export function aliasImage(alias: Alias, answer: Uint8Array): AliasImage | undefined {
  if (!scanResponse(answer, answer.length, scan)) return undefined
  return new AliasWriter(alias).write(answer)
}

const scan = new ResponseScan()
const owner = new Uint8Array(nameBytesMax)
/** A compression pointer has 14 bits. */
const pointerMax = 0x3fff

class AliasWriter {
  private readonly alias: Alias
  private readonly parts: Buffer[] = []
  private bytes = 0
  private readonly ttlAt: number[] = []
  private addresses = 0
  private answers = 0
  /** Owner name that the next record must have, and its offset. */
  private expected = ''
  private expectedAt = headerBytes

  constructor(alias: Alias) {
    this.alias = alias
  }

  write(answer: Uint8Array): AliasImage | undefined {
    const { alias } = this
    this.push(Buffer.alloc(headerBytes))
    this.push(Buffer.from(alias.name, 'latin1'))
    this.push(pairOf(alias.qtype, RrClass.in))
    this.writeCname(Buffer.from(alias.target, 'latin1'))
    for (let i = 0; i < scan.answers; i++) if (!this.writeAnswer(answer, i)) return undefined
    const hasAddress = this.addresses > 0
    if (!hasAddress && !this.writeSoa(answer)) return undefined
    if (this.expectedAt > pointerMax || this.bytes > messageBytesMax) return undefined
    const image = Buffer.concat(this.parts)
    image[2] = Flag1.qr
    image[3] = Flag2.ra
    putU16(image, 4, 1)
    putU16(image, 6, this.answers)
    putU16(image, 8, hasAddress ? 0 : 1)
    return { image, ttlAt: this.ttlAt, hasAddress }
  }

  private writeAnswer(answer: Uint8Array, index: number): boolean {
    const ownerBytes = copyFoldedName(answer, scan.ownerAt[index] as number, scan.end, owner)
    if (ownerBytes < 0 || textOf(owner, ownerBytes) !== this.expected) return false
    const typeAt = scan.typeAt[index] as number
    const type = u16(answer, typeAt)
    const dataAt = typeAt + recordFixedBytes
    if (type === RrType.cname) {
      if (this.addresses > 0) return false
      const target = readName(answer, dataAt)
      if (target !== undefined) this.writeCname(target)
      return target !== undefined
    }
    if (type !== this.alias.qtype) return false
    this.writeRecord(type, Buffer.from(answer.subarray(dataAt, dataAt + u16(answer, typeAt + 8))))
    this.addresses += 1
    return true
  }

  private writeCname(target: Buffer): void {
    this.writeRecord(RrType.cname, target)
    this.expectedAt = this.bytes - target.length
    copyFoldedName(target, 0, target.length, owner)
    this.expected = textOf(owner, target.length)
  }

  /** Writes a record of the expected owner name. */
  private writeRecord(type: number, data: Buffer): void {
    this.push(pairOf(0xc000 | this.expectedAt, type))
    this.push(pairOf(RrClass.in, 0))
    this.ttlAt.push(this.bytes - 2)
    this.push(pairOf(0, data.length))
    this.push(data)
    this.answers += 1
  }

  private writeSoa(answer: Uint8Array): boolean {
    if (scan.soaIndex < 0) return false
    const zone = readName(answer, scan.ownerAt[scan.soaIndex] as number)
    const mnameAt = (scan.typeAt[scan.soaIndex] as number) + recordFixedBytes
    const mname = readName(answer, mnameAt)
    const rnameAt = skipName(answer, mnameAt, scan.end)
    const rname = rnameAt < 0 ? undefined : readName(answer, rnameAt)
    const numbersAt = rnameAt < 0 ? -1 : skipName(answer, rnameAt, scan.end)
    if (zone === undefined || mname === undefined || rname === undefined) return false
    if (numbersAt < 0 || numbersAt + 20 > scan.end) return false
    const data = Buffer.concat([mname, rname, answer.subarray(numbersAt, numbersAt + 20)])
    this.push(zone)
    this.push(pairOf(RrType.soa, RrClass.in))
    this.ttlAt.push(this.bytes)
    this.push(Buffer.alloc(4))
    const length = Buffer.alloc(2)
    putU16(length, 0, data.length)
    this.push(length)
    this.push(data)
    this.ttlAt.push(this.bytes - 4)
    return true
  }

  private push(part: Buffer): void {
    this.parts.push(part)
    this.bytes += part.length
  }
}

/** @param seconds for all records, at most the remaining life of the evidence */
export function writeTtls({ image, ttlAt }: AliasImage, seconds: number): void {
  for (const at of ttlAt) putU32(image, at, seconds)
}

function pairOf(first: number, second: number): Buffer {
  const octets = Buffer.alloc(4)
  putU16(octets, 0, first)
  putU16(octets, 2, second)
  return octets
}

/** Uncompressed, letter case kept. */
function readName(message: Uint8Array, at: number): Buffer | undefined {
  const name = Buffer.alloc(nameBytesMax)
  const bytes = copyName(message, at, scan.end, name, 0)
  return bytes < 0 ? undefined : name.subarray(0, bytes)
}

function textOf(octets: Uint8Array, bytes: number): string {
  return Buffer.from(octets.buffer, octets.byteOffset, bytes).toString('latin1')
}
