/**
 * What programs in a pod look up all day, with the right answer to each: outside names of two to five labels, many and few
 * asked, names that are nowhere, Services in every spelling. Names are drawn at random from a seed.
 */

import { externalAddresses, type SearchLabOptions } from '../lab/search-lab.ts'
import { makeKubeWorld, type ServiceFacts, type ServiceKind } from '../world/kube-world.ts'
import type { MovingServices } from '../world/moving-services.ts'
import type { ClientKind, LookupResult } from './lookup-loop.ts'

/** Kinds of Service whose own name has the addresses that kube-world.ts says. */
const plainKinds: readonly ServiceKind[] = [
  'cluster-v4',
  'cluster-v6',
  'cluster-dual',
  'headless',
  'headless-dual',
  'headless-not-ready',
]

/** Longer than this, and the client has lost a datagram or two: its own patience begins at 2 s (c-ares) or 2.5 s (musl). */
const tookUsMax = 1_900_000

interface Wanted {
  readonly name: string
  readonly addresses: readonly string[]
}

export class PodLookups {
  private readonly lab: SearchLabOptions
  private readonly moving: MovingServices
  private readonly services: readonly ServiceFacts[]
  private readonly stable = new Map<string, readonly string[]>()
  private seed: number

  constructor(lab: SearchLabOptions, moving: MovingServices, seed: number) {
    this.lab = lab
    this.moving = moving
    this.seed = seed
    this.services = makeKubeWorld(lab.namespaces).services.filter(({ kind }) =>
      plainKinds.includes(kind),
    )
  }

  /** A name for this client to look up. */
  draw(client: ClientKind): string {
    const share = this.random()
    if (share < 0.2) return this.drawMoving(client)
    const wanted = share < 0.4 ? this.drawService(client) : this.drawExternal(share < 0.45)
    this.stable.set(wanted.name, wanted.addresses)
    return wanted.name
  }

  /** @returns what is wrong with a result, or undefined */
  judge(client: ClientKind, result: LookupResult): string | undefined {
    const { name, verdict, addresses, why, tookUs } = result
    if (verdict === 'fail') return `failed: ${why}`
    if (tookUs > tookUsMax) return `took ${Math.round(tookUs / 1000)} ms`
    if (this.moving.isMoving(name)) return this.moving.judge(name, addresses, result, client)
    const wanted = this.stable.get(name)?.toSorted().join(' ')
    const found = addresses.join(' ')
    return found === wanted ? undefined : `found ${found || 'nothing'}, not ${wanted || 'nothing'}`
  }

  private drawMoving(client: ClientKind): string {
    const { names } = this.pick(this.moving.all)
    // JNDI takes every name as absolute: only those spelled out are the cluster's.
    const usable = client === 'jndi' ? names.filter((name) => name.endsWith('.local')) : names
    return usable.length === 0 ? this.drawMoving(client) : this.pick(usable)
  }

  private drawService(client: ClientKind): Wanted {
    const { name, namespace, v4, v6 } = this.pick(this.services)
    const whole = `${name}.${namespace}.svc.cluster.local`
    const spellings = [`${name}.${namespace}`, `${name}.${namespace}.svc`, whole, `${whole}.`]
    if (namespace === 'team-0') spellings.push(name)
    const spelling = client === 'jndi' ? whole : this.pick(spellings)
    return { name: spelling, addresses: [...v4, ...v6] }
  }

  /** Most are asked again and again; some once in a while, so that what is known about them has lapsed. */
  private drawExternal(isNowhere: boolean): Wanted {
    const isRare = this.random() < 0.3
    const host = `h${Math.floor(this.random() * (isRare ? 500 : 20))}`
    const inner = ['a', 'b', 'eu-west-1'].slice(0, Math.floor(this.random() * 4))
    const labels = [...inner, host]
    if (isNowhere) return { name: [...labels, 'nowhere'].join('.'), addresses: [] }
    const tlds = isRare ? this.lab.tlds : this.lab.tlds.slice(0, 6)
    const tld = this.pick(tlds)
    return { name: [...labels, tld].join('.'), addresses: externalAddresses(tld, this.lab) }
  }

  private pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)] as T
  }

  /** mulberry32: enough for a draw, and the same each time. */
  private random(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0
    let t = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
