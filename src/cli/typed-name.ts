/** Domain names as a person types them at a terminal: in letters of any language, with escapes, with or without the trailing dot. */
import { domainToUnicode } from 'node:url'
import type { Parsed } from '../config/address.ts'
import { asciiName } from '../config/idn.ts'
import { parseName } from '../wire/name.ts'

export interface TypedName {
  /** As asked: ASCII, with escapes as they were typed. */
  readonly ascii: string
  /** In the letters of its language, when that differs. */
  readonly unicode: string | undefined
}

/** RFC 1035 2.3.4. A label may hold any byte, so only lengths and escapes are checked. */
export function readTypedName(text: string): Parsed<TypedName> {
  const parsed = asciiName(text)
  if (!parsed.ok) return parsed
  const ascii = parsed.value
  const why = ascii.includes('\\') ? escapedMistake(ascii) : mistakeIn(ascii)
  return why === undefined
    ? { ok: true, value: { ascii, unicode: unicodeOf(ascii) } }
    : { ok: false, why }
}

/** A line for the end of an answer. Empty when the name has one form only. */
export function bothForms({ ascii, unicode }: TypedName): string {
  return unicode === undefined ? '' : `;; ${dotted(unicode)} is ${dotted(ascii)} on the wire\n`
}

function unicodeOf(ascii: string): string | undefined {
  if (!/(^|\.)xn--/i.test(ascii)) return undefined
  const unicode = domainToUnicode(ascii)
  return unicode === '' || unicode === ascii ? undefined : unicode
}

function dotted(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}

function escapedMistake(name: string): string | undefined {
  if (parseName(name) !== undefined) return undefined
  return `${JSON.stringify(name)} is not a domain name: \\DDD is a byte of 000 to 255, \\X the character X; labels have 1 to 63 bytes, names 255`
}

function mistakeIn(name: string): string | undefined {
  const text = name.replace(/\.$/, '')
  if (text === '') return name === '.' ? undefined : 'the name is empty; the root is written "."'
  if (Buffer.byteLength(text) > 253) return 'the name has more than 253 bytes'
  const labels = text.split('.')
  if (labels.includes('')) return `${JSON.stringify(name)} has an empty label`
  const long = labels.find((label) => Buffer.byteLength(label) > 63)
  return long === undefined ? undefined : `the label ${JSON.stringify(long)} has more than 63 bytes`
}
