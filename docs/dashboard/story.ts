/**
 * Three nodes of a small cluster, for the picture of the dashboard: each a network namespace with a real CoreDNS before a stand-in for the
 * API server, a resolver for the rest, a real neardns that intercepts, and pods that ask. On one of them CoreDNS hangs for a while, on
 * another a firewall cuts neardns off. Needs root.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../test/fuzz/random.ts'
import type { LoadQuery } from '../../test/support/client/load.ts'
import { Coredns } from '../../test/support/coredns.ts'
import { Neardns } from '../../test/support/neardns.ts'
import { mustRun, until } from '../../test/support/process.ts'
import { Agent } from '../../test/support/world/agent.ts'
import { Netns } from '../../test/support/world/netns.ts'
import type { Target } from '../../test/watch/prometheus.ts'
import { targetLabels } from '../../test/watch/watched.ts'
import { Window } from '../../test/watch/window.ts'

const linkLocal = '169.254.20.10'
const corednsIp = '127.0.0.11'
const resolverIp = '127.0.0.12'
const admin = '127.0.0.1:9253'
const chunkSeconds = 5
const namespaces = 3

export class StoryNode {
  readonly target: Target
  readonly #netns: Netns
  readonly #agents: readonly Agent[]
  readonly #coredns: Coredns
  readonly #resolver: Coredns
  readonly #neardns: Neardns
  readonly #window: Window
  readonly #random: Random

  private constructor(parts: {
    name: string
    netns: Netns
    agents: readonly Agent[]
    coredns: Coredns
    resolver: Coredns
    neardns: Neardns
    window: Window
    random: Random
  }) {
    this.#netns = parts.netns
    this.#agents = parts.agents
    this.#coredns = parts.coredns
    this.#resolver = parts.resolver
    this.#neardns = parts.neardns
    this.#window = parts.window
    this.#random = parts.random
    this.target = { address: parts.window.address, labels: targetLabels(parts.name) }
  }

  static async start(name: string, seed: number): Promise<StoryNode> {
    const netns = await Netns.create(name)
    const load = new Agent(netns)
    const api = new Agent(netns)
    const { url } = await api.call('kubeApi', { namespaces, port: 6443 })
    const coredns = await Coredns.start({ netns: netns.name, corefile: clusterCorefile(url) })
    const resolver = await Coredns.start({ netns: netns.name, corefile: resolverCorefile })
    const neardns = await startNeardns(netns)
    const window = await Window.open(api, admin)
    const agents = [load, api]
    const random = new Random(seed)
    return new StoryNode({ name, netns, agents, coredns, resolver, neardns, window, random })
  }

  /** Pods ask for so long, sometimes more, sometimes less. */
  async serve(seconds: number): Promise<void> {
    const [load] = this.#agents
    for (let at = 0; at < seconds; at += chunkSeconds) {
      const wave = 1 + 0.35 * Math.sin(at / 23) + 0.3 * this.#fraction()
      const perSecond = Math.round(90 * wave)
      const queries = this.#questions(perSecond * chunkSeconds)
      const server = { host: linkLocal, port: 53 }
      await load?.call('load', { server, queriesPerSecond: perSecond, queries })
    }
  }

  /** CoreDNS takes connections and says nothing. */
  async hangCoredns(seconds: number): Promise<void> {
    this.#coredns.freeze()
    await sleep(seconds)
    this.#coredns.thaw()
  }

  /** What neardns asks itself is dropped, and it lets go of its queries. */
  async cutOff(seconds: number): Promise<void> {
    const options = { netns: this.#netns.name }
    const table = `table inet firewall { chain input { type filter hook input priority 0; ip saddr 127.0.0.1 ip daddr ${linkLocal} drop; }; }`
    await mustRun('nft', ['-f', '-'], { ...options, stdin: table })
    await sleep(seconds)
    await mustRun('nft', ['delete', 'table', 'inet', 'firewall'], options)
  }

  async stop(): Promise<void> {
    await this.#neardns.child.stop('SIGKILL')
    await this.#window.close()
    for (const agent of this.#agents) await agent.stop()
    await this.#coredns.stop()
    await this.#resolver.stop()
    await this.#netns.remove()
  }

  #fraction(): number {
    return this.#random.below(1_000_000) / 1_000_000
  }

  #questions(count: number): LoadQuery[] {
    const questions: LoadQuery[] = []
    while (questions.length < count) questions.push(...this.#lookup())
    return questions.slice(0, count)
  }

  /** What one look-up of a pod sends. */
  #lookup(): LoadQuery[] {
    const dice = this.#fraction()
    if (dice < 0.55) {
      const team = this.#random.below(namespaces)
      return [question(`cluster-v4.team-${team}.svc.cluster.local`)]
    }
    // Names outside come with what the search list makes of them.
    const popular = `www-${Math.floor(40 * this.#fraction() ** 2)}.example.test`
    const name = dice < 0.97 ? popular : `${this.#random.below(1e9)}.slow.test`
    const search = ['team-0.svc.cluster.local', 'svc.cluster.local', 'cluster.local']
    return [...search.map((domain) => question(`${name}.${domain}`)), question(name)]
  }
}

function question(name: string): LoadQuery {
  return { name, type: 'A', group: 'any', rcode: 0 }
}

async function startNeardns(netns: Netns): Promise<Neardns> {
  const directory = await mkdtemp(join(tmpdir(), 'neardns-story-'))
  const config = join(directory, 'neardns.yaml')
  const settings = {
    listen: [`${linkLocal}:53`],
    admin: { listen: admin },
    interception: {
      addresses: [linkLocal],
      link: { kind: 'bridge' },
      standbyTo: [`${corednsIp}:53`],
    },
    cluster: { upstreams: [`${corednsIp}:53`] },
    external: { upstreams: [`${resolverIp}:53`] },
    searchPath: { trust: 'declared' },
  }
  await writeFile(config, JSON.stringify(settings))
  const neardns = await Neardns.start({ netns: netns.name, args: [`--config=${config}`] })
  await rm(directory, { recursive: true, force: true })
  return neardns
}

function clusterCorefile(apiUrl: string): string {
  return `.:53 {
  bind ${corednsIp}
  kubernetes cluster.local {
    endpoint ${apiUrl}
    pods insecure
    ttl 5
  }
}
`
}

/** Names of slow.test take 60 ms now and then, all others nothing. */
const resolverCorefile = `slow.test:53 {
  bind ${resolverIp}
  erratic {
    drop 0
    truncate 0
    delay 2 60ms
  }
}
.:53 {
  bind ${resolverIp}
  template IN A . {
    answer "{{ .Name }} 20 IN A 192.0.2.53"
  }
}
`

/** Prometheus has met all of them. */
export async function untilScraped(count: () => Promise<number>, wanted: number): Promise<void> {
  await until('all nodes are scraped', async () => (await count()) === wanted, {
    timeoutMs: 30_000,
    everyMs: 300,
  })
}

async function sleep(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
