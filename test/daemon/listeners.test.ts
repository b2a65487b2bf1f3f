/*
 * Goal: a changed list of addresses is followed without touching the sockets that stay; nothing is left open by a failure. Method: real
 * sockets on loopback, portable and held ones, with a handler that does what the query says.
 */
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Endpoint } from '../../src/config/address.ts'
import { Listeners } from '../../src/daemon/listeners.ts'
import { HeldSockets } from '../../src/handover/held-sockets.ts'
import { chooseUdpIo } from '../../src/listen/udp-io.ts'
import { BindError } from '../../src/system/bind.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { ask, idOf, ScriptedHandler } from '../listen/scripted-handler.ts'
import { askTcp, askUdp, TcpClient, UdpClient } from '../support/client/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/process.ts'
import { configOf } from './support.ts'

const test = suite('daemon/listeners')

interface Opened {
  readonly listeners: Listeners
  readonly handler: ScriptedHandler
}

interface Options {
  readonly held?: HeldSockets
  readonly number?: number
}

function listenersOf({ held, number = 0 }: Options = {}): Opened {
  const handler = new ScriptedHandler()
  const listeners = new Listeners({
    handler,
    settings: configOf({ tcp: { connectionsMax: 2 } }),
    io: chooseUdpIo('portable'),
    held,
    number,
    onDefect: () => undefined,
  })
  return { listeners, handler }
}

async function withListeners(body: (opened: Opened) => Promise<void>): Promise<void> {
  const opened = listenersOf()
  try {
    await body(opened)
  } finally {
    await opened.listeners.close(0)
  }
}

function at(port: number, address = '127.0.0.1'): Endpoint {
  return { address, port, family: address.includes(':') ? 6 : 4 }
}

function serverAt(port: number, host = '127.0.0.1') {
  return { host, port }
}

/** A port that somebody else has, over TCP or UDP. */
async function withTakenPort(body: (port: number) => Promise<void>): Promise<void> {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  try {
    await body(address.port)
  } finally {
    taken.close()
    await once(taken, 'close')
  }
}

async function isRefused(port: number): Promise<boolean> {
  const client = await TcpClient.open(serverAt(port)).catch(() => undefined)
  await client?.close()
  return client === undefined
}

test('UDP and TCP answer on every address, each with its own index', () =>
  withListeners(async ({ listeners, handler }) => {
    await listeners.openMissing([at(0), at(0, '::1')])
    const [v4, v6] = listeners.addresses
    assert.is(idOf(await askUdp(serverAt(v4?.port ?? 0), ask(1, 'echo'))), 1)
    assert.is(idOf(await askTcp(serverAt(v6?.port ?? 0, '::1'), ask(2, 'echo'))), 2)
    assert.equal(
      handler.seen.map(({ serverIndex, family }) => [serverIndex, family]),
      [
        [0, 4],
        [1, 6],
      ],
    )
    assert.equal(listeners.servers, [`127.0.0.1:${v4?.port}`, `[::1]:${v6?.port}`])
  }))

test('what is open is not opened again: sockets and clients stay', () =>
  withListeners(async ({ listeners }) => {
    await listeners.openMissing([at(0)])
    const [before] = listeners.pairs
    const client = await TcpClient.open(serverAt(listeners.addresses[0]?.port ?? 0))
    await listeners.openMissing([at(0)])
    await listeners.closeOthers([at(0)], 0)
    assert.is(listeners.pairs.length, 1)
    assert.is(listeners.pairs[0], before)
    client.send(ask(5, 'echo'))
    assert.is(idOf(await client.next()), 5)
    await client.close()
  }))

