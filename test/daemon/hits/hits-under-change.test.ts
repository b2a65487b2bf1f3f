/**
 * Goal: while the daemon is replaced, reloaded, flushed, stopped or killed and pods come and go, hits in the kernel lose nothing that the daemon
 * would not, and say nothing that it has taken back. Method: a daemon and a pod under load in namespaces. NEARDNS_UPGRADES=20 and
 * NEARDNS_PODS=100 make it long (npm run test:kernel-changes-long).
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installTable } from '../../kernel/table.ts'
import { builtProgram } from '../../support/built-program.ts'
import { type LoadQuery, type LoadRecord, tally, tallyText } from '../../support/client/load.ts'
import { readExposition } from '../../support/exposition.ts'
import { Neardns } from '../../support/neardns.ts'
import { needing } from '../../support/needs.ts'
import { mustRun, until } from '../../support/process.ts'
import { Unbound } from '../../support/unbound.ts'
import { Agent } from '../../support/world/agent.ts'
import type { Netns } from '../../support/world/netns.ts'
import { RoutedPods } from '../../support/world/routed-pods.ts'

export const testTimeoutMs = 400_000

const upgrades = Number(process.env['NEARDNS_UPGRADES'] ?? 3)
const podsToCome = Number(process.env['NEARDNS_PODS'] ?? 8)
/** A hundred in a minute. */
const podEveryMs = 600
const queriesPerSecond = 2000
const names = 100
const server = { host: '10.77.1.1', port: 53 }
/** The default of interception.lifetimeMs, for which the kernel answers without the daemon. */
const leaseMs = 2500
const timing = { timeoutMs: 30_000, everyMs: 20 }

const test = needing(
  suite('daemon/hits under change'),
  ...(['netns', 'tcx', 'clang', 'curl', 'unbound'] as const),
)

class World {
  readonly pods: RoutedPods
  readonly pod: Netns
  readonly agent: Agent
  readonly directory = mkdtempSync(join(tmpdir(), 'neardns-hits-'))
  daemon: Neardns | undefined
  private readonly upstream: Unbound

  private constructor(pods: RoutedPods, pod: Netns, upstream: Unbound) {
    this.pods = pods
    this.pod = pod
    this.upstream = upstream
    this.agent = new Agent(pod)
  }

  static async open(): Promise<World> {
    installTable()
    const pods = await RoutedPods.create()
    const pod = await pods.add(1)
    const upstream = await Unbound.start({
      ...{ address: '127.0.0.1', port: 5399, netns: pods.node.name, ttlSeconds: 300 },
      zones: { test: ['A 192.0.2.1'] },
    })
    const world = new World(pods, pod, upstream)
    await world.start()
    return world
  }

  async start(changed: object = {}): Promise<void> {
    this.daemon = await Neardns.start({
      args: ['--config', this.write(changed)],
      netns: this.pods.node.name,
    })
  }

  /** @returns path of the configuration */
  write(changed: object): string {
    const path = join(this.directory, 'neardns.yaml')
    const config = {
      listen: [`${server.host}:${server.port}`],
      external: { upstreams: ['127.0.0.1:5399'] },
      kernelHits: { mode: 'auto' },
      admin: { listen: ['127.0.0.1:9253'], socket: join(this.directory, 'admin.sock') },
      handover: { socket: `@neardns-hits-${process.pid}` },
      ...changed,
    }
    writeFileSync(path, JSON.stringify(config))
    return path
  }

  async upgrade(): Promise<void> {
    const before = this.daemon
    await this.start()
    const exit = await before?.child.exited
    assert.is(exit?.code, 0, before?.child.tail())
  }

  async reload(changed: object): Promise<void> {
    const child = this.daemon?.child
    const from = child?.lines.length ?? 0
    this.write(changed)
    child?.process.kill('SIGHUP')
    await child?.line((line) => line.includes('configuration applied'), 10_000, from)
  }

  /** @param part of a histogram, as in `_count` */
  async metric(
    name: string,
    labels: Readonly<Record<string, string>> = {},
    part = '',
  ): Promise<number> {
    const page = await this.pods.node.exec('curl', '-s', 'http://127.0.0.1:9253/metrics')
    const all = readExposition(`${page}\n`).get(name)?.series ?? []
    return all
      .filter((one) => one.name === `${name}${part}`)
      .filter((one) =>
        Object.entries(labels).every(([key, value]) => one.labels.get(key) === value),
      )
      .reduce((sum, { value }) => sum + value, 0)
  }

