/*
 * Goal: who is followed steps aside in an order in which no client is lost, within the deadline, and comes back when asked to. Method: real
 * listeners on loopback with a handler that holds queries; every step is noted.
 */
import type { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Listeners } from '../../src/daemon/listeners.ts'
import { Monitoring } from '../../src/daemon/monitoring.ts'
import { pollUntil, Succession } from '../../src/daemon/succession.ts'
import type { GiveConnection } from '../../src/handover/predecessor.ts'
import { chooseUdpIo } from '../../src/listen/udp-io.ts'
import { ask, ScriptedHandler } from '../listen/scripted-handler.ts'
import { TcpClient, UdpClient } from '../support/client/dns-client.ts'
import { until } from '../support/process.ts'
import { configOf } from './support.ts'

const test = suite('daemon/succession')

/** Of the daemon's monitoring, only its end matters here. */
function monitoringWith(retire: () => Promise<void>): Monitoring {
  return Object.assign(Object.create(Monitoring.prototype), { retire })
}

interface World {
  readonly succession: Succession
  readonly listeners: Listeners
  readonly handler: ScriptedHandler
  readonly steps: string[]
  readonly defects: unknown[]
  waiters: number
  /** Opens it: what readers of the admin pages still get. */
  readonly pages: PromiseWithResolvers<void>
  readonly server: { readonly host: string; readonly port: number }
}

async function withWorld(
  options: { readonly deadlineMs?: number; readonly serve?: () => Promise<void> },
  body: (world: World) => Promise<void>,
): Promise<void> {
  const handler = new ScriptedHandler()
  const listeners = new Listeners({
    handler,
    settings: configOf(),
    io: chooseUdpIo('portable'),
    held: undefined,
    number: 0,
    onDefect: () => undefined,
  })
  await listeners.openMissing([{ address: '127.0.0.1', port: 0, family: 4 }])
  const steps: string[] = []
  const defects: unknown[] = []
  const pages = Promise.withResolvers<void>()
  const monitoring = monitoringWith(() => {
    steps.push('pages')
    return pages.promise
  })
  const succession = new Succession({
    listeners: () => listeners,
    monitoring: () => monitoring,
    waiters: () => world.waiters,
    deadlineMs: () => options.deadlineMs ?? 2000,
    onRetire: () => steps.push('retire'),
    onRetired: async () => {
      steps.push(`retired, isRetired ${succession.isRetired}, listening ${listeners.pairs.length}`)
    },
    serve: options.serve ?? (async () => void steps.push('serve')),
    onDefect: (error) => defects.push(error),
  })
  const [{ port } = { port: 0 }] = listeners.addresses
  const server = { host: '127.0.0.1', port }
  const world: World = {
    ...{ succession, listeners, handler, steps, defects, pages, server },
    waiters: 0,
  }
  try {
    await body(world)
  } finally {
    pages.resolve()
    await listeners.close(0)
  }
}

/** Takes every connection, as a successor does; the descriptor would be another process's. */
function taker(taken: string[]): GiveConnection {
  return (server: string, client: Socket) => {
    taken.push(server)
    client.resetAndDestroy()
    return true
  }
}

test('the readiness ends first, the interception last, and until then we are not retired', () =>
  withWorld({}, async ({ succession, steps, pages }) => {
    const retired = succession.retire(undefined)
    assert.equal([steps, succession.isRetired], [['retire', 'pages'], false])
    pages.resolve()
    await retired
    assert.equal(steps, ['retire', 'pages', 'retired, isRetired true, listening 0'])
  }))

