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
  isLinkLocal,
  type Network,
  parseIpAddress,
  parseScopedAddress,
  withoutZone,
} from '../address/ip-address.ts'
import type { Upstream } from '../address/upstream-url.ts'
import { asciiName } from './idn.ts'

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
  if (parsed.ok && isLinkLocal(parsed.value)) {
    return refuse(
      `${quoted(text)} is link-local, which nobody can listen on here; use [::] or an address with global scope`,
    )
  }
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
  const parsed = parseScopedEndpoint(place, scheme === 'tls' ? dnsOverTlsPort : dnsPort)
  if (!parsed.ok) return parsed
  const why = upstreamMistake(parsed.value)
  if (why !== undefined) return refuse(`${quoted(text)} ${why}`)
  if (tlsName === undefined) {
    return scheme === 'tls' && isLinkLocal(parsed.value)
      ? refuse(`${quoted(text)}: no certificate names a link-local address; write #name behind it`)
      : accept({ ...parsed.value, transport: scheme })
  }
  if (scheme !== 'tls') {
    return refuse(`${quoted(text)}: #name belongs to tls:// only; a port is written ${place}:53`)
  }
  const name = certificateName(tlsName)
  if (more.length > 0 || name === undefined) {
    return refuse(`${quoted(text)}: expected the host name of the server's certificate after #`)
  }
  return accept({ ...parsed.value, transport: scheme, tlsName: name })
}

/** Certificates have A-labels and no trailing dot (RFC 6125 6.4.2). */
function certificateName(text: string): string | undefined {
  const ascii = asciiName(text)
  const name = ascii.ok ? ascii.value.replace(/\.$/, '') : ''
  return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(name) ? name : undefined
}

function upstreamMistake(endpoint: Endpoint): string | undefined {
  if (endpoint.port === 0) return 'has port 0; an upstream port is 1 to 65535'
  const range = rangeOf(endpoint)
  if (range === 'unspecified') return 'means "any address"; write the address of one resolver'
  if (isLinkLocal(endpoint) && !endpoint.address.includes('%')) {
    return `is link-local, so it needs its interface: write ${endpoint.address}%eth0`
  }
  if (range === 'multicast' || range === 'broadcast') return `is a ${range} address, not a resolver`
  return undefined
}

/** Parses `IP:port`, `[IP]:port` and, with a default port, a bare IP. A zone id is refused. */
export function parseEndpoint(text: string, defaultPort?: number): Parsed<Endpoint> {
  return readEndpoint(text, defaultPort, parseAddress)
}

/** The same for an address that we send to: a link-local one says on which interface, as `fe80::1%eth0`. */
export function parseScopedEndpoint(text: string, defaultPort: number): Parsed<Endpoint> {
  return readEndpoint(text, defaultPort, (host) => {
    const parsed = parseScopedAddress(host)
    return parsed === undefined ? parseAddress(host) : accept(parsed)
  })
}

function readEndpoint(
  text: string,
  defaultPort: number | undefined,
  parseHost: (host: string) => Parsed<IpAddress>,
): Parsed<Endpoint> {
  const split = splitPort(text)
  if (split === undefined) return refuse(`${quoted(text)} has an unmatched bracket`)
  const address = parseHost(split.host)
  if (!address.ok) return refuse(address.why)
  if (split.port === undefined) return withoutPort(text, address.value, defaultPort)
  const port = portShape.test(split.port) ? Number(split.port) : 65536
  if (port > 65535)
    return refuse(`${quoted(text)}: port ${quoted(split.port)} is not a number from 0 to 65535`)
  return accept({ ...address.value, port })
}

function withoutPort(
  text: string,
  address: IpAddress,
  defaultPort: number | undefined,
): Parsed<Endpoint> {
  const meant = portMeant(text)
  const whole = formatEndpoint({ ...address, port: defaultPort ?? dnsPort })
  if (defaultPort === undefined) {
    const both = meant === undefined ? whole : `${formatEndpoint(meant)} or ${whole}`
    return refuse(`${quoted(text)} has no port; write ${both}`)
  }
  if (meant === undefined || !isLikelyPort(meant.port)) {
    return accept({ ...address, port: defaultPort })
  }
  return refuse(
    `${quoted(text)} can be read with a port and without; write ${formatEndpoint(meant)} or ${whole}`,
  )
}

/** Ports of name servers, and those of services without privileges. Groups such as the `9` of `2620:fe::fe:9` are none. */
function isLikelyPort(port: number): boolean {
  return port === dnsPort || port === dnsOverTlsPort || port === 443 || port >= 1000
}

/** `fd00::a:9253` without brackets is an address of its own, and all the same may be meant as one with a port. */
function portMeant(text: string): Endpoint | undefined {
  const [, host = '', port = ''] =
    /^([0-9a-f:.]*:[0-9a-f:.]*(?:%[^:]+)?):([1-9]\d{0,4})$/i.exec(text) ?? []
  const address = parseScopedAddress(host)
  if (address === undefined || Number(port) > 65535) return undefined
  return { ...address, port: Number(port) }
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
    return rangeOf(target) === 'loopback' || localAddresses.includes(withoutZone(target.address))
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
  if (host.includes(':')) return v6Mistake(host)
  const swapped = /^(.+)[@#](\d+)$/.exec(host)
  if (swapped?.[1] !== undefined && parseIpAddress(swapped[1])?.family === 4) {
    return `${quoted(host)} is not an IP address; a port is written ${swapped[1]}:${swapped[2]}`
  }
  if (/^[\d./]+$/.test(host)) return `${quoted(host)} is not an IPv4 address`
  return `${quoted(host)} is not an IP address; host names are not accepted, because we are the resolver`
}

function v6Mistake(host: string): string {
  const meant = portMeant(host)
  if (meant !== undefined) {
    return `${quoted(host)} is not an IPv6 address; a port is written ${formatEndpoint(meant)}`
  }
  const [bare = '', zone] = host.split('%', 2)
  const address = parseIpAddress(bare)
  if (zone === undefined || address === undefined) return `${quoted(host)} is not an IPv6 address`
  if (!isLinkLocal(address)) {
    return `${quoted(host)}: only link-local addresses have a zone id; write ${address.address}`
  }
  return parseScopedAddress(host) === undefined
    ? `${quoted(host)}: behind % goes the name of an interface`
    : `${quoted(host)}: zone ids (%interface) are not supported here; use an address with global scope`
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
