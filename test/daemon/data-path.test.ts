/*
 * Goal: a changed configuration reaches every part and costs no cached answer and no open question; the search path starts anew when what it
 * learned from has changed, and only then. Method: the real data path with queries handed in as a listener does, scripted upstreams behind it.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CacheEntry } from '../../src/core/cache/entry.ts'
import type { CorefileSource } from '../../src/corefile/files.ts'
import type { DataPath } from '../../src/daemon/data-path.ts'
import { explainLines } from '../../src/daemon/operator/explaining.ts'
import { parseName } from '../../src/wire/name.ts'
import { Client } from '../pipeline/support.ts'
import { type ReadMessage, readMessage, writeQuery } from '../support/client/dns-message.ts'
import { until } from '../support/process.ts'
import { FakeUpstream } from '../upstream/fake-upstream.ts'
import { dataPathOf, KeptLog, outlookOf, trustedCorefile } from './support.ts'

const test = suite('daemon/data-path')

interface World {
  readonly path: DataPath
  readonly log: KeptLog
  readonly external: FakeUpstream
  readonly cluster: FakeUpstream
  /** Settings with both upstreams in them. */
  with(changes?: object): object
  reconfigure(changes?: object, corefile?: CorefileSource): void
}

async function withPath(settings: object, body: (world: World) => Promise<void>): Promise<void> {
  const external = await FakeUpstream.start((query) => query.answer())
  const cluster = await FakeUpstream.start((query) => query.answer())
  const log = new KeptLog()
  const whole = (changes: object = {}) => ({
    external: { upstreams: [`127.0.0.1:${external.port}`] },
    cluster: { upstreams: [`127.0.0.1:${cluster.port}`] },
    ...settings,
    ...changes,
  })
  const path = dataPathOf(whole(), { log })
  const reconfigure = (changes?: object, corefile?: CorefileSource) =>
    path.reconfigure(outlookOf(whole(changes), corefile))
  try {
    await body({ path, log, external, cluster, with: whole, reconfigure })
  } finally {
    path.exchange.stop()
    await external.stop()
    await cluster.stop()
  }
}

const out = Buffer.alloc(65_535)

test('whoever answers beside us is told before anything changes, hears of our hits, and may hold what the routes in force gave', async () => {
  await withPath({}, async (world) => {
    const { path, external, reconfigure } = world
    const told: string[] = []
    let entry: CacheEntry | undefined
    path.watchHits({
      program: 7,
      sampler: {
        record: (_arrival, { stored }, { source }) => {
          told.push(`reply ${source}`)
          if (stored instanceof CacheEntry) entry = stored
        },
      },
      explain: () => ['kernel'],
      clear: () => told.push(`clear ${path.shadowGeneration}`),
      changed: () => told.push(`changed ${path.shadowGeneration}`),
      stats: () => ({
        ...{ off: undefined, why: '', interfaces: 1, entries: 1, counts: [] },
        leftAlone: { policy: 0, program: 0, uplink: 0, refused: 0 },
      }),
    })
    const client = send(world, 'www.example')
    await until('the answer', () => client.got.length === 1)
    send(world, 'www.example', client)
    assert.ok(entry)
    assert.is(entry.name, Buffer.from(parseName('www.example') ?? []).toString('latin1'))
    assert.match(explainLines(path, entry.name, 1).join(), /kernel/)
    const generation = path.shadowGeneration
    reconfigure()
    assert.equal(told.slice(1), ['reply 0', `clear ${generation}`, `changed ${generation + 1}`])
    const asked = external.queries.length
    path.refresh(entry)
    await until('the refresh', () => external.queries.length > asked)
    path.watchHits(undefined)
    assert.is(path.hits, undefined)
  })
})

/** Hands a query in; the reply comes at once or later. */
function send({ path }: World, name: string, client = new Client()): Client {
  const query = writeQuery(name, 'A', { id: 1 })
  path.pipeline.beginBatch()
  const bytes = path.pipeline.handle(query, query.length, out, client)
  if (bytes > 0) client.got.push(readMessage(Buffer.from(out.subarray(0, bytes))))
  return client
}

async function lookup(world: World, name: string): Promise<ReadMessage> {
  const client = send(world, name)
  await until(`${name} is answered`, () => client.got.length > 0)
  const [reply] = client.got
  if (reply === undefined) throw new Error('no reply')
  return reply
}

function asked(upstream: FakeUpstream, name: string): number {
  return upstream.queries.filter(({ qname }) => qname === name).length
}

