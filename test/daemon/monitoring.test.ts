/*
 * Goal: the admin pages show the numbers of every part under the right names, for a process alone and for one of several workers. Method: the
 * real monitoring of real parts, read over HTTP; what other workers would say comes from the test.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DataPath } from '../../src/daemon/data-path.ts'
import { buildInterception } from '../../src/daemon/intercept.ts'
import { Listeners } from '../../src/daemon/listeners.ts'
import { type MonitoredParts, Monitoring } from '../../src/daemon/monitoring.ts'
import { Reloads } from '../../src/daemon/reloads.ts'
import { WorkerLink } from '../../src/daemon/workers/link.ts'
import type { GroupPage, WorkerPage } from '../../src/daemon/workers/plan.ts'
import { chooseUdpIo } from '../../src/listen/udp-io.ts'
import { QueryCounters } from '../../src/observe/query-counters.ts'
import { Readiness } from '../../src/observe/readiness.ts'
import type { SupervisorView } from '../../src/observe/stats.ts'
import { ask, ScriptedHandler } from '../listen/scripted-handler.ts'
import { askTcp, askUdp, UdpClient } from '../support/client/dns-client.ts'
import { readExposition, sampleOf } from '../support/exposition.ts'
import { until } from '../support/process.ts'
import { configOf, dataPathOf, KeptLog } from './support.ts'

const test = suite('daemon/monitoring')

const loopback = { address: '127.0.0.1', port: 0, family: 4 } as const

interface World {
  readonly monitoring: Monitoring
  readonly path: DataPath
  readonly listeners: Listeners
  readonly readiness: Readiness
  readonly log: KeptLog
  /** Port of the admin server. */
  listen(): Promise<number>
  get(page: string): Promise<{ status: number; body: string }>
  scrape(): Promise<ReturnType<typeof readExposition>>
}

interface Options {
  readonly settings?: object
  readonly link?: WorkerLink
  readonly more?: Partial<MonitoredParts>
}

const folder = mkdtempSync(join(tmpdir(), 'neardns-monitoring-'))
const tokenFile = join(folder, 'token')
writeFileSync(tokenFile, 's3cret-0123456789\n')
test.after(() => rmSync(folder, { recursive: true }))

async function withMonitoring(
  { settings = {}, link, more = {} }: Options,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const log = new KeptLog()
  const path = dataPathOf(settings, { log })
  const readiness = new Readiness()
  readiness.set('listeners', { kind: 'ready' })
  const listeners = new Listeners({
    handler: new ScriptedHandler(),
    settings: configOf(),
    io: chooseUdpIo('portable'),
    held: undefined,
    number: 0,
    onDefect: () => undefined,
  })
  await listeners.openMissing([loopback])
  const reloads = new Reloads({})
  const interception = buildInterception(configOf(), log, readiness)
  const counters = new QueryCounters([], [])
  const monitoring = new Monitoring({
    ...{ path, listeners, readiness, log, link, held: undefined },
    nowMs: () => performance.now(),
    questionsMax: () => 321,
    config: () => ({
      ...configOf(),
      admin: {
        ...configOf().admin,
        listen: [],
        whenTaken: 'end',
        hostNames: [],
        socket: 'none',
        tokenFile,
        olderNames: false,
      },
    }),
    counters: () => counters,
    interception: () => interception,
    handover: () => undefined,
    reloads: () => reloads.stats,
    facts: { version: '1.2.3', revision: 'abc', memoryLimitBytes: 99 },
    ...more,
  })
  let port = 0
  const get = async (page: string) => {
    const headers = { authorization: 'Bearer s3cret-0123456789' }
    const response = await fetch(`http://127.0.0.1:${port}${page}`, { headers })
    return { status: response.status, body: await response.text() }
  }
  const listen = async () => {
    const [at = ''] = await monitoring.listen({ listen: [loopback], whenTaken: 'end' })
    port = Number(at.split(':').at(-1))
    return port
  }
  const scrape = async () => readExposition((await get('/metrics')).body)
  try {
    await body({ monitoring, path, listeners, readiness, log, listen, get, scrape })
  } finally {
    await monitoring.stop()
    await listeners.close(0)
    path.exchange.stop()
  }
}

