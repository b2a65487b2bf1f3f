/**
 * Netlink attributes: type, length and value, padded to four bytes, nested when the value is a list of attributes
 * (include/uapi/linux/netlink.h). Numbers of nf_tables are big-endian. Pure.
 */

const headerBytes = 4
const nestedBit = 0x8000
const typeMask = 0x3fff

/** One attribute. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const length = headerBytes + value.length
  const made = Buffer.alloc((length + 3) & ~3)
  made.writeUInt16LE(length, 0)
  made.writeUInt16LE(type, 2)
  made.set(value, headerBytes)
  return made
}

export function nested(type: number, ...inner: readonly Buffer[]): Buffer {
  return attribute(type | nestedBit, Buffer.concat(inner))
}

/** A text with its closing NUL. */
export function text(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`, 'latin1'))
}

/** @param value also negative numbers, as two's complement */
export function number32(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return attribute(type, bytes)
}

export function number64(type: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return attribute(type, bytes)
}

/** Attributes by type; the last of several with one type. Values are views. */
export type Attributes = ReadonlyMap<number, Buffer>

export function readAttributes(bytes: Buffer): Attributes {
  return new Map(eachAttribute(bytes))
}

/** All attributes in order, repeated types included, because lists repeat one. */
export function* eachAttribute(bytes: Buffer): Generator<[type: number, value: Buffer]> {
  let at = 0
  while (at + headerBytes <= bytes.length) {
    const length = bytes.readUInt16LE(at)
    if (length < headerBytes || at + length > bytes.length) return
    yield [bytes.readUInt16LE(at + 2) & typeMask, bytes.subarray(at + headerBytes, at + length)]
    at += (length + 3) & ~3
  }
}

export function readText(value: Buffer | undefined): string {
  if (value === undefined) return ''
  const end = value.indexOf(0)
  return value.toString('latin1', 0, end < 0 ? value.length : end)
}

/** @returns undefined when the attribute is missing or short */
export function readNumber32(value: Buffer | undefined): number | undefined {
  return value !== undefined && value.length >= 4 ? value.readInt32BE(0) : undefined
}

export function readNumber64(value: Buffer | undefined): bigint | undefined {
  return value !== undefined && value.length >= 8 ? value.readBigUInt64BE(0) : undefined
}