  hits = () => this.metric('neardns_kernel_hits_total')

  /** Of all queries that this process has answered. */
  async shareOfKernel(): Promise<number> {
    // Hits in the kernel have no durations.
    const own = await this.metric('coredns_dns_request_duration_seconds', {}, '_count')
    const hits = await this.hits()
    return hits / (hits + own)
  }

  /** Asks for all names until the kernel has them. */
  async warm(): Promise<void> {
    await until(
      'answers in the kernel',
      async () => {
        await this.load(3 * names)
        return (await this.metric('neardns_kernel_hits_entries')) >= names
      },
      timing,
    )
  }

  async load(count: number): Promise<readonly LoadRecord[]> {
    const queries = Array.from({ length: count }, (_, i): LoadQuery => {
      const name = `hot-${i % names}.test`
      return { name, type: 'A', group: 'hit', rcode: 0, data: '192.0.2.1' }
    })
    const { records } = await this.agent.call('load', {
      server,
      queriesPerSecond,
      queries,
      sockets: 16,
    })
    return records
  }

  /** Load for as long as `work` takes, and a second more. */
  async under(work: () => Promise<void>): Promise<readonly LoadRecord[]> {
    let isOver = false
    const all: LoadRecord[] = []
    const loading = (async () => {
      while (!isOver) all.push(...(await this.load(queriesPerSecond)))
    })()
    try {
      await work()
    } finally {
      isOver = true
      await loading
    }
    return all
  }

