/**
 * Changes an image record by record: its question, owners, the name that data lead to, TTLs and RCODE. Everything else is copied. Names are
 * compressed anew, since what a pointer led to may read otherwise now.
 */
import { putU16, putU32, u8, u16 } from './bytes.ts'
import {
  Flag2,
  headerBytes,
  messageBytesMax,
  nameBytesMax,
  RrType,
  recordFixedBytes,
} from './constants.ts'
import { copyFoldedName } from './name.ts'
import { NameForm, NameWriter } from './name-writer.ts'
import { type DataPart, layoutOf, Part, skipPart } from './record-data.ts'
import { ResponseScan, readTtl, scanResponse } from './scan.ts'

/** @param name folded wire form, overwritten later. @returns `name` itself when it stays; undefined: the new text is no name */
export type Rename = (name: Uint8Array) => Uint8Array | undefined

/** What is absent stays as it is. */
export interface ImageEdits {
  readonly owner?: Rename
  /** The first name in the data of CNAME, DNAME, MX, NAPTR, NS, PTR, SOA and SRV. */
  readonly value?: Rename
  readonly ttl?: (seconds: number) => number
  /** At most 15. */
  readonly rcode?: (rcode: number) => number
  /** A records of the answer become AAAA records. Nobody has validated them, so AD is cleared. */
  readonly toIpv6?: ToIpv6
}

export interface ToIpv6 {
  /** @returns 16 bytes */
  readonly translate: (address: Uint8Array) => Uint8Array
  readonly ttlSecondsMax: number
}

/** Data of these types lead to the name that comes first in them. */
const leading: ReadonlySet<number> = new Set([
  RrType.cname,
  RrType.dname,
  RrType.mx,
  RrType.naptr,
  RrType.ns,
  RrType.ptr,
  RrType.soa,
  RrType.srv,
])

const opaque = [Part.rest]
const scan = new ResponseScan()
const writer = new NameWriter()
const scratch = new Uint8Array(nameBytesMax)
const out = Buffer.allocUnsafeSlow(messageBytesMax)

/**
 * @param image without OPT
 * @param question section that takes the place of the image's own: name, type and class
 * @returns a message of its own; undefined when the image is malformed, a new name is none, or the whole is too long
 */
export function reviseImage(
  image: Buffer,
  question: Uint8Array,
  edits: ImageEdits,
): Buffer | undefined {
  if (!scanResponse(image, image.length, scan)) return undefined
  image.copy(out, 0, 0, headerBytes)
  const flags = u8(image, 3) & (edits.toIpv6 === undefined ? 0xf0 : 0xf0 & ~Flag2.ad)
  const rcode = scan.rcode & 0x0f
  out[3] = flags | (edits.rcode?.(rcode) ?? rcode)
  out.set(question, headerBytes)
  writer.open(out, headerBytes + question.length)
  for (let i = 0; i < scan.records; i++) if (!writeRecord(image, i, edits)) return undefined
  return Buffer.from(out.subarray(0, writer.to))
}

function writeRecord(image: Buffer, index: number, edits: ImageEdits): boolean {
  const ownerAt = scan.ownerAt[index] as number
  const typeAt = scan.typeAt[index] as number
  const dataAt = typeAt + recordFixedBytes
  const dataEnd = scan.ownerAt[index + 1] as number
  if (!writeName(image, ownerAt, scan.end, NameForm.owner, edits.owner)) return false
  const fixedAt = writer.to
  if (!copy(image, typeAt, dataAt)) return false
  const ttl = readTtl(image, typeAt + 4)
  putU32(out, fixedAt + 4, edits.ttl?.(ttl) ?? ttl)
  const type = u16(image, typeAt)
  if (edits.toIpv6 !== undefined && type === RrType.a && index < scan.answers)
    return writeTranslated(image.subarray(dataAt, dataEnd), fixedAt, edits.toIpv6)
  if (!writeData(image, type, dataAt, dataEnd, edits.value)) return false
  putU16(out, fixedAt + 8, writer.to - fixedAt - recordFixedBytes)
  return true
}

/** @param fixedAt where the type of the record stands that has been begun */
function writeTranslated(
  address: Buffer,
  fixedAt: number,
  { translate, ttlSecondsMax }: ToIpv6,
): boolean {
  const octets = translate(address)
  if (address.length !== 4 || writer.to + octets.length > out.length) return false
  putU16(out, fixedAt, RrType.aaaa)
  putU32(out, fixedAt + 4, Math.min(readTtl(out, fixedAt + 4), ttlSecondsMax))
  putU16(out, fixedAt + 8, octets.length)
  out.set(octets, writer.to)
  writer.to += octets.length
  return true
}

function writeData(
  image: Buffer,
  type: number,
  from: number,
  end: number,
  rename: Rename | undefined,
): boolean {
  let change = leading.has(type) ? rename : undefined
  let at = from
  for (const part of layoutOf(type) ?? opaque) {
    const next = skipPart(image, part, at, end)
    const form = formOf(part)
    const isWritten =
      next >= 0 &&
      (form === undefined ? copy(image, at, next) : writeName(image, at, end, form, change))
    if (!isWritten) return false
    if (form !== undefined) change = undefined
    at = next
  }
  return at === end
}

/** @returns undefined for what is no name */
function formOf(part: DataPart): NameForm | undefined {
  if (part === Part.packedName) return NameForm.data
  return part === Part.fullName ? NameForm.full : undefined
}

/** A name that stays keeps its letters. */
function writeName(
  image: Buffer,
  at: number,
  end: number,
  form: NameForm,
  rename: Rename | undefined,
): boolean {
  if (rename === undefined) return writer.append(image, at, end, form)
  const bytes = copyFoldedName(image, at, end, scratch)
  if (bytes < 0) return false
  const name = scratch.subarray(0, bytes)
  const renamed = rename(name)
  if (renamed === undefined) return false
  return renamed === name
    ? writer.append(image, at, end, form)
    : writer.append(renamed, 0, renamed.length, form)
}

function copy(image: Buffer, from: number, end: number): boolean {
  const bytes = end - from
  if (writer.to + bytes > out.length) return false
  image.copy(out, writer.to, from, end)
  writer.to += bytes
  return true
}
