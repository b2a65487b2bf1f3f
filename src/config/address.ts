/**
 * Addresses as an operator writes them: `IP:port`, `[v6]:port`, a bare IP, a network, an upstream URL; each becomes a
 * value, or a complaint that says what to write instead. Host names are refused, because resolving them would need the
 * resolver that this program is. The conversions themselves are in `address/`.
 */
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import {
  addressRange,
  firstAddressOf,
  type IpAddress,
  type Network,
  parseIpAddress,
} from '../address/ip-address.ts'
import type { Upstream } from '../address/upstream-url.ts'

export type { Endpoint, Network, Upstream }
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: string }

export const dnsPort = 53
/** RFC 7858 3.1. */
const dnsOverTlsPort = 853

const urlShape = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i
const portShape = /^\d{1,5}$/

/**
 * Parses an address to listen on.
 * @param defaultPort for a bare address; without it the port must be written
 */
export function parseListen(text: string, defaultPort?: number): Parsed<Endpoint> {
  const parsed = parseEndpoint(text, defaultPort)
  if (parsed.ok && rangeOf(parsed.value) === 'multicast') {
    return refuse(`${quoted(text)} is a multicast address, which cannot receive DNS queries`)
  }
  return parsed
}

/** Parses `IP[:port]` or `udp://`, `tcp://`, `tls://` before it, and `#name` behind a `tls://` address. */
export function parseUpstream(text: string, plain: 'udp' | 'tcp'): Parsed<Upstream> {
  const url = urlShape.exec(text)
  const scheme = url?.[1]?.toLowerCase() ?? plain
  if (scheme !== 'udp' && scheme !== 'tcp' && scheme !== 'tls') {
    return refuse(`${quoted(text)}: ${scheme}:// is not supported; use udp://, tcp:// or tls://`)
  }
  const [place = '', tlsName, ...more] = (url?.[2] ?? text).split('#')
  const parsed = parseEndpoint(place, scheme === 'tls' ? dnsOverTlsPort : dnsPort)
  if (!parsed.ok) return parsed
  const why = upstreamMistake(parsed.value)
  if (why !== undefined) return refuse(`${quoted(text)} ${why}`)
  if (tlsName === undefined) return accept({ ...parsed.value, transport: scheme })
  if (scheme !== 'tls') {
    return refuse(`${quoted(text)}: #name belongs to tls:// only; a port is written ${place}:53`)
  }
  if (more.length > 0 || !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(tlsName)) {
    return refuse(`${quoted(text)}: expected the host name of the server's certificate after #`)
  }
  return accept({ ...parsed.value, transport: scheme, tlsName })
}

function upstreamMistake(endpoint: Endpoint): string | undefined {
  if (endpoint.port === 0) return 'has port 0; an upstream port is 1 to 65535'
  const range = rangeOf(endpoint)
  if (range === 'unspecified') return 'means "any address"; write the address of one resolver'
  if (range === 'multicast' || range === 'broadcast') return `is a ${range} address, not a resolver`
  return undefined
}

/** Parses `IP:port`, `[IP]:port` and, with a default port, a bare IP. */
export function parseEndpoint(text: string, defaultPort?: number): Parsed<Endpoint> {
  const split = splitPort(text)
  if (split === undefined) return refuse(`${quoted(text)} has an unmatched bracket`)
  const address = parseAddress(split.host)
  if (!address.ok) return refuse(address.why)
  if (split.port === undefined) {
    if (defaultPort !== undefined) return accept({ ...address.value, port: defaultPort })
    return refuse(`${quoted(text)} has no port; write ${withPortWritten(text, address.value)}`)
  }
  const port = portShape.test(split.port) ? Number(split.port) : 65536
  if (port > 65535)
    return refuse(`${quoted(text)}: port ${quoted(split.port)} is not a number from 0 to 65535`)
  return accept({ ...address.value, port })
}

