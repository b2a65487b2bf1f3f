/**
 * Daemons that are watched, each for one kind of fault, and one that is left in peace. Starting them, breaking them and clearing
 * up; which alert has to follow is said by the test.
 */

import { askUdp } from '../support/client/dns-client.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { Cluster, plainCorefile } from '../support/lab/search-rig.ts'
import { makeKubeWorld } from '../support/world/kube-world.ts'
import { type FakeQuery, FakeUpstream, silent } from '../upstream/fake-upstream.ts'
import { WatchedNode } from './node.ts'
import type { Target } from './prometheus.ts'
import { Asker, type Settings, Watched } from './watched.ts'

export const daemonNames = [
  'calm',
  'unanswered',
  'late',
  'stalled',
  'refusing',
  'crowded',
  'restarted',
  'loop-there',
  'misled',
] as const
export type DaemonName = (typeof daemonNames)[number]

type Closer = () => Promise<void>

/** Longer than the 4 s of the mixins, shorter than the daemon's own patience. */
const lateMs = 4300

export class Lab {
  readonly daemons: ReadonlyMap<DaemonName, Watched>
  readonly node: WatchedNode
  readonly #coredns: FakeUpstream
  readonly #askers: Asker[] = []
  readonly #closers: Closer[]

  private constructor(parts: {
    daemons: ReadonlyMap<DaemonName, Watched>
    node: WatchedNode
    coredns: FakeUpstream
    closers: Closer[]
  }) {
    this.daemons = parts.daemons
    this.node = parts.node
    this.#coredns = parts.coredns
    this.#closers = parts.closers
  }

  /** All of it, or nothing is left. */
  static async open(): Promise<Lab> {
    const closers: Closer[] = []
    try {
      return await Lab.#build(closers)
    } catch (error) {
      await closeAll(closers)
      throw error
    }
  }

