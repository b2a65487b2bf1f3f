/** Record data in presentation form to bytes, for the types that people write into templates. Others are written as RFC 3597 5 says. */
import { addressBytes, parseIpAddress } from '../../address/ip-address.ts'
import type { Parsed } from '../../config/address.ts'
import { RrType } from '../../wire/constants.ts'
import { parseName } from '../../wire/name.ts'
import { octetsOf } from './tokens.ts'

/** One field of record data. */
interface Field {
  readonly what: string
  /** @returns undefined for a text that is no such field */
  readonly read: (text: string) => ArrayLike<number> | undefined
  /** It takes all words that are left, at least one. */
  readonly isRest?: boolean
  /** Its words are one text, without blanks. */
  readonly isJoined?: boolean
}

const name: Field = { what: 'a domain name', read: parseName }
const u8 = whole(1)
const u16 = whole(2)
const seconds: Field = {
  what: 'a number of seconds',
  read: (text) => {
    const value = readSeconds(text)
    return value === undefined ? undefined : bigEndian(value, 4)
  },
}
const string: Field = {
  what: 'a text of at most 255 bytes',
  read: (text) => {
    const octets = octetsOf(text)
    return octets === undefined || octets.length > 255 ? undefined : [octets.length, ...octets]
  },
}
/** Longer texts are cut into several, as CoreDNS's library does. */
const strings: Field = { what: 'texts', isRest: true, read: readStrings }
const hex: Field = {
  what: 'hexadecimal digits',
  isRest: true,
  isJoined: true,
  read: (text) => (/^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : undefined),
}
const untilEnd: Field = { what: 'a text', read: octetsOf }

const fields: ReadonlyMap<number, readonly Field[]> = new Map([
  [RrType.a, [address(4)]],
  [RrType.aaaa, [address(6)]],
  [RrType.ns, [name]],
  [RrType.cname, [name]],
  [RrType.dname, [name]],
  [RrType.ptr, [name]],
  [RrType.mx, [u16, name]],
  [RrType.txt, [strings]],
  [RrType.spf, [strings]],
  [RrType.hinfo, [string, string]],
  [RrType.rp, [name, name]],
  [RrType.soa, [name, name, whole(4), seconds, seconds, seconds, seconds]],
  [RrType.srv, [u16, u16, u16, name]],
  [RrType.naptr, [u16, u16, string, string, string, name]],
  [RrType.ds, [u16, u8, u8, hex]],
  [RrType.sshfp, [u8, u8, hex]],
  [RrType.tlsa, [u8, u8, u8, hex]],
  [RrType.uri, [u16, u16, untilEnd]],
  [RrType.caa, [u8, string, untilEnd]],
])

/** @param words those after the type */
export function readData(
  type: number,
  typeText: string,
  words: readonly string[],
): Parsed<Uint8Array> {
  if (words[0] === '\\#') return readUnknown(words)
  const expected = fields.get(type)
  if (expected === undefined)
    return {
      ok: false,
      why: `data of type ${typeText} must be written as \\# LENGTH HEX (RFC 3597 5)`,
    }
  const octets: number[] = []
  let next = 0
  for (const field of expected) {
    const taken = field.isRest === true ? words.slice(next) : words.slice(next, next + 1)
    const text = textOf(field, taken)
    const read = taken.length === 0 ? undefined : field.read(text)
    if (read === undefined) {
      const found = taken.length === 0 ? 'nothing' : JSON.stringify(text)
      return { ok: false, why: `data of type ${typeText}: expected ${field.what}, found ${found}` }
    }
    octets.push(...Array.from(read))
    next += taken.length
  }
  if (next === words.length) return { ok: true, value: Uint8Array.from(octets) }
  return {
    ok: false,
    why: `data of type ${typeText}: too much from ${JSON.stringify(words[next])} on`,
  }
}

function textOf({ isRest, isJoined }: Field, words: readonly string[]): string {
  if (isJoined === true) return words.join('')
  return isRest === true ? words.join('\n') : (words[0] ?? '')
}

function readUnknown(words: readonly string[]): Parsed<Uint8Array> {
  const [, length, ...digits] = words
  const text = digits.join('')
  const isRight = /^(?:[0-9a-f]{2})*$/i.test(text) && Number(length) * 2 === text.length
  if (isRight) return { ok: true, value: Buffer.from(text, 'hex') }
  return {
    ok: false,
    why: '\\# must be followed by a length and as many bytes in hexadecimal digits',
  }
}

/** @param text the texts, one a line */
function readStrings(text: string): number[] | undefined {
  const data: number[] = []
  for (const line of text.split('\n')) {
    const octets = octetsOf(line)
    if (octets === undefined) return undefined
    for (let at = 0; at === 0 || at < octets.length; at += 255) {
      const part = octets.slice(at, at + 255)
      data.push(part.length, ...part)
    }
  }
  return data
}

function whole(bytes: number): Field {
  const max = 256 ** bytes - 1
  return {
    what: `a number from 0 to ${max}`,
    read: (text) => {
      const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
      return value > max ? undefined : bigEndian(value, bytes)
    },
  }
}

function address(family: 4 | 6): Field {
  return {
    what: `an IPv${family} address`,
    read: (text) => {
      const parsed = parseIpAddress(text)
      if (parsed === undefined) return undefined
      // An IPv4-mapped address is written as IPv6, and is one in an AAAA record.
      if (parsed.family === 4 && family === 6 && text.includes(':'))
        return [...new Uint8Array(10), 255, 255, ...addressBytes(parsed.address)]
      const isMapped = text.includes(':') && family === 4
      return parsed.family !== family || isMapped ? undefined : addressBytes(parsed.address)
    },
  }
}

function bigEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) % 256)
}

const unitSeconds: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
}

/** Seconds, or a sum with units: `1h30m`. @returns undefined for another text, or more than 32 bits */
export function readSeconds(text: string): number | undefined {
  if (!/^(?:\d{1,10}[smhdw])*(?:\d{1,10})?$/i.test(text) || text === '') return undefined
  let sum = 0
  for (const [, digits, unit = 's'] of text.toLowerCase().matchAll(/(\d+)([smhdw]?)/g))
    sum += Number(digits) * (unitSeconds[unit === '' ? 's' : unit] ?? 1)
  return sum < 2 ** 32 ? sum : undefined
}