test('an address keeps its index when others go, and a new one never gets the index of one that has gone', () =>
  withListeners(async ({ listeners, handler }) => {
    const ports = [await freePort(), await freePort(), await freePort()]
    const [first = 0, second = 0, third = 0] = ports
    await listeners.openMissing([at(first), at(second)])
    await listeners.closeOthers([at(second)], 0)
    await listeners.openMissing([at(second), at(third)])
    await askUdp(serverAt(second), ask(1, 'echo'))
    await askUdp(serverAt(third), ask(2, 'echo'))
    assert.equal(
      handler.seen.map(({ serverIndex }) => serverIndex),
      [1, 2],
    )
    assert.equal(
      listeners.servers,
      ports.map((port) => `127.0.0.1:${port}`),
    )
    assert.equal(
      listeners.addresses.map(({ port }) => port),
      [second, third],
    )
  }))

test('one address that cannot be had: those opened with it are closed again, those open before serve on', () =>
  withTakenPort((taken) =>
    withListeners(async ({ listeners }) => {
      const [old, fresh] = [await freePort(), await freePort()]
      await listeners.openMissing([at(old)])
      try {
        await listeners.openMissing([at(old), at(fresh), at(taken)])
        assert.unreachable()
      } catch (error) {
        assert.instance(error, BindError)
        assert.match(String(error), new RegExp(`tcp 127\\.0\\.0\\.1:${taken}`))
      }
      assert.ok(await isRefused(fresh), 'the new one is still open')
      assert.equal(
        listeners.addresses.map(({ port }) => port),
        [old],
      )
      assert.is(idOf(await askUdp(serverAt(old), ask(1, 'echo'))), 1)
      // Free for a later reload as well.
      await listeners.openMissing([at(old), at(fresh)])
      assert.is(idOf(await askTcp(serverAt(fresh), ask(2, 'echo'))), 2)
    }),
  ))

test('an unwanted address takes nobody new at once, and answers whom it has until the time is up', () =>
  withListeners(async ({ listeners, handler }) => {
    const port = await freePort()
    await listeners.openMissing([at(port)])
    const client = await TcpClient.open(serverAt(port))
    client.send(ask(3, 'hold'))
    await handler.heldCount(1)
    const closed = listeners.closeOthers([], 2000)
    assert.equal(listeners.addresses, [])
    assert.ok(await isRefused(port))
    handler.releaseAll()
    assert.is(idOf(await client.next()), 3)
    await client.close()
    await closed
  }))

test('connections of all addresses share one limit', () =>
  withListeners(async ({ listeners }) => {
    await listeners.openMissing([at(0), at(0, '::1')])
    const [v4, v6] = listeners.addresses
    const clients = [
      await TcpClient.open(serverAt(v4?.port ?? 0)),
      await TcpClient.open(serverAt(v6?.port ?? 0, '::1')),
      await TcpClient.open(serverAt(v6?.port ?? 0, '::1')),
    ]
    const [oldest] = clients
    await until('the limit holds', () => {
      const open = listeners.pairs.reduce((sum, { tcp }) => sum + tcp.stats.open, 0)
      const accepted = listeners.pairs.reduce((sum, { tcp }) => sum + tcp.stats.accepted, 0)
      return accepted === 3 && open <= 2
    })
    await oldest?.close()
    for (const client of clients) await client.close()
  }))

test('at the end nothing new is read, and what waits is still answered', () =>
  withListeners(async ({ listeners, handler }) => {
    await listeners.openMissing([at(0)])
    const server = serverAt(listeners.addresses[0]?.port ?? 0)
    const client = await UdpClient.open(server)
    client.send(ask(1, 'hold'))
    await handler.heldCount(1)
    await listeners.stopReceiving(false)
    client.send(ask(2, 'echo'))
    assert.ok(await isRefused(server.port))
    handler.releaseAll()
    assert.is(idOf(await client.next()), 1)
    assert.is(await client.next(50), undefined)
    await client.close()
  }))

