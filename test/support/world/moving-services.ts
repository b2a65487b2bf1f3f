/**
 * Services and namespaces that come and go while clients look them up, and what a client may find at a given time: the state
 * of any moment between its question and as long before it as answers may be kept. Some stand in the way of a public
 * name, so that a wrong denial shows as a stranger's address.
 */

import { asksFromTwoSockets, type ClientKind } from '../client/lookup-loop.ts'
import type { KubeChange } from './agent.ts'
import type { KubeObject } from './kube-world.ts'

/** One thing that is there or not. */
export interface Moving {
  /** As clients in `team-0` write them. */
  readonly names: readonly string[]
  /** What the names resolve to while it is there. */
  readonly present: readonly string[]
  /** And while it is not: nothing, or a public name's addresses. */
  readonly absent: readonly string[]
  readonly arrival: readonly KubeChange[]
  readonly departure: readonly KubeChange[]
}

/**
 * How a fault begins that is half of what has just come: A and AAAA on either side of the moment at which the proxy learned of it.
 * The two are separate questions, so no proxy can rule it out; it must be as rare as that moment is short.
 */
export const tornPair = 'half of it:'

/** Answers live five seconds; CoreDNS hears of a change, and clients read, some time after. */
const memoryMs = 5000 + 1500

interface Phase {
  readonly isThere: boolean
  /** When the change to it began, and when the change from it was complete. */
  readonly fromMs: number
  toMs: number
}

export class MovingServices {
  readonly all: readonly Moving[]
  private readonly apply: (changes: readonly KubeChange[]) => Promise<void>
  private readonly phases = new Map<Moving, Phase[]>()
  private readonly byName = new Map<string, Moving>()
  private next = 0

  /** None of them is there yet. */
  constructor(all: readonly Moving[], apply: (changes: readonly KubeChange[]) => Promise<void>) {
    this.all = all
    this.apply = apply
    const absent = {
      isThere: false,
      fromMs: Number.NEGATIVE_INFINITY,
      toMs: Number.POSITIVE_INFINITY,
    }
    for (const moving of all) {
      this.phases.set(moving, [{ ...absent }])
      for (const name of moving.names) this.byName.set(name, moving)
    }
  }

  /** Lets the next one in turn come or go. */
  async step(): Promise<void> {
    const moving = this.all[this.next++ % this.all.length]
    if (moving) await this.toggle(moving)
  }

  async toggle(moving: Moving): Promise<void> {
    const phases = this.phases.get(moving) ?? []
    const last = phases.at(-1)
    const isThere = last?.isThere !== true
    const fromMs = performance.now()
    await this.apply(isThere ? moving.arrival : moving.departure)
    if (last) last.toMs = performance.now()
    phases.push({ isThere, fromMs, toMs: Number.POSITIVE_INFINITY })
  }

  /** All leave. */
  async clear(): Promise<void> {
    for (const moving of this.all) {
      if (this.phases.get(moving)?.at(-1)?.isThere === true) await this.toggle(moving)
    }
  }

  /** @returns what is wrong with this result for a name of theirs; undefined for nothing, or a name of nobody's */
  judge(
    name: string,
    found: readonly string[],
    { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
    client: ClientKind,
  ): string | undefined {
    const moving = this.byName.get(name)
    if (moving === undefined) return undefined
    const held = (this.phases.get(moving) ?? []).filter(
      ({ fromMs, toMs }) => fromMs <= endMs && toMs >= startMs - memoryMs,
    )
    const text = found.join(' ')
    const allowed = held.map(({ isThere }) => (isThere ? moving.present : moving.absent).join(' '))
    if (allowed.includes(text)) return undefined
    // The families of what has gone are forgotten one after the other, each at the end of its own time.
    const hasLeft = held.some(({ isThere, toMs }) => isThere && toMs <= endMs)
    const isPart = found.length > 0 && found.every((address) => moving.present.includes(address))
    if (hasLeft && isPart) return undefined
    // One family of what is there now, the other of what was in its place.
    const isMixed =
      asksFromTwoSockets(client) &&
      held.length > 1 &&
      text !== moving.absent.join(' ') &&
      found.length > 0 &&
      found.every((address) => [...moving.present, ...moving.absent].includes(address))
    const how = isPart || isMixed ? tornPair : 'found'
    return `${how} ${text || 'nothing'}, allowed was ${allowed.map((each) => each || 'nothing').join(' or ')}`
  }

  isMoving(name: string): boolean {
    return this.byName.has(name)
  }
}

/** A Service with an address of each family of its own. */
export function movingClusterIp(number: number): Moving {
  const name = `moving-${number}`
  const present = [`10.99.0.${number + 1}`, `fd99::${(number + 1).toString(16)}`]
  const service = serviceOf(name, 'team-0', present)
  return {
    names: [name, `${name}.team-0`, `${name}.team-0.svc`, `${name}.team-0.svc.cluster.local`],
    present,
    absent: [],
    arrival: [{ resource: 'services', object: service }],
    departure: [{ resource: 'services', object: service, isDeleted: true }],
  }
}

/** A namespace that comes with a Service in it; together they may look like a public name. */
export function movingNamespace(
  { namespace, service, number }: { namespace: string; service: string; number: number },
  absent: readonly string[],
): Moving {
  const present = [`10.99.1.${number + 1}`, `fd99::1:${(number + 1).toString(16)}`]
  const home: KubeObject = { metadata: { name: namespace } }
  const object = serviceOf(service, namespace, present)
  return {
    names: [`${service}.${namespace}`],
    present,
    absent,
    arrival: [
      { resource: 'namespaces', object: home },
      { resource: 'services', object },
    ],
    departure: [
      { resource: 'services', object, isDeleted: true },
      { resource: 'namespaces', object: home, isDeleted: true },
    ],
  }
}

/** A headless Service named like a top-level domain, with a pod named like a host in it: `www.com` in the pod's namespace. */
export function movingHeadless(tld: string, hostname: string, absent: readonly string[]): Moving {
  const present = ['10.99.2.1', 'fd99::2:1']
  const metadata = { name: tld, namespace: 'team-0' }
  const ports = [{ name: 'http', port: 80, protocol: 'TCP' }]
  const service: KubeObject = {
    metadata,
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      clusterIPs: ['None'],
      ipFamilies: ['IPv4', 'IPv6'],
      ports,
    },
  }
  const slices = present.map((address) => {
    const family = address.includes(':') ? 'IPv6' : 'IPv4'
    return {
      metadata: {
        name: `${tld}-${family.toLowerCase()}`,
        namespace: 'team-0',
        labels: { 'kubernetes.io/service-name': tld },
      },
      addressType: family,
      endpoints: [
        {
          addresses: [address],
          hostname,
          conditions: { ready: true, serving: true, terminating: false },
        },
      ],
      ports,
    }
  })
  const parts: KubeChange[] = [
    ...slices.map((object) => ({ resource: 'endpointslices' as const, object })),
    { resource: 'services', object: service },
  ]
  return {
    names: [`${hostname}.${tld}`],
    present,
    absent,
    arrival: parts,
    departure: parts.toReversed().map((part) => ({ ...part, isDeleted: true })),
  }
}

function serviceOf(name: string, namespace: string, addresses: readonly string[]): KubeObject {
  return {
    metadata: { name, namespace },
    spec: {
      type: 'ClusterIP',
      clusterIP: addresses[0],
      clusterIPs: addresses,
      ipFamilies: addresses.map((address) => (address.includes(':') ? 'IPv6' : 'IPv4')),
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    },
  }
}