test('names go where their zone says, and explain tells the same', () =>
  withPath({}, async (world) => {
    await lookup(world, 'www.example')
    await lookup(world, 'a.b.svc.cluster.local')
    assert.equal(
      [
        asked(world.external, 'www.example'),
        asked(world.cluster, 'www.example'),
        asked(world.external, 'a.b.svc.cluster.local'),
        asked(world.cluster, 'a.b.svc.cluster.local'),
      ],
      [1, 0, 0, 1],
    )
    const explain = (name: string) =>
      explainLines(world.path, Buffer.from(parseName(name) ?? []).toString('latin1'), 1).join('\n')
    assert.match(explain('www.example'), /group "external"/)
    assert.match(explain('x.cluster.local'), /group "cluster"/)
  }))

test('a reload keeps cached answers', () =>
  withPath({}, async (world) => {
    await lookup(world, 'www.example')
    world.reconfigure({ cache: { entriesMax: 777 } })
    await lookup(world, 'www.example')
    assert.is(asked(world.external, 'www.example'), 1)
    assert.is(world.path.cache.settings.entriesMax, 777)
  }))

test('a reload loses no question in flight, also when its upstream is not configured any more', () =>
  withPath({}, async (world) => {
    const other = await FakeUpstream.start((query) => query.answer())
    world.external.behave = (query) => query.after(150, () => query.answer())
    const client = send(world, 'open.example')
    await until('asked', () => asked(world.external, 'open.example') === 1)
    world.reconfigure({ external: { upstreams: [`127.0.0.1:${other.port}`] } })
    await until('answered', () => client.got.length > 0)
    assert.is(client.got[0]?.rcode, 0)
    await lookup(world, 'new.example')
    assert.equal([asked(world.external, 'new.example'), asked(other, 'new.example')], [0, 1])
    await other.stop()
  }))

test('a zone that is added takes its names, cached ones too, from the group they came from', () =>
  withPath({}, async (world) => {
    const corp = await FakeUpstream.start((query) => query.answer())
    await lookup(world, 'a.corp.example')
    await lookup(world, 'b.example')
    world.reconfigure({
      zones: [{ name: 'corp.example', upstreams: [`127.0.0.1:${corp.port}`] }],
    })
    await lookup(world, 'a.corp.example')
    await lookup(world, 'b.example')
    assert.equal([asked(corp, 'a.corp.example'), asked(world.external, 'b.example')], [1, 1])
    await corp.stop()
  }))

test('new limits of clients count from the next query', () =>
  withPath({}, async (world) => {
    world.external.behave = () => undefined
    world.reconfigure({ inFlight: { questionsMax: 1 } })
    send(world, 'one.example')
    const refused = send(world, 'two.example', new Client({ host: '10.244.0.8' }))
    await until('refused', () => refused.got.length > 0)
    assert.is(refused.got[0]?.rcode, 2)
  }))

