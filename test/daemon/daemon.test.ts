/*
 * Goal: the parts start, change and stop in an order that leaves nothing open and loses no number; what cannot be applied changes nothing.
 * Method: the whole daemon in this process, on free ports of loopback.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CorefileSource } from '../../src/corefile/files.ts'
import { Daemon } from '../../src/daemon/daemon.ts'
import type { DaemonOptions } from '../../src/daemon/daemon-options.ts'
import { BindError } from '../../src/system/bind.ts'
import { askTcp, lookup, UdpClient } from '../support/client/dns-client.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { readExposition, sampleOf } from '../support/exposition.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/process.ts'
import { FakeUpstream } from '../upstream/fake-upstream.ts'
import { configOf, doubtedCorefile, KeptLog, trustedCorefile } from './support.ts'

const test = suite('daemon/daemon')

interface World {
  readonly daemon: Daemon
  readonly log: KeptLog
  readonly upstream: FakeUpstream
  readonly port: number
  readonly adminPort: number
  succeeded: number
  /** Settings of the start, with some of them changed. */
  config(changes?: object): ReturnType<typeof configOf>
  lookup(name: string): Promise<string | undefined>
  get(page: string, port?: number): Promise<{ status: number; body: string }>
}

async function withDaemon(
  { settings = {}, options = {} }: { settings?: object; options?: Partial<DaemonOptions> },
  body: (world: World) => Promise<void>,
): Promise<void> {
  const upstream = await FakeUpstream.start((query) => query.answer())
  const [port, adminPort] = [await freePort(), await freePort()]
  const config = (changes: object = {}) =>
    configOf({
      listen: [`127.0.0.1:${port}`],
      admin: { listen: `127.0.0.1:${adminPort}` },
      external: { upstreams: [`127.0.0.1:${upstream.port}`] },
      drain: { deadlineMs: 1000 },
      ...settings,
      ...changes,
    })
  const log = new KeptLog()
  const daemon = new Daemon(config(), {
    log,
    facts: { version: '0', revision: '', memoryLimitBytes: 0 },
    resolvers: [],
    localAddresses: () => ['127.0.0.1'],
    onSucceeded: () => {
      world.succeeded += 1
    },
    ...options,
  })
  const world: World = {
    ...{ daemon, log, upstream, port, adminPort, config },
    succeeded: 0,
    lookup: async (name) => (await lookup({ host: '127.0.0.1', port }, name, 'A')).answers[0]?.data,
    get: async (page, at = adminPort) => {
      const response = await fetch(`http://127.0.0.1:${at}${page}`)
      return { status: response.status, body: await response.text() }
    },
  }
  try {
    await body(world)
  } finally {
    await daemon.stop()
    await upstream.stop()
  }
}

async function requestsOf({ get }: World): Promise<number> {
  const family = readExposition((await get('/metrics')).body).get('coredns_dns_requests_total')
  return (family?.series ?? []).reduce((sum, { value }) => sum + value, 0)
}

async function isOpen(port: number): Promise<boolean> {
  const server = createServer()
  const isTaken = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(true))
    server.listen(port, '127.0.0.1', () => resolve(false))
  })
  if (!isTaken) {
    server.close()
    await once(server, 'close')
  }
  return isTaken
}

/** A port over TCP that somebody else has. */
async function withTaken(body: (port: number) => Promise<void>): Promise<void> {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  try {
    await body(typeof address === 'object' && address !== null ? address.port : 0)
  } finally {
    taken.close()
    await once(taken, 'close')
  }
}

