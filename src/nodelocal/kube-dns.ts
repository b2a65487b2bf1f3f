/**
 * The ConfigMap of kube-dns as node-cache reads it: `stubDomains` and `upstreamNameservers`, each a file of JSON in a directory. Other
 * keys belong to others and are not looked at. Sources: pkg/dns/config of kubernetes-sigs/node-local-dns; net.SplitHostPort of Go.
 */
import { parseIpAddress } from '../address/ip-address.ts'

export interface KubeDnsConfig {
  /** Server addresses, `IP` or `IP:port`, by domain. */
  readonly stubDomains: ReadonlyMap<string, readonly string[]>
  readonly upstreamNameservers: readonly string[]
}

export type ReadKubeDns =
  | { readonly ok: true; readonly config: KubeDnsConfig }
  /** All mistakes, each with the key that it is in. */
  | { readonly ok: false; readonly problems: readonly string[] }

/** The keys of the ConfigMap, which are the names of the files. */
export const kubeDnsKeys = ['stubDomains', 'upstreamNameservers'] as const

export const noKubeDns: KubeDnsConfig = { stubDomains: new Map(), upstreamNameservers: [] }

const nameserversMax = 3
/** RFC 1123 names as Kubernetes takes them: lower case, 253 characters. */
const domainShape = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/** @param text of a key; undefined where there is none */
export function readKubeDns(text: (key: string) => string | undefined): ReadKubeDns {
  const problems: string[] = []
  const stubDomains = stubDomainsFrom(text('stubDomains'), problems)
  const upstreamNameservers = nameserversFrom(text('upstreamNameservers'), problems)
  return problems.length === 0
    ? { ok: true, config: { stubDomains, upstreamNameservers } }
    : { ok: false, problems }
}

function stubDomainsFrom(
  text: string | undefined,
  problems: string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  const value = parse('stubDomains', text, problems)
  if (value === undefined || value === null) return found
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push('stubDomains: expected {"DOMAIN": ["SERVER"]}')
    return found
  }
  for (const [domain, servers] of Object.entries(value)) {
    const where = `stubDomains: ${JSON.stringify(domain)}`
    if (!domainShape.test(domain)) problems.push(`${where} is no domain name in lower case`)
    found.set(domain, serversFrom(where, servers, problems))
  }
  return found
}

function nameserversFrom(text: string | undefined, problems: string[]): readonly string[] {
  const value = parse('upstreamNameservers', text, problems)
  if (value === undefined || value === null) return []
  const servers = serversFrom('upstreamNameservers', value, problems, 0)
  if (servers.length > nameserversMax) {
    problems.push(`upstreamNameservers: ${servers.length} entries; at most ${nameserversMax}`)
  }
  return servers
}

function serversFrom(where: string, value: unknown, problems: string[], least = 1): string[] {
  if (!Array.isArray(value) || value.length < least) {
    problems.push(`${where}: expected a list of servers, as ["192.0.2.53"]`)
    return []
  }
  return value.flatMap((server: unknown) => {
    if (typeof server === 'string' && isServer(server)) return [server]
    problems.push(`${where}: ${JSON.stringify(server)} is no server; write IP or IP:port`)
    return []
  })
}

/** node-cache takes host names at first and fails over them later: CoreDNS wants addresses. */
function isServer(text: string): boolean {
  if (parseIpAddress(text) !== undefined) return true
  const [, v6, v4, port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const address = parseIpAddress(v6 ?? v4 ?? '')
  return address?.family === (v6 === undefined ? 4 : 6) && Number(port) <= 65_535
}

function parse(key: string, text: string | undefined, problems: string[]): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    problems.push(`${key}: no JSON: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
