/**
 * Unchecked big-endian access. Callers compare the offset with the length first: inside `wire/` that comparison stands directly
 * above each use, so the reads here need no second one.
 */

export function u8(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

/** Unsigned: TTLs of 2^31 and above stay positive (`<<` alone would make them negative). */
export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2)
}

export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value & 0xff
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, Math.floor(value / 0x1_0000))
  putU16(bytes, at + 2, value % 0x1_0000)
}