  async close(): Promise<void> {
    if (this.daemon?.child.running === true) await this.daemon.child.stop('SIGTERM')
    await this.agent.stop()
    await this.upstream.stop()
    await this.pods.remove()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

let world: World

test.before(async () => {
  world = await World.open()
  await world.warm()
})

test.after(() => world.close())

const isRight = ({ verdict }: LoadRecord) => verdict === 'right'

function nothingLost(what: string, records: readonly LoadRecord[]): void {
  const all = tally(records)
  console.log(`  ${tallyText(what, all)}`)
  assert.equal([all.lost, all.servfail, all.wrong], [0, 0, 0])
}

/** @returns how long after a moment of `performance.timeOrigin + performance.now()` the last query that was answered left, ms */
function answeredFor(records: readonly LoadRecord[], sinceMs: number): number {
  return Math.max(0, ...records.filter(isRight).map(({ sentMs }) => sentMs)) - sinceMs
}

const epochMs = () => performance.timeOrigin + performance.now()

test(`${upgrades} upgrades lose nothing, and the kernel answers as before in the second after each`, async () => {
  const shares: number[] = []
  const records = await world.under(async () => {
    for (let i = 0; i < upgrades; i++) {
      await world.upgrade()
      await new Promise((resolve) => setTimeout(resolve, 1000))
      shares.push(await world.shareOfKernel())
    }
  })
  nothingLost(`${upgrades} upgrades`, records)
  const percent = shares.map((share) => `${(share * 100).toFixed(1)}`).join(' ')
  console.log(`  % of the new process's queries that the kernel answered: ${percent}`)
  assert.ok(Math.min(...shares) > 0.95, percent)
})

test('no answer leaves the kernel by an upgrade: no name is asked for again', async () => {
  await world.warm()
  await world.upgrade()
  assert.is(await world.metric('neardns_kernel_hits_entries'), names)
  nothingLost('all names once', await world.load(names))
  assert.is(await world.hits(), names)
})

test('a successor that fails when its program hangs beside ours changes nothing', async () => {
  await world.warm()
  const { node } = world.pods
  // Its own question is not answered.
  const rule = ['INPUT', '-i', 'lo', '-p', 'udp', '--dport', '53', '-j', 'DROP']
  await node.exec('iptables', '-w', '-A', ...rule)
  const before = await world.hits()
  const records = await world.under(async () => {
    const args = ['--config', join(world.directory, 'neardns.yaml')]
    const successor = Neardns.spawn({ args, netns: node.name })
    const exit = await successor.child.exited
    assert.is.not(exit?.code, 0)
    const log = successor.log().map(({ msg }) => msg)
    assert.ok(log.includes('kernel hits: interfaces'), log.join('; '))
  })
  await node.exec('iptables', '-w', '-D', ...rule)
  nothingLost('a successor that fails', records)
  assert.ok((await world.hits()) - before >= 0.95 * records.length)
})

test('reloads lose nothing', async () => {
  const records = await world.under(async () => {
    for (let i = 0; i < 5; i++) {
      await world.reload({ cache: { rotate: i % 2 === 0 } })
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  })
  nothingLost('5 reloads', records)
})

test('what a reload has taken back comes again by itself', async () => {
  await world.warm()
  await world.reload({ cache: { rotate: false } })
  await until(
    'all answers in the kernel',
    async () => (await world.metric('neardns_kernel_hits_entries')) === names,
    timing,
  )
  const before = await world.hits()
  nothingLost('all names once', await world.load(names))
  assert.is(await world.hits(), before + names)
})

test('the query after a flush is not answered by the kernel', async () => {
  await world.warm()
  const socket = join(world.directory, 'admin.sock')
  for (let i = 0; i < 5; i++) {
    const unknown = () => world.metric('neardns_kernel_hits_passed_total', { reason: 'unknown' })
    const before = [await world.hits(), await unknown()]
    const args = [builtProgram(), 'cache', 'flush', '--admin', socket, `hot-${i}.test`]
    await mustRun(process.execPath, args)
    const name = `hot-${i}.test`
    const { reply } = await world.agent.call('ask', { server, name, type: 'A' })
    assert.is(reply?.answers[0]?.data, '192.0.2.1')
    assert.equal([await world.hits(), await unknown()], [before[0], (before[1] ?? 0) + 1])
  }
})

test(`${podsToCome} pods that come and go, one every ${podEveryMs} ms, are answered, and leave nothing`, async () => {
  const { pods } = world
  const descriptors = () => readdirSync(`/proc/${world.daemon?.pid}/fd`).length
  const attached = () => world.metric('neardns_kernel_hits_interfaces', { state: 'attached' })
  const before = descriptors()
  let slowestMs = 0
  const records = await world.under(async () => {
    const startMs = performance.now()
    for (let i = 0; i < podsToCome; i++) {
      const number = 2 + (i % 200)
      await pods.add(number)
      const upMs = performance.now()
      await until('the attachment', async () => (await attached()) === 2, timing)
      slowestMs = Math.max(slowestMs, performance.now() - upMs)
      await pods.take(number)
      const dueMs = startMs + (i + 1) * podEveryMs
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())))
    }
  })
  await until('the last to be gone', async () => (await attached()) === 1, timing)
  nothingLost(`${podsToCome} pods`, records)
  console.log(`  attached within ${slowestMs.toFixed(0)} ms, the scrapes that look for it included`)
  assert.ok(descriptors() <= before + 2, `${before} descriptors before, ${descriptors()} after`)
})

test('a daemon that stands still is answered for no longer than the lease, one that is killed hardly at all', async () => {
  await world.warm()
  const process_ = world.daemon?.child.process
  let atMs = 0
  const stopped = await world.under(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300))
    atMs = epochMs()
    process_?.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, leaseMs + 1500))
  })
  const heldMs = answeredFor(stopped, atMs)
  process_?.kill('SIGCONT')
  await world.warm()
  const killed = await world.under(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300))
    atMs = epochMs()
    process_?.kill('SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 500))
  })
  const leftMs = answeredFor(killed, atMs)
  console.log(
    `  answered ${heldMs.toFixed(0)} ms after SIGSTOP, ${leftMs.toFixed(0)} ms after SIGKILL`,
  )
  assert.ok(heldMs < leaseMs + 300, `${heldMs} ms`)
  assert.ok(leftMs < 500, `${leftMs} ms`)
})

test('with two workers the daemon answers all, and says why', async () => {
  await world.start({ workers: 2, handover: {} })
  await until(
    'the reason',
    async () => (await world.metric('neardns_kernel_hits_off', { reason: 'workers' })) > 0,
    timing,
  )
  nothingLost('two workers', await world.load(2000))
})

test.run()
