/**
 * Translates record types between people's spelling and that of wire/message.ts: its codec has no name for some, and writes
 * an unknown name as type 0, so every name is checked here first.
 */
import { suggest } from '../config/suggest.ts'
import { otherTypes } from '../wire/record-text.ts'

const codecTypes: readonly string[] = `
  A AAAA AFSDB ANY APL CAA CDNSKEY CDS CERT CNAME DHCID DLV DNAME DNSKEY DS HINFO HIP
  IPSECKEY KEY KX LOC MX NAPTR NS NSEC NSEC3 NSEC3PARAM NULL PTR RP RRSIG SIG SOA SPF SRV
  SSHFP TLSA TXT
`
  .trim()
  .split(/\s+/)

export type RecordTypeName =
  | { readonly ok: true; readonly codecName: string }
  | { readonly ok: false; readonly why: string }

/** Takes mnemonics in any case and `TYPEn` (RFC 3597 5). */
export function parseRecordType(text: string): RecordTypeName {
  const name = text.toUpperCase()
  if (codecTypes.includes(name)) return { ok: true, codecName: name }
  const number = Object.hasOwn(otherTypes, name) ? otherTypes[name] : numericType(name)
  if (number !== undefined) return { ok: true, codecName: `UNKNOWN_${number}` }
  const near = suggest(name, [...codecTypes, ...Object.keys(otherTypes)])
  const hint = near === undefined ? 'write a name such as AAAA, or TYPE65' : `did you mean ${near}?`
  return { ok: false, why: `${JSON.stringify(text)} is not a record type; ${hint}` }
}

function numericType(name: string): number | undefined {
  const match = /^TYPE(\d{1,5})$/.exec(name)
  const number = match === null ? 65536 : Number(match[1])
  return number <= 65535 ? number : undefined
}
