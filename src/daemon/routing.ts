/** Turns the configuration into upstream groups and the zones that they answer for. Pure. */

import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import { reverseRoots, reverseZonesOf } from '../address/reverse-zone.ts'
import { formatUpstream, type Upstream } from '../address/upstream-url.ts'
import { reachesOurselves } from '../config/address.ts'
import type { Config } from '../config/schema.ts'
import type { SocketAddress } from '../core/question/source-guard.ts'
import type { ZoneRoute } from '../core/router.ts'
import type { Log } from '../observe/log.ts'
import type { ChoicePolicy } from '../upstream/policy/choice.ts'
import type { ExchangeSettings, GroupConfig } from '../upstream/settings.ts'
import { type EdnsOption, ednsOptionBytes } from '../wire/edns-option.ts'
import { presentName, wireName } from '../wire/name.ts'

const clusterGroup = 'cluster'
const externalGroup = 'external'

export interface Routing {
  readonly groups: readonly GroupConfig[]
  readonly zones: readonly ZoneRoute[]
  /** Upstreams that were left out because they point back at this daemon. */
  readonly looping: readonly Upstream[]
}

/**
 * @param resolvers name servers of resolv.conf; used when no external upstreams are configured
 * @param own listening addresses
 * @param localAddresses of all interfaces; needed for a wildcard listener
 */
export function planRouting(
  config: Config,
  resolvers: readonly Upstream[],
  own: readonly Endpoint[],
  localAddresses: readonly string[],
): Routing {
  const { external, cluster, zones } = config
  const isConfigured = external.upstreams.length > 0
  const candidates = isConfigured ? external.upstreams : resolversOf(external, resolvers)
  const looping = candidates.filter((upstream) => reachesOurselves(upstream, own, localAddresses))
  const upstreams = candidates.filter((upstream) => !looping.includes(upstream))
  const externalConfig = {
    name: externalGroup,
    upstreams,
    settings: settingsOf(external, 'sequential'),
  }
  const stubGroups = zones.map(({ name, upstreams: servers, exchange }) => ({
    name: stubGroup(name),
    upstreams: servers,
    settings: settingsOf({ exchange }, 'sequential'),
  }))
  const clusterConfig = {
    name: clusterGroup,
    upstreams: cluster.upstreams,
    settings: settingsOf(cluster, 'spread'),
  }
  const hasCluster = cluster.upstreams.length > 0
  return {
    groups: [...(hasCluster ? [clusterConfig] : []), externalConfig, ...stubGroups],
    zones: planZones(config, hasCluster),
    looping,
  }
}

/** Whether the upstreams of the group are those that resolv.conf names. */
export function isOfResolvConf(group: string, { external }: Config): boolean {
  const isAsked = external.upstreams.length === 0 && external.withoutUpstreams === 'resolvConf'
  return group === externalGroup && isAsked
}

/** The name servers of resolv.conf, as far as they are to be asked. */
function resolversOf(
  { withoutUpstreams, resolvConfTransport }: Config['external'],
  resolvers: readonly Upstream[],
): readonly Upstream[] {
  if (withoutUpstreams !== 'resolvConf') return []
  if (resolvConfTransport === 'udp') return resolvers
  return resolvers.map((one) => ({ ...one, transport: resolvConfTransport }))
}

/** @param auto endpoints of one CoreDNS are equals; resolvers are not, whatever carries the questions to them */
function settingsOf(
  { exchange }: Pick<Config['external'], 'exchange'>,
  auto: ChoicePolicy,
): ExchangeSettings {
  return { ...exchange, policy: exchange.policy === 'auto' ? auto : exchange.policy }
}

/** Names that belong to the cluster, where no configured zone says otherwise. */
export function clusterNames({ cluster, clusterDomain, zones }: Config): string[] {
  const hasReverse = cluster.reverse && cluster.upstreams.length > 0
  const reverse = hasReverse ? reverseRoots : cluster.ranges.flatMap(reverseZonesOf)
  const others = new Set(zones.map(({ name }) => name))
  return [clusterDomain, ...new Set(reverse)].filter((name) => !others.has(name))
}

function planZones(config: Config, hasCluster: boolean): ZoneRoute[] {
  const { cluster, external, zones, clusterDomain } = config
  const ofCluster = hasCluster ? clusterNames(config) : []
  // No name occurs twice: the configuration's checks refuse a stub zone for a name of the cluster, or for the root.
  return [
    ...ofCluster.map((name) =>
      zoneRoute(name, clusterGroup, {
        ...commonOf(cluster),
        isCluster: true,
        // CoreDNS forwards reverse names of addresses outside the cluster.
        mayRecurse: name !== clusterDomain,
        trustAd: false,
      }),
    ),
    ...zones.map((zone) => zoneRoute(zone.name, stubGroup(zone.name), ofResolver(zone))),
    zoneRoute('.', externalGroup, ofResolver(external)),
  ]
}

type RouteValues = Omit<ZoneRoute, 'zone' | 'name' | 'group'>

function ofResolver(group: Config['external'] | Config['zones'][number]): RouteValues {
  const { trustAd, upstreams, withoutUpstreams } = group
  const isRefused = upstreams.length === 0 && withoutUpstreams === 'refused'
  const isUnserved = isRefused || (upstreams.length === 0 && withoutUpstreams === 'servfail')
  return { ...commonOf(group), isCluster: false, mayRecurse: true, trustAd, isUnserved, isRefused }
}

function commonOf({ ttl, exchange }: Pick<Config['external'], 'ttl' | 'exchange'>) {
  const { udp, ednsOptions } = exchange
  return { ttl, payloadBytes: udp.payloadBytes, ...optionsOf(ednsOptions) }
}

function optionsOf(options: readonly EdnsOption[]): Pick<ZoneRoute, 'ednsOptions'> {
  return options.length === 0 ? {} : { ednsOptions: ednsOptionBytes(options) }
}

function stubGroup(name: string): string {
  return `zone ${zoneText(name)}`
}

function zoneRoute(text: string, group: string, values: RouteValues): ZoneRoute {
  return { zone: zoneText(text), name: wireName(text), group, ...values }
}

function zoneText(text: string): string {
  return presentName(wireName(text), 0)
}

/** Addresses that are no clients: our own listeners and the upstreams. */
export function knownServers(routing: Routing, own: readonly Endpoint[]): SocketAddress[] {
  return [...own, ...routing.groups.flatMap(({ upstreams }) => upstreams)]
}

/** Upstreams by group, as in `cluster: tcp://10.96.0.11:53`. */
export function upstreamTexts({ groups }: Routing): string[] {
  return groups.map(
    ({ name, upstreams }) => `${name}: ${upstreams.map(formatUpstream).join(' ') || 'none'}`,
  )
}

/** Says what is wrong with the groups of a configuration that is in force. */
export function warnOfRouting(routing: Routing, { cluster }: Config, log: Log): void {
  warnOfLoops(routing, log)
  if (cluster.upstreams.length > 0) return
  const answer = cluster.withoutUpstreams
  log.info({ answer }, 'cluster.upstreams is empty: names of the cluster are not served')
}

export function warnOfLoops({ looping }: Routing, log: Log): void {
  for (const own of looping) {
    log.warn(
      { upstream: formatEndpoint(own) },
      'upstream left out: it is one of our own listening addresses, so queries would go round for ever',
    )
  }
}
