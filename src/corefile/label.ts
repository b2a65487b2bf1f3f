/**
 * A server block's label, and a plugin's zone argument, which CoreDNS reads alike: `[SCHEME://]ZONE[:PORT]`, where
 * ZONE may be a network in CIDR notation and then stands for one or more reverse zones. Facts: plugin/normalize.go
 * and plugin/pkg/cidr of CoreDNS v1.14.7.
 */
import { reverseZonesOf } from '../address/reverse-zone.ts'
import { type Parsed, parseAddress } from '../config/address.ts'

export interface CorefileLabel {
  readonly text: string
  readonly line: number
  readonly scheme: string
  /** Lower case, no trailing dot, `.` is the root. More than one for a network that ends inside a label. Never empty. */
  readonly zones: readonly string[]
  /** Absent: the scheme's own, which for DNS is whatever `-dns.port` says. */
  readonly port?: number
}

/** @param text with `{$NAME}` as written, so a zone may come out as no name at all: see `isPlainZone` */
export function parseCorefileLabel(text: string, line: number): Parsed<CorefileLabel> {
  const scheme = schemes.find((known) => text.startsWith(`${known}://`))
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3)
  if (rest === '' || rest.endsWith(':'))
    return refuse(`${quoted(text)} ends where a zone or port should be`)
  const colon = rest.lastIndexOf(':')
  const port = colon < 0 ? undefined : portOf(rest.slice(colon + 1))
  const zone = port === undefined ? rest : rest.slice(0, colon)
  if (port !== undefined && (port < 0 || port > 65535)) {
    return refuse(`${quoted(text)}: the port is not a number from 0 to 65535`)
  }
  const why = mistakeInZone(zone)
  if (why !== undefined) return refuse(`${quoted(text)} ${mistakeInPort(rest) ?? why}`)
  const zones = reverseZones(zone) ?? [canonical(zone)]
  const label = { text, line, scheme: scheme ?? 'dns', zones }
  return { ok: true, value: port === undefined ? label : { ...label, port } }
}

/** Whether every reader agrees on the name: no escapes, variables, letters beyond ASCII, or wildcards. */
export function isPlainZone(zone: string): boolean {
  return zone === '.' || plainZone.test(zone)
}

/** Whether `name` is `zone` or lies below it; both as in `CorefileLabel.zones`. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`)
}

/** `https3` before `https`, as CoreDNS looks. Any other `x://` is taken for a part of the zone's name. */
const schemes = ['tls', 'dns', 'quic', 'grpc', 'https3', 'https', 'unix'] as const
const plainZone = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/
/** CoreDNS's own limit on a zone's text. */
const charactersMax = 255

function portOf(text: string): number | undefined {
  return /^[+-]?\d{1,18}$/.test(text) ? Number(text) : undefined
}

/** Of what CoreDNS takes for a part of the name, since it is no number. */
function mistakeInPort(rest: string): string | undefined {
  const [, port = ''] = /^\.:(.+)$/.exec(rest) ?? []
  if (port === '' || portOf(port) !== undefined) return undefined
  return port.endsWith('{')
    ? 'needs a blank before "{"'
    : `has the port ${quoted(port)}, which is not a number`
}

function mistakeInZone(zone: string): string | undefined {
  if (zone === '') return 'names no zone; the root is written "."'
  if (zone.length > charactersMax)
    return `is too long: a zone has at most ${charactersMax} characters`
  if (zone === '.') return undefined
  const labels = zone.replace(/\.$/, '').split('.')
  if (labels.includes('')) return 'has an empty label; two dots stand side by side'
  // An escape (`\.`, `\032`) makes the text longer than the label.
  const long = labels.find((label) => label.length > 63 && !label.includes('\\'))
  return long === undefined ? undefined : `has a label of ${long.length} characters; at most 63`
}

function canonical(zone: string): string {
  return zone === '.' ? zone : zone.toLowerCase().replace(/\.$/, '')
}

/** @returns undefined when `zone` is no network; it is then a plain name, even if it has a slash */
function reverseZones(zone: string): string[] | undefined {
  const [, host = '', bitsText = ''] = /^([^/]+)\/(\d{1,3})$/.exec(zone) ?? []
  const address = parseAddress(host)
  // Go keeps an IPv4-mapped network as IPv6; nobody serves one, and as a name it matches nothing.
  if (!address.ok || (address.value.family === 4 && host.includes(':'))) return undefined
  const bits = Number(bitsText)
  const { family } = address.value
  if (bits > (family === 4 ? 32 : 128)) return undefined
  return reverseZonesOf({ ...address.value, prefixBits: bits })
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text)
}

function refuse(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why }
}
