/**
 * Rules between settings. They check the configuration as far as it could be parsed, so that they report even when another
 * setting is wrong: a value of the wrong shape is skipped here, because it has been reported already. Pure.
 */
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import { reverseRoots } from '../address/reverse-zone.ts'
import { type CompilePattern, patternIssues } from '../local/pattern/pattern.ts'
import { rewriteIssues } from '../local/rewrites/checks.ts'
import { isWildcard, rangeOf, reachesOurselves } from './address.ts'
import { answerModeChecks } from './answer-mode-checks.ts'
import { at, type Found, items } from './partial.ts'
import { type Path, pathText } from './problem.ts'
import type { Issue } from './setting.ts'

export interface CheckHelp {
  /** Addresses of this host, for wildcard listeners; empty when unknown. */
  readonly localAddresses?: readonly string[] | undefined
  /** Undefined: expressions are not checked. */
  readonly compilePattern?: CompilePattern | undefined
}

export function crossChecks(
  config: unknown,
  { localAddresses = [], compilePattern }: CheckHelp,
): readonly Issue[] {
  const zones = items(config, ['zones']).map(({ path }) => path)
  const groups: readonly Path[] = [['cluster'], ['external'], ...zones]
  return [
    ...clashingListen(config),
    ...portableWildcards(config),
    ...duplicateZones(config),
    ...reverseDomain(config),
    ...emptyZones(config),
    ...claimedZones(config),
    ...interceptionChecks(config),
    ...answerModeChecks(config),
    ...rewriteIssues(config),
    ...(compilePattern === undefined ? [] : patternIssues(config, compilePattern)),
    ...groups.flatMap((group) => groupChecks(config, group, localAddresses)),
    ...ordered(config, ['cache', 'failureTtl'], 'minSeconds', 'maxSeconds'),
  ]
}

function groupChecks(config: unknown, group: Path, localAddresses: readonly string[]): Issue[] {
  return [
    ...forwardingLoops(config, [...group, 'upstreams'], localAddresses),
    ...duplicateUpstreams(config, [...group, 'upstreams']),
    ...ordered(config, [...group, 'ttl'], 'positiveMinSeconds', 'positiveMaxSeconds'),
    ...ordered(config, [...group, 'ttl'], 'negativeMinSeconds', 'negativeMaxSeconds'),
    ...ordered(config, [...group, 'exchange', 'hedge'], 'minMs', 'maxMs'),
    ...ordered(config, [...group, 'exchange', 'timeout'], 'minMs', 'maxMs'),
    ...halfIdentity(config, [...group, 'exchange', 'stream', 'tls']),
  ]
}

function halfIdentity(config: unknown, section: Path): Issue[] {
  const has = (key: string) => (at(config, [...section, key]) ?? null) !== null
  if (has('certificate') === has('key')) return []
  const [there, missing] = has('key') ? ['key', 'certificate'] : ['certificate', 'key']
  const message = `there is no ${missing} beside it; name both files, or none`
  return [{ path: [...section, there], message, because: [[...section, missing]] }]
}

function ordered(config: unknown, section: Path, low: string, high: string): Issue[] {
  const least = at(config, [...section, low])
  const most = at(config, [...section, high])
  if (typeof least !== 'number' || typeof most !== 'number' || least <= most) return []
  const message = `${low} (${least}) is above ${high} (${most}); lower the one or raise the other`
  return [{ path: [...section, low], message, because: [[...section, high]] }]
}

/** Two sockets on one port: the second bind would fail. The admin server shares the TCP ports. */
function clashingListen(config: unknown): Issue[] {
  const sockets = [...endpoints(config, ['listen']), ...endpoints(config, ['admin', 'listen'])]
  return sockets.flatMap(({ path, value }, index) => {
    const earlier = sockets.slice(0, index).find((other) => clash(other.value, value))
    if (earlier === undefined) return []
    const message = `${formatEndpoint(value)} is taken by ${pathText(earlier.path)} (${formatEndpoint(earlier.value)}); every address may be listened on once`
    return [{ path, message, because: [earlier.path] }]
  })
}

/** Portable sockets do not know which address was asked (listen/udp-portable.ts). */
function portableWildcards(config: unknown): Issue[] {
  if (at(config, ['io']) !== 'portable') return []
  return endpoints(config, ['listen'])
    .filter(({ value }) => isWildcard(value))
    .map(({ path, value }) => ({
      path,
      message: `${formatEndpoint(value)} cannot be served with io: portable, which cannot answer from the address that was asked; list the addresses, or use another io`,
      because: [['io']],
    }))
}

function clash(a: Endpoint, b: Endpoint): boolean {
  if (a.port !== b.port || a.port === 0 || a.family !== b.family) return false
  return a.address === b.address || isWildcard(a) || isWildcard(b)
}

function forwardingLoops(config: unknown, list: Path, localAddresses: readonly string[]): Issue[] {
  const listen = endpoints(config, ['listen'])
  return endpoints(config, list).flatMap(({ path, value }) => {
    const own = listen.find((one) => reachesOurselves(value, [one.value], localAddresses))
    if (own === undefined) return []
    const message = `${formatEndpoint(value)} is our own listening address (${formatEndpoint(own.value)}): a forwarding loop; name another resolver`
    return [{ path, message, because: [own.path] }]
  })
}

function duplicateUpstreams(config: unknown, list: Path): Issue[] {
  const seen = new Map<string, Path>()
  return endpoints(config, list).flatMap(({ path, value }) => {
    const transport = 'transport' in value ? String(value.transport) : ''
    const key = `${transport}://${formatEndpoint(value)}`
    const earlier = seen.get(key)
    if (earlier === undefined) {
      seen.set(key, path)
      return []
    }
    const message = `${key} is already listed at ${pathText(earlier)}; list every upstream once`
    return [{ path, message, because: [earlier] }]
  })
}