test('listening anew moves the pages; no address turns them off', () =>
  withMonitoring({}, async ({ monitoring, listen, get }) => {
    assert.equal(await monitoring.listen({ listen: [], whenTaken: 'end' }), [])
    const before = await listen()
    const after = await listen()
    assert.is.not(after, before)
    assert.is((await get('/health')).status, 200)
    await assertGone(before)
    assert.equal(await monitoring.listen({ listen: [], whenTaken: 'end' }), [])
    await assertGone(after)
  }))

async function assertGone(port: number): Promise<void> {
  const isThere = await fetch(`http://127.0.0.1:${port}/health`).then(
    () => true,
    () => false,
  )
  assert.not.ok(isThere, `${port} still answers`)
}

test('an address that cannot be had is told to the caller', () =>
  withMonitoring({}, async ({ monitoring, listeners }) => {
    const [{ port } = { port: 0 }] = listeners.addresses
    let code: unknown
    const listen = [{ ...loopback, port }]
    await monitoring.listen({ listen, whenTaken: 'end' }).catch((error: unknown) => {
      code = error instanceof Error && 'code' in error ? error.code : error
    })
    assert.is(code, 'EADDRINUSE')
  }))

test('ready and started are told apart', () =>
  withMonitoring({}, async ({ readiness, listen, get }) => {
    await listen()
    assert.equal(await get('/ready'), { status: 200, body: 'OK\n' })
    readiness.set('self-query', { kind: 'failed', why: 'no answer' })
    assert.equal(await get('/ready'), { status: 503, body: 'self-query: no answer\n' })
    assert.is((await get('/startup')).status, 200)
    assert.is((await get('/health')).status, 200)
  }))

test('the time of /health is counted, one for each answer', () =>
  withMonitoring({}, async ({ listen, get, scrape }) => {
    await listen()
    for (let i = 0; i < 3; i++) await get('/health')
    const page = await scrape()
    assert.is(sampleOf(page, 'coredns_health_request_duration_seconds_count'), 3)
  }))

const refused = [
  '/explain/',
  '/explain//A',
  '/explain/a..b',
  '/explain/a/NOTYPE',
  '/explain/a/A/b',
  '/explain/%ZZ/A',
]
for (const page of refused) {
  test(`${page} is no question: told how to ask, and nothing of it repeated`, () =>
    withMonitoring({}, async ({ listen, get }) => {
      await listen()
      const { status, body } = await get(page)
      assert.is(status, 400)
      assert.match(body, /^Expected \/explain\/NAME/)
      assert.not.match(body, /NOTYPE|%ZZ|a\.\.b/)
    }))
}

test('without the token explain tells nothing, and the metrics are open', () =>
  withMonitoring({}, async ({ listen }) => {
    const port = await listen()
    const ask = (page: string) => fetch(`http://127.0.0.1:${port}${page}`)
    const refusal = await ask('/explain/www.example')
    assert.is(refusal.status, 403)
    assert.match(await refusal.text(), /^This page tells names .* admin\.socket/)
    assert.is((await ask('/metrics')).status, 200)
  }))

test('explain takes a name, a type as well, and names in percent-encoding', () =>
  withMonitoring({}, async ({ listen, get }) => {
    await listen()
    assert.match((await get('/explain/WWW.example')).body, /^www\.example\. A\n/)
    assert.match((await get('/explain/www.example./AAAA')).body, /^www\.example\. AAAA\n/)
    assert.match((await get('/explain/www%2eexample/TYPE64')).body, /^www\.example\. \S+\n/)
    assert.match((await get('/explain/a%5C.b.example')).body, /^a\\046b\.example\. A\n/)
  }))

test('each upstream has its transport and its address without scheme and certificate name', () =>
  withMonitoring(
    {
      settings: {
        external: { upstreams: ['192.0.2.1', 'tls://192.0.2.2#dns.example', '[2001:db8::3]:5353'] },
        cluster: { upstreams: ['192.0.2.4:53'] },
      },
    },
    async ({ listen, scrape }) => {
      await listen()
      const family = (await scrape()).get('neardns_upstream_up')
      assert.equal(
        family?.series.map(({ labels }) =>
          ['group', 'proto', 'to'].map((name) => labels.get(name)).join(' '),
        ),
        [
          'cluster tcp 192.0.2.4:53',
          'external udp 192.0.2.1:53',
          'external tls 192.0.2.2:853',
          'external udp [2001:db8::3]:5353',
        ],
      )
    },
  ))

