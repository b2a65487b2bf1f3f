/**
 * Parses the text of a resolv.conf as glibc does (resolv.conf(5)): keywords start in the first column, `#` and `;` begin a
 * comment there, the last `search` or `domain` wins. Pure: the caller reads and watches the file.
 */
import type { Upstream } from '../address/upstream-url.ts'
import { dnsPort, parseAddress } from './address.ts'

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

/** @returns why the name server was not added */
function addNameserver(word: string, to: Omit<Upstream, 'transport'>[]): string | undefined {
  // The zone id is dropped, as in CoreDNS's forward plugin: upstreams with link-local addresses are rare.
  const parsed = parseAddress(word.replace(/%.*$/, ''))
  if (!parsed.ok) return parsed.why
  if (parsed.value.address === '0.0.0.0' || parsed.value.address === '::') {
    return `${JSON.stringify(word)} means "any address"`
  }
  if (to.some((known) => known.address === parsed.value.address)) return undefined
  if (to.length === nameserversMax) return `more than ${nameserversMax} name servers`
  to.push({ ...parsed.value, port: dnsPort })
  return undefined
}
