/**
 * Parses the text of a resolv.conf as glibc does (resolv.conf(5)): keywords start in the first column, `#` and `;` begin a
 * comment there, the last `search` or `domain` wins. Pure: the caller reads and watches the file.
 */
import {
  type IpAddress,
  isLinkLocal,
  parseIpAddress,
  parseScopedAddress,
  withoutZone,
} from '../address/ip-address.ts'
import type { Upstream } from '../address/upstream-url.ts'
import { dnsPort, parseAddress, parseEndpoint } from './address.ts'

export interface ResolvConf {
  /** In file order, without repetitions; UDP, or TCP where `options use-vc` asks for it. */
  readonly nameservers: readonly Upstream[]
  readonly search: readonly string[]
  /** As written: `ndots:5`, `rotate`. */
  readonly options: readonly string[]
  /** Lines that look like name servers but cannot be used, with the reason: each worth one log line. */
  readonly ignored: readonly { readonly line: number; readonly why: string }[]
}

/** Above glibc's 3 and CoreDNS's 15: a file with more is broken or hostile. */
const nameserversMax = 16

/** glibc reads such a line as none of a name server: a text editor's byte order mark, or blanks before the keyword. */
const indented = /^[\s\uFEFF]+nameserver\s/

/** Never fails: unusable name servers go to `ignored`, and the list may be empty. */
export function parseResolvConf(text: string): ResolvConf {
  const addresses: Omit<Upstream, 'transport'>[] = []
  const ignored: { line: number; why: string }[] = []
  let search: string[] = []
  const options: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const [keyword, ...words] = line.split(/[ \t\r]+/).filter((word, at) => word !== '' || at === 0)
    if (keyword === 'search' || keyword === 'domain') search = words
    else if (keyword === 'options') options.push(...words)
    else if (keyword === 'nameserver') {
      const why = addNameserver(words[0] ?? '', addresses)
      if (why !== undefined) ignored.push({ line: index + 1, why })
    } else if (indented.test(line)) {
      ignored.push({ line: index + 1, why: 'nameserver must begin in the first column' })
    }
  }
  const transport = options.includes('use-vc') ? 'tcp' : 'udp'
  return {
    nameservers: addresses.map((address) => ({ ...address, transport })),
    search,
    options,
    ignored,
  }
}

/**
 * The name servers to use now. A file that names none is being written, or belongs to a network that is changing: programs that
 * manage it empty it for a moment, and what was right before is more often right than SERVFAIL for every name.
 * @param inForce those of the last file that named any
 */
export function nameserversAfter(
  file: ResolvConf,
  inForce: readonly Upstream[],
): readonly Upstream[] {
  return file.nameservers.length === 0 ? inForce : file.nameservers
}

/** @returns why the name server was not added */
function addNameserver(word: string, to: Omit<Upstream, 'transport'>[]): string | undefined {
  const server = nameserver(word)
  if (server === undefined) {
    return whyNoAddress(word)
  }
  if (server.address === '0.0.0.0' || server.address === '::') {
    return `${JSON.stringify(word)} means "any address"`
  }
  if (isLinkLocal(server) && !server.address.includes('%')) {
    return `${JSON.stringify(word)} is link-local, so it needs its interface: ${server.address}%eth0`
  }
  if (to.some((known) => known.address === server.address)) return undefined
  if (to.length === nameserversMax) return `more than ${nameserversMax} name servers`
  to.push({ ...server, port: dnsPort })
  return undefined
}

function whyNoAddress(word: string): string | undefined {
  const endpoint = parseEndpoint(word)
  if (endpoint.ok)
    return `${JSON.stringify(word)} has a port, for which a resolv.conf has no place: write ${endpoint.value.address}`
  const parsed = parseAddress(word)
  return parsed.ok ? undefined : parsed.why
}

/** A zone at an address that needs none is dropped, as in glibc (res_init.c). */
function nameserver(word: string): IpAddress | undefined {
  const bare = parseIpAddress(withoutZone(word))
  return bare !== undefined && isLinkLocal(bare) ? parseScopedAddress(word) : bare
}
