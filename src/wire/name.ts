/**
 * Domain names in a message: labels of arbitrary bytes, compressed or not. All walks are bounded and total. A pointer leads to a
 * prior occurrence of a name (RFC 1035 4.1.4): what it leads to begins and ends before the piece of the name that the pointer
 * stands in. So no loop can be built (RFC 9267), and no name runs on behind its own pointer into the fields of its record.
 * Letter case is folded for A-Z only (RFC 4343).
 */

import { u8, u16 } from './bytes.ts'
import { headerBytes, labelBytesMax, nameBytesMax } from './constants.ts'

/** `foldTable[byte]` is the byte in lower case; every byte but A-Z maps to itself. */
export const foldTable: Uint8Array = new Uint8Array(256).map((_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
)

/** Set in the first byte of a pointer (RFC 1035 4.1.4). */
export const pointerBits = 0xc0

/**
 * Callers follow it with `pieceStart` as the new end: there the piece that it leads to has ended.
 * @returns the target of the pointer at `at`, or -1 when it is no pointer, is cut off, or does not point strictly backwards
 */
export function pointerTarget(
  bytes: Uint8Array,
  at: number,
  end: number,
  pieceStart: number,
): number {
  if (at + 2 > end || (u8(bytes, at) & pointerBits) !== pointerBits) return -1
  const target = u16(bytes, at) & 0x3fff
  return target < pieceStart && target >= headerBytes ? target : -1
}

/**
 * Steps over a name without following its pointer.
 * @returns offset after the name, or -1 when it runs past `end`, has a reserved label type (0x40, 0x80) or points anywhere but
 *   backwards into the message body
 */
export function skipName(bytes: Uint8Array, at: number, end: number): number {
  let next = at
  while (next < end) {
    const octet = u8(bytes, next)
    if (octet === 0) return next + 1
    if (octet > labelBytesMax) {
      return pointerTarget(bytes, next, end, at) < 0 ? -1 : next + 2
    }
    next += octet + 1
  }
  return -1
}

/**
 * Writes a name without compression and in lower case.
 * @param out takes up to 255 bytes from `outAt`
 * @returns bytes written, or -1 for a name that is malformed or longer than 255 bytes
 */
export function copyFoldedName(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  outAt = 0,
): number {
  const length = copyName(bytes, at, end, out, outAt)
  for (let i = 0; i < length; i++) out[outAt + i] = foldTable[u8(out, outAt + i)] as number
  return length
}

/** Like `copyFoldedName`, with the letter case kept. */
export function copyName(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  outAt: number,
): number {
  let pieceStart = at
  let pieceEnd = end
  let from = at
  let written = 0
  while (from < pieceEnd) {
    const octet = u8(bytes, from)
    if (octet > labelBytesMax) {
      from = pointerTarget(bytes, from, pieceEnd, pieceStart)
      if (from < 0) return -1
      pieceEnd = pieceStart
      pieceStart = from
      continue
    }
    if (written + octet + 1 > nameBytesMax || from + octet + 1 > pieceEnd) return -1
    for (let i = 0; i <= octet; i++) out[outAt + written + i] = u8(bytes, from + i)
    written += octet + 1
    if (octet === 0) return written
    from += octet + 1
  }
  return -1
}

/**
 * Length of a name when written without compression, root byte included.
 * @param budget label steps that may still be spent on this message; the steps used are subtracted
 * @returns -1 for a malformed name or an exhausted budget
 */
export function nameLength(
  bytes: Uint8Array,
  at: number,
  end: number,
  budget: { steps: number },
): number {
  let pieceStart = at
  let pieceEnd = end
  let from = at
  let length = 0
  while (from < pieceEnd && budget.steps-- > 0) {
    const octet = u8(bytes, from)
    if (octet > labelBytesMax) {
      from = pointerTarget(bytes, from, pieceEnd, pieceStart)
      if (from < 0) return -1
      pieceEnd = pieceStart
      pieceStart = from
      continue
    }
    length += octet + 1
    if (length > nameBytesMax) return -1
    if (octet === 0) return length
    from += octet + 1
  }
  return -1
}

/** Whether uncompressed, folded `name` equals `ancestor` or lies below it. Compared label by label. */
export function isAtOrBelow(
  name: Uint8Array,
  nameBytes: number,
  ancestor: Uint8Array,
  ancestorBytes: number,
): boolean {
  let at = 0
  while (nameBytes - at > ancestorBytes) at += u8(name, at) + 1
  if (nameBytes - at !== ancestorBytes) return false
  for (let i = 0; i < ancestorBytes; i++) {
    if (name[at + i] !== ancestor[i]) return false
  }
  return true
}

/**
 * Presentation form with a trailing dot (RFC 1035 5.1). Everything but letters, digits, `-` and `_` is written as `\DDD`, so the
 * text has no control bytes and no quotes, whatever a client sent.
 * @returns `'?'` for a malformed name
 */
export function presentName(bytes: Uint8Array, at: number, end = bytes.length): string {
  const name = new Uint8Array(nameBytesMax)
  const length = copyFoldedName(bytes, at, end, name)
  if (length < 0) return '?'
  if (length === 1) return '.'
  let text = ''
  for (let from = 0; from < length - 1; ) {
    const label = u8(name, from)
    for (let i = 1; i <= label; i++) text += presentOctet(u8(name, from + i))
    text += '.'
    from += label + 1
  }
  return text
}

function presentOctet(octet: number): string {
  const isPlain =
    (octet >= 0x61 && octet <= 0x7a) ||
    (octet >= 0x30 && octet <= 0x39) ||
    octet === 0x2d ||
    octet === 0x5f
  return isPlain ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, '0')}`
}

/**
 * Reads the presentation form, with `\DDD` and `\X` escapes, trailing dot optional.
 * @returns the folded wire form, or undefined when a label is empty or longer than 63 bytes, the name longer than 255, or an
 *   escape is broken
 */
export function parseName(text: string): Uint8Array | undefined {
  if (text === '.' || text === '') return new Uint8Array([0])
  const labels = splitLabels(text)
  if (labels === undefined) return undefined
  const wire: number[] = []
  for (const label of labels) {
    if (label.length < 1 || label.length > labelBytesMax) return undefined
    wire.push(label.length, ...label)
  }
  wire.push(0)
  return wire.length <= nameBytesMax ? Uint8Array.from(wire) : undefined
}

/**
 * Reads a name that the caller knows to be one: written in the source, or checked before.
 * @returns as `parseName`
 * @throws when the text is no name
 */
export function wireName(text: string): Uint8Array {
  const name = parseName(text)
  if (name === undefined) throw new Error(`"${text}" is no domain name`)
  return name
}

function splitLabels(text: string): number[][] | undefined {
  const labels: number[][] = []
  let label: number[] = []
  // An escape, or any one character; characters outside ASCII count as their UTF-8 bytes.
  for (const [token] of text.matchAll(/\\\d{3}|\\.|./gsu)) {
    if (token === '.') {
      labels.push(label)
      label = []
    } else {
      const octets = tokenOctets(token)
      if (octets === undefined) return undefined
      label.push(...octets)
    }
  }
  if (label.length > 0) labels.push(label)
  return labels
}

function tokenOctets(token: string): number[] | undefined {
  if (token === '\\') return undefined
  if (/^\\\d{3}$/.test(token)) {
    const value = Number(token.slice(1))
    return value <= 255 ? [foldTable[value] as number] : undefined
  }
  const plain = token.startsWith('\\') ? token.slice(1) : token
  return [...Buffer.from(plain, 'utf8')].map((octet) => foldTable[octet] as number)
}