function duplicateZones(config: unknown): Issue[] {
  const seen = new Map<unknown, Path>()
  return zoneNames(config).flatMap(({ path, value }) => {
    const earlier = seen.get(value)
    if (earlier === undefined) {
      seen.set(value, path)
      return []
    }
    const message = `zone ${value} is already defined at ${pathText(earlier)}; join their upstreams in one`
    return [{ path, message, because: [earlier] }]
  })
}

/** Reverse names are of every network; a cluster's share of them goes to the cluster group by a setting of its own. */
function reverseDomain(config: unknown): Issue[] {
  const domain = String(at(config, ['clusterDomain']))
  const zone = reverseRoots.find((one) => domain === one || domain.endsWith(`.${one}`))
  if (zone === undefined) return []
  const message = `${domain} holds the names of addresses, not a cluster's; name the cluster's domain (kubelet's clusterDomain, often cluster.local), and let cluster.reverse send ${zone} to the cluster group`
  return [{ path: ['clusterDomain'], message, because: [['cluster', 'reverse']] }]
}

function emptyZones(config: unknown): Issue[] {
  return items(config, ['zones']).flatMap(({ path, value }) => {
    const upstreams = at(value, ['upstreams'])
    if (!Array.isArray(upstreams) || upstreams.length > 0) return []
    if (at(value, ['withoutUpstreams']) !== 'mistake') return []
    const message =
      'the list is empty; name upstreams, or say in withoutUpstreams what names of the zone get'
    return [{ path: [...path, 'upstreams'], message, because: [[...path, 'withoutUpstreams']] }]
  })
}

/** The longest suffix wins; equal suffixes would make the choice arbitrary. */
function claimedZones(config: unknown): Issue[] {
  const domain = at(config, ['clusterDomain'])
  const isReverse = at(config, ['cluster', 'reverse']) === true
  return zoneNames(config).flatMap(({ path, value }) => {
    if (value === domain) {
      const message = `zone ${value} is the clusterDomain; put its upstreams into cluster.upstreams`
      return [{ path, message, because: [['clusterDomain']] }]
    }
    if (!isReverse || !reverseRoots.some((root) => root === value)) return []
    const message = `zone ${value} already goes to the cluster group; set cluster.reverse to false to send it elsewhere`
    return [{ path, message, because: [['cluster', 'reverse']] }]
  })
}

/** Rules bring packets to an address, so it must be in `listen`, and no two settings may claim it. */
function interceptionChecks(config: unknown): Issue[] {
  const section: Path = ['interception']
  if (at(config, [...section, 'mode']) === 'none') return []
  const claimed = ['addresses', 'clusterIps'].flatMap((key) => hosts(config, [...section, key]))
  const renewMs = at(config, [...section, 'renewMs'])
  const lifetimeMs = at(config, [...section, 'lifetimeMs'])
  const issues = claimed.flatMap((one, index) => claimIssues(config, one, claimed.slice(0, index)))
  if (typeof renewMs !== 'number' || typeof lifetimeMs !== 'number') return issues
  if (lifetimeMs >= 2 * renewMs) return issues
  const message = `lifetimeMs (${lifetimeMs}) is less than twice renewMs (${renewMs}): one late renewal would end the interception; raise it to ${2 * renewMs}`
  const because = [[...section, 'renewMs']]
  return [...issues, { path: [...section, 'lifetimeMs'], message, because }]
}

function claimIssues(
  config: unknown,
  { path, value }: Found<string>,
  earlier: readonly Found<string>[],
): Issue[] {
  const twin = earlier.find((other) => other.value === value)
  if (twin !== undefined) {
    const message = `${value} is already listed at ${pathText(twin.path)}; list every address once`
    return [{ path, message, because: [twin.path] }]
  }
  const range = rangeOf({ address: value })
  if (['loopback', 'unspecified', 'multicast', 'broadcast'].includes(range)) {
    const message = `${value} is a ${range} address; expected one that pods can send to, such as 169.254.20.10`
    return [{ path, message, because: [] }]
  }
  const port = at(config, ['interception', 'port'])
  const listen = endpoints(config, ['listen'])
  const isServed = listen.some(
    (one) => one.value.port === port && (one.value.address === value || isWildcard(one.value)),
  )
  if (isServed || typeof port !== 'number') return []
  const wanted = formatEndpoint({ address: value, port, family: value.includes(':') ? 6 : 4 })
  const message = `nobody listens on ${wanted}, so pods would be sent to a closed port; add ${wanted} to listen`
  return [{ path, message, because: listen.map((one) => one.path) }]
}

function hosts(config: unknown, list: Path): Found<string>[] {
  return items(config, list).flatMap(({ path, value }) => {
    const address = typeof value === 'object' && value !== null ? at(value, ['address']) : undefined
    return typeof address === 'string' ? [{ path, value: address }] : []
  })
}

function zoneNames(config: unknown): Found<string>[] {
  return items(config, ['zones']).flatMap((zone) => {
    const path = [...zone.path, 'name']
    const value = at(config, path)
    return typeof value === 'string' ? [{ path, value }] : []
  })
}

function endpoints(config: unknown, list: Path): Found<Endpoint>[] {
  return items(config, list).flatMap(({ path }) => endpoint(config, path))
}

function endpoint(config: unknown, path: Path): Found<Endpoint>[] {
  const value = at(config, path)
  return isEndpoint(value) ? [{ path, value }] : []
}

function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === 'object' && value !== null && 'address' in value && 'family' in value
}