test('where new queries go elsewhere, those that are here already are read before the end', () =>
  withListeners(async ({ listeners, handler }) => {
    await listeners.openMissing([at(0)])
    const client = await UdpClient.open(serverAt(listeners.addresses[0]?.port ?? 0))
    const stopped = listeners.stopReceiving(true)
    for (let id = 1; id <= 20; id++) client.send(ask(id, 'echo'))
    await stopped
    assert.is(handler.handled, 20)
    await client.close()
  }))

test('queries that come all the same do not keep us', () =>
  withListeners(async ({ listeners }) => {
    await listeners.openMissing([at(0)])
    const client = await UdpClient.open(serverAt(listeners.addresses[0]?.port ?? 0))
    const flood = setInterval(() => client.send(ask(1, 'drop')), 1)
    const startMs = performance.now()
    await listeners.stopReceiving(true)
    const tookMs = performance.now() - startMs
    clearInterval(flood)
    assert.ok(tookMs < 1000, `${tookMs} ms`)
    await client.close()
  }))

test('a connection for an address that we do not serve is ended, not kept', () =>
  withListeners(async ({ listeners, handler }) => {
    await listeners.openMissing([at(0)])
    const giver = createServer().listen(0, '127.0.0.1')
    await once(giver, 'listening')
    const place = giver.address()
    const port = typeof place === 'object' && place !== null ? place.port : 0
    for (const [wanted, isServed] of [
      ['127.0.0.1:0', true],
      ['127.0.0.1:1', false],
    ] as const) {
      const connected = once(giver, 'connection')
      const client = await TcpClient.open(serverAt(port))
      const [socket] = await connected
      listeners.adopt(wanted, socket)
      client.send(ask(4, 'echo'))
      assert.is(idOf(await client.next()), isServed ? 4 : undefined, wanted)
      await client.close()
    }
    assert.is(handler.handled, 1)
    giver.close()
    await once(giver, 'close')
  }))