/** What a promise is rejected with; undefined when it is not. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test('nothing is open before the start; after it the daemon answers, is ready, and has asked itself', () =>
  withDaemon({}, async (world) => {
    const { daemon, port, adminPort } = world
    assert.equal([daemon.listening, await isOpen(port)], [[], false])
    assert.equal(await daemon.start(), [`127.0.0.1:${adminPort}`])
    assert.equal(daemon.listening, [`127.0.0.1:${port}`])
    assert.is((await world.get('/ready')).status, 200)
    assert.is(await world.lookup('www.example'), '10.9.8.7')
    const page = readExposition((await world.get('/metrics')).body)
    // The self-query and the client's.
    assert.is(
      sampleOf(page, 'neardns_udp_received_total', { server: `dns://127.0.0.1:${port}` }),
      2,
    )
  }))

test('an address that cannot be had ends the start, and nothing of it is left open', () =>
  withTaken((taken) =>
    withDaemon({}, async ({ daemon, port, config }) => {
      const both = config({ listen: [`127.0.0.1:${port}`, `127.0.0.1:${taken}`] })
      const other = new Daemon(both, optionsOf())
      assert.instance(await failureOf(other.start()), BindError)
      assert.is(await isOpen(port), false)
      await daemon.start()
    }),
  ))

function optionsOf(): DaemonOptions {
  return {
    log: new KeptLog(),
    facts: { version: '0', revision: '', memoryLimitBytes: 0 },
    resolvers: [],
    localAddresses: () => [],
  }
}

test('an admin address that cannot be had ends the start as well: probes would never be answered', () =>
  withTaken((taken) =>
    withDaemon({ settings: { admin: { listen: `127.0.0.1:${taken}` } } }, async (world) => {
      const error = await failureOf(world.daemon.start())
      const code = error instanceof Error && 'code' in error ? error.code : error
      assert.equal([code, await isOpen(world.port)], ['EADDRINUSE', false])
    }),
  ))

test('what was chosen is told in the words of the configuration', () =>
  withDaemon(
    {
      settings: {
        cluster: { upstreams: ['10.96.0.10'] },
        external: { upstreams: [] },
        io: 'portable',
      },
    },
    async ({ daemon }) => {
      assert.equal(daemon.upstreams, ['cluster: tcp://10.96.0.10:53', 'external: none'])
      assert.equal(
        [daemon.listeners.io.mode, daemon.listeners.io.fallback],
        ['portable', 'configured'],
      )
      assert.equal(daemon.interceptionWhy, [])
      await Promise.resolve()
    },
  ))

const levels: readonly [
  what: string,
  settings: object,
  corefile: CorefileSource | undefined,
  level: string,
][] = [
  ['without CoreDNS there is nothing to trust', {}, trustedCorefile, 'off'],
  ['switched off', { cluster: ['x'], searchPath: { enabled: false } }, trustedCorefile, 'off'],
  ['without its Corefile', { cluster: ['x'] }, undefined, 'cautious'],
  ['with a trusted one', { cluster: ['x'] }, trustedCorefile, 'verified'],
  ['with a doubted one', { cluster: ['x'] }, doubtedCorefile, 'cautious'],
]
for (const [what, settings, corefile, level] of levels) {
  test(`the search path: ${what} it is ${level}`, () => {
    const cluster = { upstreams: 'cluster' in settings ? ['10.96.0.10'] : [] }
    const options = corefile === undefined ? {} : { corefile }
    return withDaemon({ settings: { ...settings, cluster }, options }, async ({ daemon }) => {
      await Promise.resolve()
      assert.is(daemon.trustLevel, level)
    })
  })
}

test('a Corefile that ends the trust ends it without a restart', () =>
  withDaemon(
    {
      settings: { cluster: { upstreams: ['10.96.0.10'] } },
      options: { corefile: trustedCorefile },
    },
    async ({ daemon }) => {
      await daemon.start()
      daemon.useCorefile(doubtedCorefile)
      await until('cautious', () => daemon.trustLevel === 'cautious')
    },
  ))

test('changed resolvers of the node are asked from the next question on, those that are ourselves never', () =>
  withDaemon(
    { settings: { external: { upstreams: [] } } },
    async ({ daemon, log, port, upstream, lookup: ask }) => {
      const own = { address: '127.0.0.1', port, family: 4, transport: 'udp' } as const
      await daemon.start()
      daemon.useResolvers([own, { ...own, port: upstream.port }])
      assert.equal(daemon.upstreams, [`external: udp://127.0.0.1:${upstream.port}`])
      assert.is(await ask('www.example'), '10.9.8.7')
      assert.match(log.messages('warn').join(), /upstream left out/)
    },
  ))

test('numbers outlive a reload, also one that changes addresses and zones', () =>
  withDaemon({}, async (world) => {
    await world.daemon.start()
    for (let i = 0; i < 5; i++) await world.lookup(`n${i}.example`)
    const before = await requestsOf(world)
    const extra = await freePort()
    const zones = [{ name: 'corp.example', upstreams: [`127.0.0.1:${world.upstream.port}`] }]
    const listen = [`127.0.0.1:${world.port}`, `127.0.0.1:${extra}`]
    await world.daemon.reconfigure(world.config({ zones, listen }))
    assert.is(await requestsOf(world), before)
    await lookup({ host: '127.0.0.1', port: extra }, 'a.corp.example', 'A')
    assert.is(await requestsOf(world), before + 1)
    // The series of an address outlive it.
    await world.daemon.reconfigure(world.config({ zones }))
    assert.is(await requestsOf(world), before + 1)
    assert.is(await isOpen(extra), false)
  }))

test('a reload whose address cannot be had changes nothing of it', () =>
  withTaken((taken) =>
    withDaemon({}, async (world) => {
      const { daemon, port } = world
      await daemon.start()
      const changed = world.config({
        listen: [`127.0.0.1:${port}`, `127.0.0.1:${taken}`],
        external: { upstreams: ['127.0.0.1:9'] },
        log: { level: 'error' },
      })
      assert.instance(await failureOf(daemon.reconfigure(changed)), BindError)
      assert.equal([daemon.listening, world.log.level], [[`127.0.0.1:${port}`], 'info'])
      assert.is(await world.lookup('www.example'), '10.9.8.7')
      daemon.reloads.refused()
      const page = readExposition((await world.get('/metrics')).body)
      assert.equal(
        ['neardns_config_reloads_total', 'coredns_reload_failed_total'].map((name) =>
          sampleOf(page, name),
        ),
        [0, 1],
      )
    }),
  ))

test('the admin server moves when its address changes, and only then: scrapers keep their connection', () =>
  withDaemon({}, async (world) => {
    const { daemon, adminPort } = world
    await daemon.start()
    const { connect } = await import('node:net')
    const scraper = connect(adminPort, '127.0.0.1')
    await once(scraper, 'connect')
    let hasEnded = false
    scraper.once('close', () => {
      hasEnded = true
    })
    await daemon.reconfigure(world.config({ log: { level: 'warn' } }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal([hasEnded, world.log.level], [false, 'warn'])
    const moved = await freePort()
    await daemon.reconfigure(world.config({ admin: { listen: `127.0.0.1:${moved}` } }))
    assert.is((await world.get('/health', moved)).status, 200)
    assert.is(await isOpen(adminPort), false)
    await daemon.reconfigure(world.config({ admin: { listen: null } }))
    assert.is(await isOpen(moved), false)
    scraper.destroy()
  }))

test('a stop answers whom it has taken, and takes nobody new', () =>
  withDaemon({}, async (world) => {
    const { daemon, upstream, port } = world
    await daemon.start()
    upstream.behave = (query) => query.after(200, () => query.answer())
    const client = await UdpClient.open({ host: '127.0.0.1', port })
    client.send(writeQuery('open.example', 'A', { id: 7 }))
    await until('asked', () => upstream.queries.length > 0)
    const stopped = daemon.stop()
    await until('no new connections', async () => !(await isOpen(port)))
    assert.is((await client.next())?.readUInt16BE(0), 7)
    await stopped
    await client.close()
    assert.is(await isOpen(world.adminPort), false)
  }))

test('probes are answered while it stops: not ready, and alive', () =>
  withDaemon({}, async (world) => {
    const { daemon, upstream, port } = world
    await daemon.start()
    upstream.behave = () => undefined
    const client = await UdpClient.open({ host: '127.0.0.1', port })
    client.send(writeQuery('open.example', 'A'))
    await until('asked', () => upstream.queries.length > 0)
    const stopped = daemon.stop()
    const { status, body } = await world.get('/ready')
    assert.is(status, 503)
    assert.match(body, /^listeners: stopping$/m)
    assert.is((await world.get('/health')).status, 200)
    await stopped
    await client.close()
  }))

test('a second stop is the first one', () =>
  withDaemon({}, async ({ daemon }) => {
    await daemon.start()
    await Promise.all([daemon.stop(), daemon.stop()])
    await daemon.stop()
  }))

test('a stop before the start has nothing to do', () =>
  withDaemon({}, ({ daemon }) => daemon.stop()))

test('followed, the daemon closes everything and may end', () =>
  withDaemon({}, async (world) => {
    const { daemon, port, adminPort } = world
    await daemon.start()
    await daemon.succession.retire(undefined)
    assert.equal([await isOpen(port), await isOpen(adminPort), world.succeeded], [false, false, 1])
  }))

test('one that waits takes note of changed configurations, and serves again with the newest and its cache', () =>
  withDaemon({ settings: { handover: { afterwards: 'wait' } } }, async (world) => {
    const { daemon, port, adminPort, upstream } = world
    await daemon.start()
    await world.lookup('www.example')
    await daemon.succession.retire(undefined)
    assert.is(world.succeeded, 0)
    const extra = await freePort()
    const listen = [`127.0.0.1:${port}`, `127.0.0.1:${extra}`]
    await daemon.reconfigure(world.config({ listen, handover: { afterwards: 'wait' } }))
    assert.equal([await isOpen(port), await isOpen(extra)], [false, false])
    daemon.succession.resume()
    await until('serving', async () => (await isOpen(adminPort)) && (await isOpen(extra)))
    assert.is(
      (await askTcp({ host: '127.0.0.1', port: extra }, writeQuery('www.example', 'A')))?.[3],
      0x80,
    )
    assert.is(upstream.queries.length, 1)
    await until('ready', async () => (await world.get('/ready')).status === 200, {
      timeoutMs: 8000,
    })
  }))

test('one that is ending does not come back', () =>
  withDaemon({ settings: { handover: { afterwards: 'wait' } } }, async ({ daemon, port }) => {
    await daemon.start()
    await daemon.succession.retire(undefined)
    await daemon.stop()
    daemon.succession.resume()
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.is(await isOpen(port), false)
  }))

test('a configuration that comes at the end, or after it, opens nothing again', () =>
  withDaemon({}, async ({ daemon, port, config }) => {
    const other = await freePort()
    const listen = [`127.0.0.1:${port}`, `127.0.0.1:${other}`]
    const late = daemon.reconfigure(config({ listen }))
    await daemon.stop()
    await late
    await daemon.reconfigure(config({ listen }))
    assert.equal([await isOpen(port), await isOpen(other)], [false, false])
  }))

test.run()
