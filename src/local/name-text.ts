/** Names as texts for expressions and templates: as CoreDNS has them, so that what operators wrote for it matches the same names. */
import { u8 } from '../wire/bytes.ts'

/** Characters that CoreDNS's library writes with a backslash (miekg/dns, UnpackDomainName). */
const special = new Set(Buffer.from('. \'@;()"\\'))

/** @param name folded wire form. @returns lower case, with the trailing dot; `wireName` reads it back */
export function nameText(name: Uint8Array): string {
  let text = ''
  for (let at = 0; u8(name, at) > 0; at += u8(name, at) + 1) {
    const end = at + u8(name, at)
    for (let i = at + 1; i <= end; i++) text += octetText(u8(name, i))
    text += '.'
  }
  return text === '' ? '.' : text
}

function octetText(octet: number): string {
  if (special.has(octet)) return `\\${String.fromCharCode(octet)}`
  if (octet >= 0x20 && octet <= 0x7e) return String.fromCharCode(octet)
  return `\\${String(octet).padStart(3, '0')}`
}