test('what became of the questions of a group is counted under its own name', () =>
  withMonitoring({ settings: { external: { upstreams: ['192.0.2.1'] } } }, async (world) => {
    const [group] = world.path.exchange.stats()
    if (group === undefined) throw new Error('no group')
    Object.assign(group.counters.failures, {
      timeout: 1,
      unreachable: 2,
      malformed: 3,
      overloaded: 4,
    })
    await world.listen()
    const page = await world.scrape()
    const names = ['timeouts', 'unreachable', 'malformed', 'overloaded']
    assert.equal(
      names.map((name) => sampleOf(page, `neardns_group_${name}_total`, { group: group.name })),
      [1, 2, 3, 4],
    )
  }))

test('listeners are named by their real address; exceptions under a packet are defects, of UDP and of TCP', () =>
  withMonitoring({}, async ({ listeners, listen, scrape }) => {
    await listen()
    const [{ port } = { port: 0 }] = listeners.addresses
    const to = { host: '127.0.0.1', port }
    await askUdp(to, ask(1, 'echo'))
    await askUdp(to, ask(2, 'throw'), 50)
    await askTcp(to, ask(3, 'throw'), 200)
    const page = await scrape()
    const server = { server: `dns://127.0.0.1:${port}` }
    assert.is(sampleOf(page, 'neardns_udp_received_total', server), 2)
    assert.is(sampleOf(page, 'neardns_tcp_received_total', server), 1)
    assert.is(sampleOf(page, 'coredns_panics_total'), 2)
    const mode = { mode: 'portable', fallback: 'configured' }
    assert.is(sampleOf(page, 'neardns_io_mode_info', { ...server, ...mode }), 1)
  }))

test('limits and facts are those of the daemon; a process alone is one worker of one', () =>
  withMonitoring({}, async ({ readiness, log, listen, scrape }) => {
    await listen()
    log.linesLost = 7
    let page = await scrape()
    const of = (name: string) => sampleOf(page, name)
    assert.equal(
      ['in_flight_questions_max', 'memory_limit_bytes', 'log_lines_lost_total', 'ready'].map(
        (name) => of(`neardns_${name}`),
      ),
      [321, 99, 7, 1],
    )
    assert.equal([of('neardns_workers'), of('neardns_workers_ready')], [1, 1])
    readiness.set('listeners', { kind: 'stopping' })
    page = await scrape()
    assert.is(of('neardns_ready'), 0)
  }))

test('datagrams that the kernel dropped at our sockets are read anew at each scrape', () =>
  withMonitoring({}, async ({ listeners, listen, scrape }) => {
    await listen()
    const [{ port } = { port: 0 }] = listeners.addresses
    const server = { server: `dns://127.0.0.1:${port}` }
    assert.is(sampleOf(await scrape(), 'neardns_udp_receive_drops_total', server), 0)
    listeners.pauseReceiving()
    const client = await UdpClient.open({ host: '127.0.0.1', port })
    const large = Buffer.alloc(60_000)
    for (let i = 0; i < 2000; i++) client.send(large)
    await until('drops are seen', async () => {
      const drops = sampleOf(await scrape(), 'neardns_udp_receive_drops_total', server)
      return (drops ?? 0) > 0
    })
    await client.close()
  }))

test('a page that fails is a 500 without details, and its reason goes to the log', () => {
  const more = {
    reloads: () => {
      throw new Error('a detail')
    },
  }
  return withMonitoring({ more }, async ({ listen, get, log }) => {
    await listen()
    const { status, body } = await get('/metrics')
    assert.is(status, 500)
    assert.not.match(body, /detail/)
    assert.match(String(log.lines[0]?.fields['err']), /a detail/)
  })
})

test('who retires answers the last pages and takes no new reader', () =>
  withMonitoring({}, async ({ monitoring, listen }) => {
    const port = await listen()
    await monitoring.retire()
    await assertGone(port)
    // And may serve again.
    const again = await listen()
    assert.is((await fetch(`http://127.0.0.1:${again}/health`)).status, 200)
  }))

/** A worker whose supervisor says what the test says. */
class ScriptedLink extends WorkerLink {
  readonly pagesAsked: WorkerPage[] = []
  answer: GroupPage | undefined = { text: 'of the group 1\n', reasons: [] }
  /** What the supervisor says of the group with its answers. */
  told: SupervisorView | undefined

