/** Which upstream group answers for a name: the longest matching zone, compared label by label. Pure. */
import { nameBytesMax } from '../wire/constants.ts'
import type { TtlLimits } from './cache/ttl.ts'

/** How the names of one zone are resolved. Cache entries keep a reference, so one object lives as long as its zone. */
export interface Route {
  /** Presentation form with trailing dot, as in `cluster.local.`; labels metrics. */
  readonly zone: string
  /** Position in the configured order; labels metrics. -1 once the zone is gone from the configuration. */
  zoneIndex: number
  /** Labels of the zone's name, without the root's. */
  readonly zoneLabels: number
  /** Upstream group. */
  group: string
  ttl: TtlLimits
  /**
   * The cluster's own DNS: its answers are passed on whole, its names are never taken from elsewhere, and its denials hold only
   * for the type that was asked (CoreDNS says NXDOMAIN for TXT where A has NODATA: SP-6).
   */
  isCluster: boolean
  /** The upstreams may have to ask other servers for these names; CoreDNS knows the cluster domain itself. */
  mayRecurse: boolean
  /** EDNS buffer size offered to upstreams (RFC 9715). */
  payloadBytes: number
  /** EDNS options for the upstreams, in wire form; absent: none. */
  ednsOptions?: Uint8Array | undefined
  /** The group has no upstreams; absent: false. */
  isUnserved?: boolean
  /** The group has no upstreams, and its names are refused at once; absent: false. */
  isRefused?: boolean
  /** The upstreams validate, and the path to them is safe: their AD bit is passed on (RFC 6840 5.8). */
  trustAd: boolean
}

/** A zone as configured. */
export interface ZoneRoute extends Omit<Route, 'zoneIndex' | 'zone' | 'zoneLabels'> {
  readonly zone: string
  /** Folded wire form of the zone's name. */
  readonly name: Uint8Array
}

export class Router {
  /** Changes with every `replace`, so that each cached answer is checked once against the present routes. */
  generation = 0
  private routes = new Map<string, Route>()
  /** 1 at each length in bytes that some zone's name has. */
  private readonly zoneLengths = new Uint8Array(nameBytesMax + 1)
  private readonly fallback: Route

  /** @param zones must hold the root */
  constructor(zones: readonly ZoneRoute[]) {
    this.replace(zones)
    const root = this.routes.get('\0')
    if (root === undefined) throw new Error('routes without the root zone')
    this.fallback = root
  }

  /** Replaces all zones. Routes of zones that stay keep their identity and take the new values. */
  replace(zones: readonly ZoneRoute[]): void {
    const next = new Map<string, Route>()
    for (const [zoneIndex, { name, zone, ...values }] of zones.entries()) {
      const key = Buffer.from(name).toString('latin1')
      const zoneLabels = labelsIn(name)
      const route = this.routes.get(key) ?? { zone, zoneIndex, zoneLabels, ...values }
      next.set(key, Object.assign(route, { zoneIndex, ...values }))
    }
    for (const [key, route] of this.routes) if (!next.has(key)) route.zoneIndex = -1
    this.routes = next
    this.zoneLengths.fill(0)
    for (const key of next.keys()) this.zoneLengths[key.length] = 1
    this.generation += 1
  }

  /** @param name folded wire form */
  route(name: Buffer, nameBytes: number): Route {
    for (let at = 0; at < nameBytes; at += (name[at] as number) + 1) {
      // Strings are made only at lengths that some zone has: for most outside names, none.
      if (this.zoneLengths[nameBytes - at] !== 1) continue
      const route = this.routes.get(name.toString('latin1', at, nameBytes))
      if (route !== undefined) return route
    }
    return this.fallback
  }
}

function labelsIn(name: Uint8Array): number {
  let labels = 0
  for (let at = 0; (name[at] ?? 0) > 0; at += (name[at] as number) + 1) labels += 1
  return labels
}
