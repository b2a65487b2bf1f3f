/*
 * Goal: caps over all connections, an orderly stop, and errors of binding.
 * Method: real connections from several addresses of 127.0.0.0/8.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatEndpoint } from '../../src/address/endpoint.ts'
import { bindBoth } from '../../src/listen/bind-pair.ts'
import { TcpConnections } from '../../src/listen/tcp-connections.ts'
import { TcpListener } from '../../src/listen/tcp-listener.ts'
import { PortableUdpEndpoint } from '../../src/listen/udp-portable.ts'
import { BindError, type ListenAddress } from '../../src/system/bind.ts'
import { askTcp, askUdp } from '../support/client/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/process.ts'
import { ask, idOf, ScriptedHandler, v4, v6 } from './scripted-handler.ts'
import { calm, TcpFixture } from './tcp-fixture.ts'

const listener = suite('listen/tcp-listener')

function listenerOn(address: ListenAddress): TcpListener {
  return new TcpListener({
    address,
    serverIndex: 0,
    settings: calm,
    connections: new TcpConnections(calm),
  })
}

function endpointOn(address: ListenAddress): PortableUdpEndpoint {
  const settings = { receiveBufferBytes: 100_000, sendQueueMax: 10 }
  return new PortableUdpEndpoint({ address, serverIndex: 0, settings })
}

async function bindErrorOf(action: () => Promise<unknown>): Promise<BindError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof BindError) return error
    throw error
  }
  throw new Error('it was bound')
}

/** Whether a new connection is turned away: reset, perhaps before it knows that it is connected. */
async function isTurnedAway(port: number, localAddress: string): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, localAddress })
  socket.on('error', () => undefined)
  socket.write(Buffer.concat([Buffer.of(0, 13), ask(1, 'echo')]))
  const outcome = Promise.withResolvers<boolean>()
  socket.once('close', () => outcome.resolve(true))
  socket.once('data', () => outcome.resolve(false))
  const turnedAway = await outcome.promise
  socket.destroy()
  return turnedAway
}

listener('when it is full the connection idle longest makes room', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const clients = [await fixture.client(), await fixture.client(), await fixture.client()]
      for (const [id, client] of clients.entries()) {
        client.send(ask(id, 'echo'))
        await client.next()
      }
      clients[0]?.send(ask(9, 'echo'))
      await clients[0]?.next()
      const newest = await fixture.client()
      newest.send(ask(4, 'echo'))
      assert.is(idOf(await newest.next()), 4)
      assert.equal(
        clients.map((client) => client.ended),
        [false, true, false],
      )
      assert.is(fixture.stats.closed.evicted, 1)
      assert.is(fixture.connections.open, 3)
    },
    { connectionsMax: 3 },
  )
})

listener('a connection that never asked makes room before one that did', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const asked = await fixture.client()
      asked.send(ask(1, 'echo'))
      await asked.next()
      const silent = await fixture.client()
      const newest = await fixture.client()
      newest.send(ask(2, 'echo'))
      assert.is(idOf(await newest.next()), 2)
      assert.equal([asked.ended, silent.ended], [false, true])
    },
    { connectionsMax: 2 },
  )
})

listener('a newcomer is turned away when every connection has a query in flight', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const { port } = fixture.listener.address
      const [one, two] = [await fixture.client(), await fixture.client()]
      one.send(ask(1, 'hold'))
      two.send(ask(2, 'hold'))
      await fixture.handler.heldCount(2)
      assert.ok(await isTurnedAway(port, '127.0.0.1'))
      assert.is(fixture.stats.refused, 1)
      fixture.handler.releaseAll()
      assert.is(idOf(await one.next()), 1)
      assert.is(idOf(await two.next()), 2)
      assert.not(await isTurnedAway(port, '127.0.0.1'))
    },
    { connectionsMax: 2 },
  )
})

listener(
  'a client at its own cap displaces its own idle connections, not those of others',
  async () => {
    await TcpFixture.run(
      async (fixture) => {
        const { port } = fixture.listener.address
        const other = await fixture.client()
        const greedy: Socket[] = []
        for (let index = 0; index < 5; index += 1) {
          const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' })
          greedy.push(socket)
          await once(socket, 'connect')
          await until('accepted', () => fixture.stats.accepted === index + 2)
        }
        await until('closed', () => greedy.filter((socket) => socket.closed).length === 2)
        assert.equal(
          greedy.map((socket) => socket.closed),
          [true, true, false, false, false],
        )
        assert.not(other.ended)
        assert.is(fixture.stats.open, 4)
        for (const socket of greedy) socket.destroy()
      },
      { connectionsPerClientMax: 3 },
    )
  },
)

