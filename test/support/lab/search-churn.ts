/**
 * A cluster that changes while it is asked, and the judge of what was answered meanwhile. The truth is CoreDNS's own: each
 * unit is walked through its states beforehand and CoreDNS is asked everything in each. A later reply is right if it is what
 * CoreDNS says in a state that was in force at some time between `window` before the question and the reply. When a state
 * ends is seen, not assumed: a marker object, put after the change, has come through the same watch.
 */
import type { Random } from '../../fuzz/random.ts'
import { askAllTcp } from '../client/ask-all.ts'
import { type Server, UdpClient } from '../client/dns-client.ts'
import { readMessage, writeQuery } from '../client/dns-message.ts'
import type { KubeApi } from '../world/kube-api.ts'
import type { KubeObject, ResourceName } from '../world/kube-world.ts'
import { replySummary } from './search-summary.ts'
import type { Step, Unit } from './search-world.ts'

/** A state of a unit, from when the API had it until CoreDNS was seen to have gone on. */
export interface Reign {
  readonly state: number
  readonly fromMs: number
  untilMs: number
}

export class ChangingCluster {
  readonly units: readonly Unit[]
  /** [unit][state][question]: what CoreDNS says. */
  readonly truth: string[][][] = []
  readonly history: Reign[][]
  changes = 0
  /** The longest that CoreDNS took to see a change, our own polling included. */
  lagMaxMs = 0
  readonly #api: KubeApi
  readonly #direct: Server
  readonly #markers: Markers

  constructor(api: KubeApi, direct: Server, units: readonly Unit[]) {
    this.#api = api
    this.#direct = direct
    this.units = units
    this.history = units.map(() => [{ state: 0, fromMs: 0, untilMs: Number.POSITIVE_INFINITY }])
    this.#markers = new Markers(api, direct)
  }

  /** Walks every unit through its states and back, and asks CoreDNS everything in each. */
  async learnTruth(): Promise<void> {
    for (const [index, unit] of this.units.entries()) {
      const states: string[][] = []
      for (let state = 0; state <= unit.steps.length; state++) {
        if (state > 0) await this.#oneStep(index, state)
        const asked = unit.questions.map(({ name, type }) => ({
          name: withLabel(name, 'anything'),
          type,
        }))
        const replies = await askAllTcp(this.#direct, asked)
        states.push(replies.map(replySummary))
      }
      this.truth.push(states)
      for (let state = unit.steps.length - 1; state >= 0; state--) await this.#oneStep(index, state)
    }
    for (const [index, reigns] of this.history.entries()) {
      this.history[index] = [{ ...(reigns.at(-1) ?? reigns[0]), fromMs: 0 } as Reign]
    }
    this.changes = 0
  }

  /** Changes units at random until told to stop. */
  async run(random: Random, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const index = random.below(this.units.length)
      const steps = this.units[index]?.steps.length ?? 0
      const target = random.below(steps + 1)
      for (let at = this.#state(index); at !== target && !isOver(); at = this.#state(index)) {
        await this.#oneStep(index, at < target ? at + 1 : at - 1)
        await new Promise((resolve) => setTimeout(resolve, random.below(400)))
      }
    }
  }

  /** Asks for marker objects no more. */
  async stop(): Promise<void> {
    await this.#markers.close()
  }

  #state(index: number): number {
    return this.history[index]?.at(-1)?.state ?? 0
  }

  /** To a neighbouring state. */
  async #oneStep(index: number, state: number): Promise<void> {
    const reigns = this.history[index] ?? []
    const before = reigns.at(-1)
    const fromMs = performance.now()
    const resource = this.#put(this.units[index]?.steps ?? [], before?.state ?? 0, state)
    reigns.push({ state, fromMs, untilMs: Number.POSITIVE_INFINITY })
    await this.#markers.passed(resource)
    if (before !== undefined) before.untilMs = performance.now()
    this.lagMaxMs = Math.max(this.lagMaxMs, performance.now() - fromMs)
    this.changes += 1
  }

  #put(steps: readonly Step[], from: number, to: number): ResourceName {
    const changed = steps[Math.max(from, to) - 1]
    if (changed === undefined) throw new Error(`no step between ${from} and ${to}`)
    const { resource, object } = changed
    // Going back restores what an earlier step had put there.
    const restored = steps.slice(0, to).findLast((step) => isSame(step, changed))
    if (to > from) this.#api.put(resource, object)
    else if (restored !== undefined) this.#api.put(resource, restored.object)
    else this.#api.delete(resource, object.metadata.name, object.metadata.namespace)
    return resource
  }
}

export function withLabel(name: string, label: string): string {
  return name.replace('{}', label)
}

function isSame(a: Step, b: Step): boolean {
  const [m, n] = [a.object.metadata, b.object.metadata]
  return a.resource === b.resource && m.name === n.name && m.namespace === n.namespace
}

/** Objects of no other use, by which it is seen how far CoreDNS has read a watch. */
class Markers {
  readonly #api: KubeApi
  readonly #direct: Server
  #client: UdpClient | undefined
  #count = 0

  constructor(api: KubeApi, direct: Server) {
    this.#api = api
    this.#direct = direct
  }

  /** Resolves when CoreDNS has seen all that was put into this resource before. */
  async passed(resource: ResourceName): Promise<void> {
    this.#count += 1
    const n = this.#count
    const address = `10.99.${(n >> 8) & 255}.${n & 255}`
    const name = this.#put(resource, address)
    this.#client ??= await UdpClient.open(this.#direct)
    const client = this.#client
    const giveUpMs = performance.now() + 10_000
    for (;;) {
      client.send(writeQuery(`${name}.svc.cluster.local`, 'A'))
      const reply = await client.next(500)
      if (reply !== undefined) {
        const { rcode, answers } = readMessage(reply)
        const isThere = resource === 'namespaces' ? rcode === 0 : answers[0]?.data === address
        if (isThere) return
      }
      if (performance.now() > giveUpMs)
        throw new Error(`CoreDNS does not see a change of ${resource}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async close(): Promise<void> {
    await this.#client?.close()
  }

  /** @returns the name that shows it, relative to `svc.cluster.local` */
  #put(resource: ResourceName, address: string): string {
    switch (resource) {
      case 'namespaces': {
        const name = `marker-${this.#count}`
        this.#api.put('namespaces', { metadata: { name } })
        return name
      }
      case 'services':
        this.#api.put('services', this.#service('marker', address))
        return 'marker.default'
      default:
        this.#api.put('services', this.#service('marker-slices', 'None'))
        this.#api.put('endpointslices', this.#slice(address))
        return 'marker-slices.default'
    }
  }

  #service(name: string, clusterIP: string): KubeObject {
    return {
      metadata: { name, namespace: 'default' },
      spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ports: [] },
    }
  }

  #slice(address: string): KubeObject {
    return {
      metadata: {
        name: 'marker-slices',
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': 'marker-slices' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [],
    }
  }
}
