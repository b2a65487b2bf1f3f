/** EDNS options that the operator adds to questions for upstreams: as a text, and in wire form (RFC 6891 6.1.2). */
import { putU16 } from './bytes.ts'

/** Plain, since a checked configuration is handed on as JSON. */
export interface EdnsOption {
  readonly code: number
  /** In hexadecimal, lower case. */
  readonly data: string
}

export const ednsDataBytesMax = 64

/** Those that are part of how questions are asked (RFC 7871, 7873, 7828, 7830). */
const refused: ReadonlyMap<number, string> = new Map([
  [8, 'the subnet of a client is not told: equal questions are asked once for all'],
  [10, 'cookies are between two servers'],
  [11, 'keepalive is between two servers'],
  [12, 'questions are not padded'],
])

/** @param text `CODE` or `CODE=HEX` */
export function parseEdnsOption(
  text: string,
):
  | { readonly ok: true; readonly value: EdnsOption }
  | { readonly ok: false; readonly why: string } {
  const [, digits = '', data = ''] = /^(\d{1,5})(?:=((?:[0-9a-f]{2})*))?$/i.exec(text.trim()) ?? []
  const code = Number(digits)
  const isRight = code > 0 && code < 2 ** 16 && data.length <= 2 * ednsDataBytesMax
  if (isRight && !refused.has(code)) return { ok: true, value: { code, data: data.toLowerCase() } }
  const expected = `expected a code from 1 to 65535, and up to ${ednsDataBytesMax} bytes in hexadecimal`
  return { ok: false, why: `${JSON.stringify(text)}: ${refused.get(code) ?? expected}` }
}

export function ednsOptionBytes(options: readonly EdnsOption[]): Uint8Array {
  const wire = options.map(({ code, data }) => {
    const octets = Buffer.from(data, 'hex')
    const header = Buffer.alloc(4)
    putU16(header, 0, code)
    putU16(header, 2, octets.length)
    return Buffer.concat([header, octets])
  })
  return Buffer.concat(wire)
}