listener(
  'a client at its own cap with everything in flight is turned away, others are not',
  async () => {
    await TcpFixture.run(
      async (fixture) => {
        const { port } = fixture.listener.address
        const busy = await fixture.client()
        busy.send(ask(1, 'hold'))
        await fixture.handler.heldCount(1)
        assert.ok(await isTurnedAway(port, '127.0.0.1'))
        assert.not(await isTurnedAway(port, '127.0.0.2'))
      },
      { connectionsPerClientMax: 1 },
    )
  },
)

listener('a closed connection gives its place back', async () => {
  await TcpFixture.run(
    async (fixture) => {
      for (let turn = 0; turn < 20; turn += 1) {
        const client = await fixture.client()
        client.send(ask(turn, 'echo'))
        assert.is(idOf(await client.next()), turn)
        await client.close()
        await until('gone', () => fixture.connections.open === 0)
      }
      assert.is(fixture.stats.closed.evicted, 0)
    },
    { connectionsMax: 2 },
  )
})

listener('stop answers what is in flight, then closes, and takes nothing new', async () => {
  await TcpFixture.run(async (fixture) => {
    const [busy, idle] = [await fixture.client(), await fixture.client()]
    busy.send(ask(1, 'hold'))
    await fixture.handler.heldCount(1)
    let stopped = false
    const stopping = fixture.listener.stop(5000).then(() => {
      stopped = true
    })
    assert.ok(await idle.peerClosed(1000))
    busy.send(ask(2, 'echo'))
    const { address: host, port } = fixture.listener.address
    const late = connect({ host, port })
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    assert.is(error.code, 'ECONNREFUSED')
    assert.not(stopped)
    fixture.handler.release(0)
    assert.is(idOf(await busy.next()), 1)
    assert.is(await busy.next(), undefined)
    await Promise.all([busy.close(), idle.close()])
    await stopping
    assert.is(fixture.stats.closed.drain, 2)
    assert.is(fixture.handler.handled, 1)
  })
})

listener('stop ends at its deadline when an answer never comes', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.send(ask(1, 'hold'))
    await fixture.handler.heldCount(1)
    const startedMs = performance.now()
    await fixture.listener.stop(200)
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs > 190 && tookMs < 1000, `${tookMs} ms`)
    fixture.handler.release(0)
    assert.ok(await client.peerClosed(1000))
  })
})

listener('after stopAccepting connections go on until stop', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    fixture.listener.stopAccepting()
    fixture.listener.stopAccepting()
    client.send(ask(1, 'echo'))
    assert.is(idOf(await client.next()), 1)
    await client.close()
    await until('gone', () => fixture.stats.open === 0)
    await fixture.listener.stop(1000)
    await fixture.listener.stop(1000)
  })
})

listener('stop before start does nothing', async () => {
  const unused = listenerOn(v4)
  unused.stopAccepting()
  await unused.stop(1000)
})

listener('an address that cannot be bound is reported with its code', async () => {
  await TcpFixture.run(async (fixture) => {
    const taken = await bindErrorOf(() =>
      listenerOn(fixture.listener.address).start(new ScriptedHandler()),
    )
    assert.is(taken.code, 'EADDRINUSE')
    assert.is(taken.transport, 'tcp')
    const foreign = { address: '192.0.2.1', port: 53, family: 4 } as const
    const absent = await bindErrorOf(() => listenerOn(foreign).start(new ScriptedHandler()))
    assert.is(absent.code, 'EADDRNOTAVAIL')
    assert.match(absent.message, 'cannot listen on tcp 192.0.2.1:53: ')
  })
})

for (const address of [v4, v6]) {
  listener(
    `UDP and TCP take the same port of ${address.address} when the kernel chooses`,
    async () => {
      const handler = new ScriptedHandler()
      const { tcp, udp } = await bindBoth(handler, address, { tcp: listenerOn, udp: endpointOn })
      assert.equal(tcp.address, udp.address)
      const server = { host: address.address, port: tcp.address.port }
      assert.is(idOf(await askUdp(server, ask(1, 'echo'))), 1)
      assert.is(idOf(await askTcp(server, ask(2, 'echo'))), 2)
      await Promise.all([tcp.stop(1000), udp.stop()])
    },
  )
}

listener('when UDP cannot be bound TCP is released too', async () => {
  // A port that the kernel chooses for UDP may be taken for TCP.
  const occupant = endpointOn({ ...v4, port: await freePort() })
  await occupant.start(new ScriptedHandler())
  const error = await bindErrorOf(() =>
    bindBoth(new ScriptedHandler(), occupant.address, { tcp: listenerOn, udp: endpointOn }),
  )
  assert.is(error.transport, 'udp')
  const server = createServer()
  server.listen(occupant.address.port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
  await Promise.all([once(server, 'close'), occupant.stop()])
})

listener('addresses are written as they are configured', () => {
  assert.is(formatEndpoint({ ...v4, port: 53 }), '127.0.0.1:53')
  assert.is(formatEndpoint({ ...v6, port: 53 }), '[::1]:53')
})

listener.run()