test('a new limit of misses for each client counts, too', () =>
  withPath({}, async (world) => {
    world.reconfigure({ inFlight: { missesPerClientPerSecond: 1 } })
    const client = new Client()
    for (let i = 0; i < 20; i++) send(world, `n${i}.example`, client)
    await until('some are answered', () => world.external.queries.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.ok(world.external.queries.length < 10, `${world.external.queries.length} were asked`)
  }))

test('queries from our own upstreams are dropped: a loop, or somebody who forges their address', () =>
  withPath({}, async (world) => {
    const { port } = world.external
    const query = writeQuery('www.example', 'A')
    const handle = (client: Client) => world.path.pipeline.handle(query, query.length, out, client)
    assert.is(handle(new Client({ host: '127.0.0.1', port })), 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.is(world.external.queries.length, 0)
    // Another upstream, another guard.
    world.reconfigure({ external: { upstreams: ['127.0.0.1:9'] } })
    world.path.pipeline.handle(query, query.length, out, new Client({ host: '127.0.0.1', port }))
    assert.is(world.path.inFlight.stats.questions, 1)
  }))

test('the search path needs CoreDNS to ask, and to be wanted', () =>
  withPath({}, async ({ path, reconfigure }) => {
    assert.is.not(path.search.path, undefined)
    reconfigure({ searchPath: { enabled: false } })
    assert.is(path.search.path, undefined)
    reconfigure({ cluster: { upstreams: [] } })
    assert.is(path.search.path, undefined)
    reconfigure()
    assert.is.not(path.search.path, undefined)
  }))

test('what was learned stays while nothing that it rests on has changed', () =>
  withPath({}, async ({ path, reconfigure }) => {
    const { path: learned } = path.search
    reconfigure()
    reconfigure({ cache: { entriesMax: 777 } })
    reconfigure({ external: { upstreams: ['127.0.0.1:9'] } })
    reconfigure({ log: { queries: { sampleOneIn: 5 } } })
    assert.is(path.search.path, learned)
  }))

const bases: readonly [what: string, changes: object, corefile?: CorefileSource][] = [
  ['another CoreDNS', { cluster: { upstreams: ['127.0.0.1:9'] } }],
  ['another cluster domain', { clusterDomain: 'kids.example' }],
  ['another setting of the search path', { searchPath: { auditOneIn: 7 } }],
  [
    'a zone, which may have names in the cluster domain',
    { zones: [{ name: 'x.cluster.local', upstreams: ['127.0.0.1:9'] }] },
  ],
  ['another level of trust', {}, trustedCorefile],
]
for (const [what, changes, corefile] of bases) {
  test(`${what}: what was learned is worth nothing any more`, () =>
    withPath({}, async ({ path, reconfigure }) => {
      const { path: learned } = path.search
      reconfigure(changes, corefile)
      assert.is.not(path.search.path, undefined)
      assert.is.not(path.search.path, learned)
    }))
}

test('what the search path has counted stays counted when another one is built, or none', () =>
  withPath({}, async ({ path, reconfigure }) => {
    const known = path.search.path?.known
    if (known === undefined) throw new Error('no search path')
    known.stats.cut = 3
    known.audit.mismatches = 1
    const counted = () => {
      const { cut, mismatches } = path.searchView(0)
      return { cut, mismatches }
    }
    assert.equal(counted(), { cut: 3, mismatches: 1 })
    reconfigure({ searchPath: { auditOneIn: 7 } })
    assert.equal(counted(), { cut: 3, mismatches: 1 })
    const next = path.search.path
    assert.is.not(next?.known, known)
    if (next !== undefined) next.known.stats.cut = 2
    assert.equal(counted(), { cut: 5, mismatches: 1 })
    reconfigure({ searchPath: { enabled: false } })
    assert.equal([path.search.path, counted()], [undefined, { cut: 5, mismatches: 1 }])
    assert.is(path.searchView(0).level, 'off')
  }))

test('the trust level of the Corefile is the one of the search path', () =>
  withPath({}, async ({ path, reconfigure }) => {
    const level = () => path.search.path?.view(0).level
    assert.is(level(), 'cautious')
    reconfigure({}, trustedCorefile)
    assert.is(level(), 'verified')
  }))

test('names of a stub zone in the cluster domain are never denied without asking; a zone elsewhere carves nothing out', () =>
  withPath(
    {
      searchPath: { carveOuts: ['c.cluster.local'] },
      zones: [
        { name: 'x.cluster.local', upstreams: ['127.0.0.1:9'] },
        { name: 'local', upstreams: ['127.0.0.1:9'] },
        { name: 'corp.example', upstreams: ['127.0.0.1:9'] },
      ],
    },
    async ({ path }) => {
      const isCarvedOut = (name: string) => {
        const wire = Buffer.from(parseName(name) ?? [])
        return path.search.path?.judge.explain(wire, wire.length, 0).isCarvedOut
      }
      assert.equal(
        [
          'a.x.cluster.local',
          'x.cluster.local',
          'c.cluster.local',
          'a.svc.cluster.local',
          'cluster.local',
        ].map(isCarvedOut),
        [true, true, true, false, false],
      )
    },
  ))

test('an upstream that goes down is a warning, one that comes back a line, and failures are forgotten then', () =>
  withPath({}, async (world) => {
    const said = (text: string) => world.log.lines.find(({ message }) => message === text)
    await world.external.kill()
    assert.is((await lookup(world, 'www.example')).rcode, 2)
    await until('down', () => said('upstream down') !== undefined, { timeoutMs: 20_000 })
    assert.equal(
      [said('upstream down')?.level, said('upstream down')?.fields['group']],
      ['warn', 'external'],
    )
    await world.external.revive()
    let others = 0
    // A server that is down is tried by the questions that come.
    const isUp = () => {
      others += 1
      send(world, `n${others}.example`)
      return said('upstream up') !== undefined
    }
    await until('up', isUp, { timeoutMs: 20_000, everyMs: 50 })
    assert.is(said('upstream up')?.level, 'info')
    assert.is((await lookup(world, 'www.example')).rcode, 0)
  }))

test('one query in so many is logged when that is asked for, and none before', () =>
  withPath({}, async (world) => {
    await lookup(world, 'www.example')
    assert.not.ok(world.log.messages().includes('query'))
    world.reconfigure({ log: { queries: { sampleOneIn: 1 } } })
    await lookup(world, 'www.example')
    assert.ok(world.log.messages().includes('query'))
  }))

test.run()
