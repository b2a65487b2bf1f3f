/**
 * What node-cache's flags add to the settings that its Corefile stands for: addresses and rules on the node, and where metrics are. Pure:
 * facts about the node are arguments. docs/nodelocal.md says the same for people.
 */
import { formatEndpoint } from '../address/endpoint.ts'
import { parseEndpoint } from '../config/address.ts'
import type { NodeCacheFlags } from './flags.ts'

/** Settings as a YAML file holds them. */
export interface SettingsTree {
  readonly [key: string]: unknown
}

export interface NodeFacts {
  /** Addresses among those of `-localip` that certainly are a Service's. */
  readonly clusterIps: readonly string[]
  /** Whether the kernel has IPv6: without it `::` cannot be listened on. */
  readonly hasIpv6: boolean
}

/** Wishes that node-cache has no flag for, in variables that it ignores: the way back needs no other edit. */
export interface NodeCacheWishes {
  /** `olderNamesVariable`. */
  readonly olderNames: boolean
}

export const olderNamesVariable = 'NEARDNS_OLDER_METRIC_NAMES'

export function wishesIn(
  environment: Readonly<Record<string, string | undefined>>,
): NodeCacheWishes {
  return { olderNames: /^(1|true)$/.test(environment[olderNamesVariable] ?? '') }
}

/**
 * node-cache leaves nothing, unless it is told to. Nobody can tell the last stop from the one before an upgrade: the standby outlives
 * each, and a day is longer than any of the second kind.
 */
export const standbyExpirySeconds = 86_400

/** @returns whether pods reach the daemon at addresses of `-localip`, and not at the pod's own */
export function isOnNode({ setupInterface, setupIptables }: NodeCacheFlags): boolean {
  return setupInterface || setupIptables
}

/** Addresses in the place of a wildcard: on the host network it would answer at every address of the node, to everyone. */
export function wildcardFor(flags: NodeCacheFlags, { hasIpv6 }: NodeFacts): string[] {
  if (isOnNode(flags)) return flags.localIps.map(({ address }) => address)
  return hasIpv6 ? ['0.0.0.0', '::'] : ['0.0.0.0']
}

/** @param translated settings of the Corefile, which stay but for those that the flags decide */
export function nodeCacheSettings(
  flags: NodeCacheFlags,
  translated: SettingsTree,
  facts: NodeFacts,
  { olderNames }: NodeCacheWishes,
): SettingsTree {
  return {
    ...translated,
    // As CoreDNS: a second DaemonSet with the same addresses stands in for the first.
    sharePorts: true,
    ...(isOnNode(flags) && { interception: interception(flags, translated['listen'], facts) }),
    admin: {
      ...(isTree(translated['admin']) && translated['admin']),
      listen: adminListen(flags, translated['admin'], facts),
      // Two pods of one DaemonSet after another, or of two DaemonSets, meet on one port: DNS comes first.
      whenTaken: 'retry',
      ...(olderNames && { olderNames }),
    },
  }
}

function interception(
  flags: NodeCacheFlags,
  listen: unknown,
  { clusterIps }: NodeFacts,
): SettingsTree {
  const { localIps, port, interfaceName, setupInterface, setupIptables, skipTeardown } = flags
  // An address on which no server block listens would be a closed port.
  const served = localIps
    .map((one) => ({ ...one, text: formatEndpoint({ ...one, port }) }))
    .filter(({ text }) => texts(listen).includes(text))
    .map(({ address }) => address)
  return {
    mode: setupIptables ? 'auto' : 'link',
    addresses: served.filter((address) => !clusterIps.includes(address)),
    clusterIps: served.filter((address) => clusterIps.includes(address)),
    port,
    link: { name: interfaceName, kind: setupInterface ? 'auto' : 'none' },
    standbyExpirySeconds,
    onStop: skipTeardown === false ? 'remove' : 'keep',
  }
}

/** The addresses of the Corefile and of `-metrics-listen-address`; one that a wildcard covers is left out. */
function adminListen(
  { metricsListen }: NodeCacheFlags,
  admin: unknown,
  { hasIpv6 }: NodeFacts,
): string[] {
  const own = metricsListen === undefined ? [] : [metricsListen]
  const metrics = own.flatMap(({ all, ...at }) => {
    const both = [{ ...at, address: '0.0.0.0', family: 4 as const }, at]
    return (all ? both : [at]).map(formatEndpoint)
  })
  const written = isTree(admin) ? texts(admin['listen']) : []
  const wanted = [...new Set([...written, ...metrics])]
  return wanted.filter((text) => {
    const at = parseEndpoint(text)
    if (!at.ok) return true
    if (at.value.family === 6 && !hasIpv6) return false
    const wildcard = at.value.family === 4 ? '0.0.0.0' : '::'
    const covering = formatEndpoint({ ...at.value, address: wildcard })
    return text === covering || !wanted.includes(covering)
  })
}

function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
}

function isTree(value: unknown): value is SettingsTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