/** Two workers on the sockets of one supervisor. */
async function withWorkers(
  body: (workers: readonly [Opened, Opened], port: number) => Promise<void>,
): Promise<void> {
  const held = new HeldSockets(loadSystemCalls())
  const port = await freePort()
  const wanted = at(port)
  // The supervisor opens those of all workers before one of them listens.
  for (const number of [0, 1]) held.forget(held.obtainBoth(wanted, number))
  const workers = [listenersOf({ held, number: 0 }), listenersOf({ held, number: 1 })] as const
  try {
    for (const { listeners } of workers) await listeners.openMissing([wanted])
    await body(workers, port)
  } finally {
    for (const { listeners } of workers) {
      listeners.leave(1, 0)
      await listeners.close(0)
    }
    held.close()
    // Longer than any socket lingers.
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
}

/** Asks from so many ports that the kernel deals some of them to each socket. */
async function askFromManyPorts(port: number, count = 24): Promise<number> {
  const replies = await Promise.all(
    Array.from({ length: count }, (_, id) => askUdp(serverAt(port), ask(id, 'echo'), 300)),
  )
  return replies.filter((reply) => reply !== undefined).length
}

test('each worker reads its own socket; one that has died leaves its questions to a colleague', () =>
  withWorkers(async ([one, other], port) => {
    assert.is(await askFromManyPorts(port), 24)
    assert.ok(one.handler.handled > 0 && other.handler.handled > 0)
    // As if it hung: its socket stays, nobody reads it.
    other.listeners.pauseReceiving()
    assert.ok((await askFromManyPorts(port)) < 24)
    await one.listeners.readAlso(1)
    const before = one.handler.handled
    assert.is(await askFromManyPorts(port), 24)
    assert.ok(one.handler.handled - before >= 24)
  }))

test('a socket is adopted once, however often it is ordered, and left by one order', () =>
  withWorkers(async ([one, other], port) => {
    other.listeners.pauseReceiving()
    await one.listeners.readAlso(1)
    await one.listeners.readAlso(1)
    const before = one.handler.handled
    await askFromManyPorts(port)
    assert.is(one.handler.handled - before, 24)
    one.listeners.leave(1, 0)
    assert.ok((await askFromManyPorts(port)) < 24, 'somebody still reads it')
  }))

test('a socket is left to its own worker again, and what was read from it is answered from it', () =>
  withWorkers(async ([one, other], port) => {
    other.listeners.pauseReceiving()
    await one.listeners.readAlso(1)
    const clients = await Promise.all(
      Array.from({ length: 24 }, () => UdpClient.open(serverAt(port))),
    )
    for (const [id, client] of clients.entries()) client.send(ask(id, 'hold'))
    await one.handler.heldCount(24)
    one.listeners.leave(1, 50)
    one.handler.releaseAll()
    const ids = await Promise.all(clients.map(async (client) => idOf(await client.next())))
    assert.equal(
      ids,
      clients.map((_, id) => id),
    )
    for (const client of clients) await client.close()
    other.listeners.resumeReceiving()
    assert.is(await askFromManyPorts(port), 24)
    assert.ok(other.handler.handled > 0)
  }))

test('a number that nobody has, and sockets that nobody holds, are no reason to fail', async () => {
  await withWorkers(async ([one]) => {
    await one.listeners.readAlso(7)
    one.listeners.leave(7, 0)
    one.listeners.leave(8, 0)
  })
  await withListeners(async ({ listeners }) => {
    await listeners.openMissing([at(0)])
    await listeners.readAlso(1)
  })
})

test('sockets outlive the worker: what came while nobody listened is read by the next', async () => {
  const held = new HeldSockets(loadSystemCalls())
  const wanted = at(await freePort())
  try {
    const first = listenersOf({ held })
    await first.listeners.openMissing([wanted])
    await first.listeners.close(0)
    const client = await UdpClient.open(serverAt(wanted.port))
    client.send(ask(6, 'echo'))
    const second = listenersOf({ held })
    await second.listeners.openMissing([wanted])
    assert.is(idOf(await client.next()), 6)
    await client.close()
    await second.listeners.close(0)
  } finally {
    held.close()
  }
})

test('an address that comes back has the index and the label that it had', () =>
  withListeners(async ({ listeners, handler }) => {
    const [a, b] = [at(await freePort()), at(await freePort(), '127.0.0.2')]
    await listeners.openMissing([a, b])
    await listeners.closeOthers([b], 0)
    await listeners.openMissing([a, b])
    assert.equal(listeners.servers, [`127.0.0.1:${a.port}`, `127.0.0.2:${b.port}`])
    await askUdp(serverAt(a.port), ask(1, 'echo'))
    assert.is(handler.seen.at(-1)?.serverIndex, 0)
    await listeners.close(0)
    await listeners.openMissing([b, a])
    assert.is(listeners.servers.length, 2)
    await askUdp(serverAt(b.port, '127.0.0.2'), ask(2, 'echo'))
    assert.is(handler.seen.at(-1)?.serverIndex, 1)
  }))

test('a held socket of any port is the same address again', async () => {
  const held = new HeldSockets(loadSystemCalls())
  const { listeners } = listenersOf({ held })
  await listeners.openMissing([at(0)])
  await listeners.close(0)
  await listeners.openMissing([at(0)])
  assert.is(listeners.servers.length, 1)
  await listeners.close(0)
  held.close()
})

test('the end closes the sockets of dead colleagues as well', async () => {
  const held = new HeldSockets(loadSystemCalls())
  const { listeners } = listenersOf({ held })
  held.forget(held.obtainBoth(at(0), 0))
  held.forget(held.obtainBoth(at(0), 1))
  await listeners.openMissing([at(0)])
  await listeners.readAlso(1)
  const before = readdirSync('/proc/self/fd').length
  await listeners.close(0)
  // UDP and TCP of our own, and the socket of the colleague.
  assert.is(readdirSync('/proc/self/fd').length, before - 3)
  held.close()
})

test.run()
