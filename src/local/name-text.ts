/** Names as texts for expressions and templates: as CoreDNS has them, so that what operators wrote for it matches the same names. */
import { u8 } from '../wire/bytes.ts'
import { labelBytesMax, nameBytesMax } from '../wire/constants.ts'
import { foldTable, parseName } from '../wire/name.ts'

/** Characters that CoreDNS's library writes with a backslash (miekg/dns, UnpackDomainName). */
const special = new Set(Buffer.from('. \'@;()"\\'))

const plain = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet > 0x20 && octet <= 0x7e && !special.has(octet) ? 1 : 0,
)
const dot = 0x2e
const scratch = Buffer.allocUnsafeSlow(nameBytesMax)

/** @param name folded wire form. @returns lower case, with the trailing dot; `nameOctets` reads it back */
export function nameText(name: Uint8Array): string {
  let to = 0
  for (let at = 0; u8(name, at) > 0; at += u8(name, at) + 1) {
    const end = at + u8(name, at)
    for (let i = at + 1; i <= end; i++) {
      const octet = u8(name, i)
      if (plain[octet] === 0) return escapedText(name)
      scratch[to++] = octet
    }
    scratch[to++] = dot
  }
  return to === 0 ? '.' : scratch.toString('latin1', 0, to)
}

/** @returns folded wire form; undefined for what is no name */
export function nameOctets(text: string): Uint8Array | undefined {
  const end = text.endsWith('.') ? text.length - 1 : text.length
  if (end < 1 || end + 2 > nameBytesMax) return parseName(text)
  const octets = new Uint8Array(end + 2)
  let label = 0
  for (let i = 0; i < end; i++) {
    const octet = text.charCodeAt(i)
    if (octet === dot) {
      if (!setLength(octets, label, i)) return undefined
      label = i + 1
    } else if (plain[octet] === 1) octets[i + 1] = foldTable[octet] as number
    else return parseName(text)
  }
  return setLength(octets, label, end) ? octets : undefined
}

/** Of the label whose characters end before `end`. @returns whether a label may be as long */
function setLength(octets: Uint8Array, label: number, end: number): boolean {
  const length = end - label
  octets[label] = length
  return length >= 1 && length <= labelBytesMax
}

function escapedText(name: Uint8Array): string {
  let text = ''
  for (let at = 0; u8(name, at) > 0; at += u8(name, at) + 1) {
    const end = at + u8(name, at)
    for (let i = at + 1; i <= end; i++) text += octetText(u8(name, i))
    text += '.'
  }
  return text
}

function octetText(octet: number): string {
  if (special.has(octet)) return `\\${String.fromCharCode(octet)}`
  if (octet >= 0x20 && octet <= 0x7e) return String.fromCharCode(octet)
  return `\\${String(octet).padStart(3, '0')}`
}
