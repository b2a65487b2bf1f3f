/**
 * Domain names as written in settings: host-like names without wildcards, in ASCII or in the letters of any language (config/idn.ts). An
 * escape (RFC 1035 5.1) is fine for a character that could stand there as well.
 */
import type { Parsed } from './address.ts'
import { asciiName } from './idn.ts'

/** RFC 1035 2.3.4: 255 bytes on the wire are 253 characters of text. */
const charactersMax = 253
const labelShape = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/** @returns the name in lower case, without the trailing dot, with A-labels for others */
export function parseDomainName(text: string): Parsed<string> {
  const ascii = asciiName(text)
  if (!ascii.ok) return ascii
  const name = unescaped(ascii.value).toLowerCase().replace(/\.$/, '')
  const why = mistakeIn(name, text)
  return why === undefined ? { ok: true, value: name } : { ok: false, why }
}

/** An escape of a character that labels here cannot have stays, and is refused with its backslash. A dot would become a separator. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(?:(\d{3})|([^\d]))/g, (written, digits, character) => {
    const plain = digits === undefined ? character : String.fromCharCode(Number(digits))
    return /^[a-z0-9_-]$/i.test(plain) ? plain : written
  })
}

function mistakeIn(name: string, text: string): string | undefined {
  if (name === '')
    return 'the root is not a zone here; names without a zone of their own go to external'
  if (name.length > charactersMax)
    return `the name has ${name.length} characters; at most ${charactersMax}`
  if (name.startsWith('*.')) {
    return `${JSON.stringify(text)}: a zone includes all names below it; write ${JSON.stringify(name.slice(2))}`
  }
  const bad = name.split('.').find((label) => !labelShape.test(label))
  if (bad === undefined) return undefined
  if (bad === '') return `${JSON.stringify(text)} has an empty label; two dots stand side by side`
  if (bad.length > 63)
    return `the label ${JSON.stringify(bad)} has ${bad.length} characters; at most 63`
  return `${JSON.stringify(text)} is not a domain name; labels are letters, digits, "-" and "_"`
}