  constructor(number = 0, count = 2) {
    super({ number, count, sockets: [], hasDump: false })
  }

  override async ask(page: WorkerPage): Promise<GroupPage | undefined> {
    this.pagesAsked.push(page)
    this.view = this.told
    return this.answer
  }
}

function groupView(ready: number): SupervisorView {
  return {
    workers: { wanted: 2, ready, restarts: { ended: 1, killed: 2, hung: 3 } },
    handover: {
      counts: {
        ...{ followed: 5, 'handed-over': 0, failed: 0, stranger: 0, resumed: 0 },
        'cache-refused': 0,
      },
      entriesRestored: 44,
    },
    reload: { succeeded: 6, failed: 0, isLastGood: true, appliedSeconds: 1, hash: 'h' },
  }
}

test("a worker's metrics are those of the whole group, as the supervisor has written them", async () => {
  const link = new ScriptedLink()
  await withMonitoring({ link }, async ({ listeners, listen, get, monitoring }) => {
    await listen()
    assert.equal(await get('/metrics'), { status: 200, body: 'of the group 1\n' })
    assert.equal(link.pagesAsked, ['metrics'])
    const [{ port } = { port: 0 }] = listeners.addresses
    await askUdp({ host: '127.0.0.1', port }, ask(1, 'echo'))
    // What the supervisor asks for is our part alone: asking on would go round for ever.
    const own = await monitoring.page('metrics')
    const received = own?.families.find(({ name }) => name === 'neardns_udp_received_total')
    assert.equal([received?.values, own?.reasons, link.pagesAsked.length], [[1], [], 1])
  })
})

test('without an answer of the supervisor a worker shows its own numbers', async () => {
  const link = new ScriptedLink()
  link.answer = undefined
  await withMonitoring({ link }, async ({ listeners, listen, scrape }) => {
    await listen()
    const [{ port } = { port: 0 }] = listeners.addresses
    await askUdp({ host: '127.0.0.1', port }, ask(1, 'echo'))
    const server = { server: `dns://127.0.0.1:${port}` }
    assert.is(sampleOf(await scrape(), 'neardns_udp_received_total', server), 1)
  })
})

test("what only the supervisor knows comes from its last answer, not from the worker's own parts", async () => {
  const link = new ScriptedLink()
  link.answer = undefined
  link.told = groupView(1)
  await withMonitoring({ link }, async ({ listen, scrape }) => {
    await listen()
    const page = await scrape()
    assert.equal(
      [
        sampleOf(page, 'neardns_workers'),
        sampleOf(page, 'neardns_workers_ready'),
        sampleOf(page, 'neardns_worker_restarts_total', { reason: 'hung' }),
        sampleOf(page, 'neardns_handover_restored_entries'),
        sampleOf(page, 'neardns_config_reloads_total'),
      ],
      [2, 1, 3, 44, 6],
    )
  })
})

test('a worker is ready when all of them are', async () => {
  const link = new ScriptedLink()
  link.told = groupView(2)
  await withMonitoring({ link }, async ({ listen, get, readiness, monitoring }) => {
    await listen()
    assert.is((await get('/ready')).status, 200)
    link.answer = { text: '', reasons: ['self-query: no answer'] }
    readiness.set('interception', { kind: 'waiting', for: 'its first renewal' })
    const { status, body } = await get('/ready')
    assert.equal(
      [status, body],
      [503, 'interception: waiting for its first renewal\nself-query: no answer\n'],
    )
    assert.equal(await monitoring.page('ready'), {
      families: [],
      reasons: ['interception: waiting for its first renewal'],
    })
  })
})

test('a worker that is missing makes unready, also before the supervisor has said anything', async () => {
  const link = new ScriptedLink()
  await withMonitoring({ link }, async ({ listen, get }) => {
    await listen()
    assert.equal(await get('/ready'), { status: 503, body: 'workers: 0 of 2 are ready\n' })
    link.told = groupView(1)
    assert.equal(await get('/ready'), { status: 503, body: 'workers: 1 of 2 are ready\n' })
    link.told = groupView(2)
    assert.is((await get('/ready')).status, 200)
  })
})

test.run()