  static async #build(closers: Closer[]): Promise<Lab> {
    const upstream = await FakeUpstream.start(outside)
    closers.push(() => upstream.stop())
    const coredns = await FakeUpstream.start((query) => query.answer({ ttl: 1 }))
    closers.push(() => coredns.stop())
    const cluster = await startCluster()
    closers.push(() => cluster.stop())
    const daemons = new Map<DaemonName, Watched>()
    for (const name of daemonNames) {
      const daemon = await Watched.prepare(name)
      daemons.set(name, daemon)
      closers.push(() => daemon.stop())
    }
    const back = await FakeUpstream.start((query) => handBack(query, daemons.get('loop-there')))
    closers.push(() => back.stop())
    const external = { upstreams: [`127.0.0.1:${upstream.port}`] }
    const settings: Readonly<Record<DaemonName, Settings>> = {
      calm: { external },
      unanswered: { external, cluster: { upstreams: [`127.0.0.1:${coredns.port}`] } },
      late: { external },
      // Room for a few small queries only.
      stalled: { external, udp: { receiveBufferBytes: 4096 } },
      refusing: { external },
      crowded: { external, inFlight: { questionsMax: 1 } },
      restarted: { external },
      'loop-there': { external: { upstreams: [`127.0.0.1:${back.port}`] } },
      misled: {
        external,
        cluster: { upstreams: [`${cluster.direct.host}:${cluster.direct.port}`] },
        searchPath: { trust: 'declared' },
      },
    }
    // A few at a time: on a busy machine all at once would take longer than one may.
    const waiting = [...daemons]
    const starter = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [name, daemon] = next
        await daemon.configure(settings[name])
        await daemon.run()
      }
    }
    await Promise.all([starter(), starter(), starter()])
    const node = await WatchedNode.create()
    closers.push(() => node.remove())
    return new Lab({ daemons, node, coredns, closers })
  }

  get targets(): readonly Target[] {
    return [...[...this.daemons.values()].map(({ target }) => target), ...this.node.targets]
  }

  daemon(name: DaemonName): Watched {
    const daemon = this.daemons.get(name)
    if (daemon === undefined) throw new Error(`no daemon ${name}`)
    return daemon
  }

  /** Ordinary questions, most of them repeated. */
  async serveCalmly(): Promise<void> {
    await this.#ask('calm', 20, (n) => `name-${n % 10}.example`)
  }

  /** CoreDNS takes questions and says nothing any more; known names go on being asked for, and new ones. */
  async silenceCoredns(): Promise<void> {
    await this.#ask('unanswered', 20, (n) =>
      n % 4 === 0
        ? `new-${n}.default.svc.cluster.local`
        : `known-${n % 6}.default.svc.cluster.local`,
    )
    await sleep(3000)
    this.#coredns.behave = silent
    this.#coredns.answersTrials = false
  }

  /** Every other answer from outside comes late, and some say SERVFAIL. */
  async answerLate(): Promise<void> {
    const kinds = ['late', 'prompt', 'late', 'broken'] as const
    await this.#ask('late', 8, (n) => `${kinds[n % 4]}-${n}.example`)
  }

  /** The process stands still for longer than the interception would, while queries come. */
  async stall(): Promise<void> {
    const daemon = this.daemon('stalled')
    await this.#ask('stalled', 200, (n) => `name-${n % 10}.example`)
    await sleep(3000)
    // A delay that begins just after a scrape is not seen: Node measures from its next tick on.
    for (let times = 0; times < 3; times++) {
      await daemon.freeze(1500)
      await sleep(1300)
    }
  }

  async writeWrongConfig(): Promise<void> {
    await this.daemon('refusing').writeConfig('listen: [127.0.0.1:53]\nno-such-setting: 1\n')
  }

  /** More questions at once than there is room for. */
  async crowd(): Promise<void> {
    await this.#ask('crowded', 20, (n) => `late-${n}.example`)
  }

  /**
   * Started again and again; then it stays away.
   * @param seen resolves when Prometheus has met the process that runs, the first, the second and so on
   */
  async restart(seen: (processes: number) => Promise<void>): Promise<void> {
    const daemon = this.daemon('restarted')
    await seen(1)
    for (let processes = 2; processes <= 4; processes++) {
      await daemon.kill()
      // Starts are told apart by the second.
      await sleep(1000)
      await daemon.run()
      await seen(processes)
    }
    await daemon.kill()
  }

  /** An upstream that asks the daemon what the daemon asks it. */
  async loop(): Promise<void> {
    await this.#ask('loop-there', 2, (n) => `round-${n}.example`)
  }

  /** A Corefile has names where the declaration says there are none. */
  async mislead(): Promise<void> {
    const { server } = this.daemon('misled')
    const names = ['first.org', 'x.corp', 'y.corp', 'z.corp', 'sub.other', 'db.corp']
    for (const name of names) await askUdp(server, writeQuery(`${name}.cluster.local`, 'A'))
    await this.#ask('misled', 10, (n) => `www-${n % 7}.example.org.team-0.svc.cluster.local`)
  }

  /** Everything is gone at once. */
  async killAll(): Promise<void> {
    await Promise.all([...this.daemons.values()].map((daemon) => daemon.kill()))
    await this.node.remove()
  }

  async close(): Promise<void> {
    for (const asker of this.#askers) await asker.stop()
    await closeAll(this.#closers)
  }

  async #ask(of: DaemonName, perSecond: number, nameOf: (n: number) => string): Promise<void> {
    this.#askers.push(await Asker.start(this.daemon(of).server, perSecond, nameOf))
  }
}

function outside(query: FakeQuery): void {
  if (query.qname.startsWith('late-')) query.after(lateMs, () => query.answer())
  else if (query.qname.startsWith('broken-')) query.answer({ rcode: 2, address: null })
  else query.answer({ ttl: 5 })
}

/** A real CoreDNS whose `hosts` plugin has names below the cluster's zone. */
async function startCluster(): Promise<Cluster> {
  const hosts =
    '  hosts {\n    10.4.0.2 db.corp.cluster.local\n    10.4.0.3 sub.other.cluster.local\n    fallthrough\n  }'
  return await Cluster.start({
    world: makeKubeWorld(2),
    corefile: (parts) => plainCorefile(parts, { before: hosts }),
  })
}

/** The newest first. */
async function closeAll(closers: Closer[]): Promise<void> {
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer()
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

/** As CoreDNS on a node whose resolv.conf names the node's own cache. */
function handBack(query: FakeQuery, daemon: Watched | undefined): void {
  if (daemon === undefined) return
  const message = Buffer.from(query.message)
  message.writeUInt16BE(query.id ^ 0x1234)
  askUdp(daemon.server, message, 4000)
    .then((reply) => {
      if (reply === undefined) return
      reply.writeUInt16BE(query.id)
      query.send(reply)
    })
    .catch(() => undefined)
}