/** `fd00::a:9253` is an address of its own, and may all the same be meant as one with a port. */
function withPortWritten(text: string, address: IpAddress): string {
  const whole = formatEndpoint({ ...address, port: dnsPort })
  const [, host = '', port = ''] = /^([0-9a-f:]+):([1-9]\d{0,4})$/i.exec(text) ?? []
  const meant = parseAddress(host)
  return meant.ok && Number(port) <= 65535 ? `[${host}]:${port} or ${whole}` : whole
}

/** Parses an IP address alone; IPv4-mapped IPv6 becomes IPv4, since the kernel treats it so. */
export function parseAddress(host: string): Parsed<IpAddress> {
  if (host === '') return refuse('the IP address is missing; 0.0.0.0 and [::] mean all addresses')
  const parsed = parseIpAddress(host)
  return parsed === undefined ? refuse(hostMistake(host)) : accept(parsed)
}

/** Parses `10.244.0.0/16`, `fd00::/8`; a bare address is a network of one. */
export function parseNetwork(text: string): Parsed<Network> {
  const [host = '', bits, ...more] = text.split('/')
  const address = parseAddress(host)
  if (!address.ok) return address
  const { family } = address.value
  const bitsMax = family === 4 ? 32 : 128
  if (bits === undefined) return accept({ ...address.value, prefixBits: bitsMax })
  const prefixBits = /^\d{1,3}$/.test(bits) ? Number(bits) : bitsMax + 1
  if (more.length > 0 || prefixBits > bitsMax)
    return refuse(`${quoted(text)}: expected a number from 0 to ${bitsMax} after "/"`)
  const network = { ...address.value, prefixBits }
  const first = firstAddressOf(network)
  return first === address.value.address
    ? accept(network)
    : refuse(`${quoted(text)} has bits set after its prefix; write ${first}/${prefixBits}`)
}

/**
 * Whether a datagram for `target` would come back to one of our own listeners: a forwarding loop.
 * @param localAddresses addresses of this host's interfaces, canonical; they matter for wildcard listeners only
 */
export function reachesOurselves(
  target: Endpoint,
  listen: readonly Endpoint[],
  localAddresses: readonly string[] = [],
): boolean {
  return listen.some((own) => {
    if (own.port !== target.port) return false
    if (own.address === target.address) return true
    // Sockets on `::` are opened for IPv6 only, so each family has its own wildcard.
    if (!isWildcard(own) || own.family !== target.family) return false
    return rangeOf(target) === 'loopback' || localAddresses.includes(target.address)
  })
}

export function isWildcard(endpoint: Endpoint): boolean {
  return rangeOf(endpoint) === 'unspecified'
}

/** `unicast`, `loopback`, `linkLocal`, `multicast` and so on. */
export function rangeOf(endpoint: Pick<Endpoint, 'address'>): string {
  return addressRange(endpoint.address)
}

function splitPort(text: string): { host: string; port?: string } | undefined {
  if (text.startsWith('[')) {
    const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text)
    if (bracketed === null) return undefined
    return withPort(bracketed[1] ?? '', bracketed[2])
  }
  if (text.endsWith(']')) return undefined
  const colon = text.indexOf(':')
  // More than one colon without brackets is a bare IPv6 address.
  if (colon < 0 || colon !== text.lastIndexOf(':')) return { host: text }
  return withPort(text.slice(0, colon), text.slice(colon + 1))
}

function withPort(host: string, port: string | undefined): { host: string; port?: string } {
  return port === undefined ? { host } : { host, port }
}

function hostMistake(host: string): string {
  if (host.includes(':')) {
    return host.includes('%')
      ? `${quoted(host)}: zone ids (%interface) are not supported; use an address with global scope`
      : `${quoted(host)} is not an IPv6 address`
  }
  const swapped = /^(.+)[@#](\d+)$/.exec(host)
  if (swapped?.[1] !== undefined && parseIpAddress(swapped[1])?.family === 4) {
    return `${quoted(host)} is not an IP address; a port is written ${swapped[1]}:${swapped[2]}`
  }
  if (/^[\d./]+$/.test(host)) return `${quoted(host)} is not an IPv4 address`
  return `${quoted(host)} is not an IP address; host names are not accepted, because we are the resolver`
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text)
}

function accept<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

function refuse(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why }
}