test('whoever reads an admin page gets it to its end', () =>
  withWorld({}, async ({ succession, steps, pages, listeners }) => {
    const retired = succession.retire(undefined)
    await until('listeners closed', () => listeners.pairs.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal([steps.length, succession.isRetired], [2, false])
    pages.resolve()
    await retired
    assert.is(succession.isRetired, true)
  }))

test('clients that wait for an answer are waited for', () =>
  withWorld({}, async (world) => {
    const { succession, handler, pages, server } = world
    pages.resolve()
    world.waiters = 1
    const client = await UdpClient.open(server)
    client.send(ask(7, 'hold'))
    await handler.heldCount(1)
    const retired = succession.retire(() => false)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.is(succession.isRetired, false)
    handler.releaseAll()
    assert.is((await client.next())?.readUInt16BE(0), 7)
    world.waiters = 0
    await retired
    await client.close()
  }))

test('clients that nobody answers are waited for until the deadline, and no longer', () =>
  withWorld({ deadlineMs: 200 }, async (world) => {
    world.pages.resolve()
    world.waiters = 3
    const startMs = performance.now()
    await world.succession.retire(undefined)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs >= 195 && tookMs < 1500, `${tookMs} ms`)
    assert.is(world.succession.isRetired, true)
  }))

test('idle connections go to the successor at once; one with a question open when it is answered', () =>
  withWorld({}, async (world) => {
    const { succession, handler, pages, server } = world
    pages.resolve()
    const idle = await TcpClient.open(server)
    const busy = await TcpClient.open(server)
    busy.send(ask(9, 'hold'))
    await handler.heldCount(1)
    const taken: string[] = []
    const retired = succession.retire(taker(taken))
    await until('the idle one has gone', () => taken.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.is(taken.length, 1)
    handler.releaseAll()
    assert.is((await busy.next())?.readUInt16BE(0), 9)
    await retired
    assert.equal(taken, ['127.0.0.1:0', '127.0.0.1:0'])
    await idle.close()
    await busy.close()
  }))

test('a successor that takes no connections: they end here, with their answers', () =>
  withWorld({}, async ({ succession, handler, pages, server }) => {
    pages.resolve()
    const client = await TcpClient.open(server)
    client.send(ask(9, 'hold'))
    await handler.heldCount(1)
    const retired = succession.retire(undefined)
    await new Promise((resolve) => setTimeout(resolve, 30))
    handler.releaseAll()
    assert.is((await client.next())?.readUInt16BE(0), 9)
    assert.is(await client.peerClosed(1000), true)
    await client.close()
    await retired
  }))

test('a connection that cannot be given is tried until the deadline, then closed', () =>
  withWorld({ deadlineMs: 200 }, async ({ succession, pages, server }) => {
    pages.resolve()
    const client = await TcpClient.open(server)
    client.send(ask(1, 'echo'))
    await client.next()
    let attempts = 0
    await succession.retire(() => {
      attempts += 1
      return false
    })
    assert.ok(attempts > 3, `${attempts} attempts`)
    assert.is(await client.peerClosed(1000), true)
    await client.close()
  }))

test('datagrams stay in the kernel while another process reads, and are read again when it has failed', () =>
  withWorld({}, async ({ succession, handler, server }) => {
    const client = await UdpClient.open(server)
    succession.pauseReceiving()
    client.send(ask(1, 'echo'))
    assert.is(await client.next(100), undefined)
    assert.is(handler.handled, 0)
    succession.resumeReceiving()
    assert.is((await client.next())?.readUInt16BE(0), 1)
    await client.close()
  }))

test('who is asked to serve again is not retired any more', () =>
  withWorld({}, async ({ succession, steps, pages }) => {
    pages.resolve()
    await succession.retire(undefined)
    succession.resume()
    assert.equal([succession.isRetired, steps.at(-1)], [false, 'serve'])
  }))

test('a return that fails is a defect, not an unhandled rejection', () => {
  const failure = new Error('address taken meanwhile')
  return withWorld({ serve: () => Promise.reject(failure) }, async ({ succession, defects }) => {
    succession.resume()
    await until('told', () => defects.length > 0)
    assert.equal(defects, [failure])
  })
})

test('what is done already is not polled for, and a deadline in the past waits for nothing', async () => {
  let asked = 0
  await pollUntil(() => {
    asked += 1
    return true
  }, performance.now() + 1000)
  assert.is(asked, 1)
  const startMs = performance.now()
  await pollUntil(() => false, startMs)
  assert.ok(performance.now() - startMs < 100)
})

test.run()
