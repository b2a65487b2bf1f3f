/*
 * What every UDP endpoint does, whichever system calls it uses. A test file runs this suite for each
 * implementation. Method: real sockets on 127.0.0.1 and ::1.
 */
import { networkInterfaces } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Transport } from '../../src/core/ports.ts'
import type { UdpEndpoint, UdpEndpointOptions } from '../../src/listen/udp-endpoint.ts'
import { BindError } from '../../src/system/bind.ts'
import { boundPort, openUdpSocket } from '../../src/system/open-socket.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { ask, idOf, ScriptedHandler, v4, v6 } from '../listen/scripted-handler.ts'
import { UdpClient } from '../support/client/dns-client.ts'
import { until } from '../support/process.ts'

export type OpenUdpEndpoint = (options: UdpEndpointOptions) => UdpEndpoint

const settings = { receiveBufferBytes: 4_194_304, sendQueueMax: 1000 }

/** Linux has all of 127.0.0.0/8 on its loopback; of IPv6 it has one address, so the second is whatever this machine has. */
const wildcards = [
  { wildcard: { ...v4, address: '0.0.0.0' }, second: '127.0.0.77', plain: '127.0.0.1' },
  { wildcard: { ...v6, address: '::' }, second: globalAddress() ?? '::1', plain: '::1' },
]

function globalAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return all.find((one) => one.family === 'IPv6' && !one.internal && one.scopeid === 0)?.address
}

export function udpEndpointContract(name: string, open: OpenUdpEndpoint): void {
  const contract = suite(`contract/udp-endpoint of ${name}`)

  /** Runs `body` against a started endpoint and closes everything. */
  async function withEndpoint(
    body: (endpoint: UdpEndpoint, handler: ScriptedHandler, client: UdpClient) => Promise<void>,
    options: Partial<UdpEndpointOptions> = {},
  ): Promise<void> {
    const endpoint = open({ address: v4, serverIndex: 0, settings, ...options })
    const handler = new ScriptedHandler()
    await endpoint.start(handler)
    const { address: host, port } = endpoint.address
    const client = await UdpClient.open({ host, port })
    try {
      await body(endpoint, handler, client)
    } finally {
      await client.close()
      await endpoint.stop()
    }
  }

  for (const address of [v4, v6]) {
    contract(`a query to ${address.address} is answered from that address`, async () => {
      await withEndpoint(
        async (endpoint, handler, client) => {
          // The client is connected: a reply from any other address or port never reaches it.
          client.send(ask(7, 'echo', 'payload'))
          const reply = await client.next()
          assert.is(idOf(reply), 7)
          assert.is(reply?.toString('latin1', 13), 'payload')
          assert.is.not(endpoint.address.port, 0)
          assert.equal(handler.seen, [
            {
              transport: Transport.udp,
              family: address.family,
              port: client.socket.address().port,
              serverIndex: 3,
              address: address.address,
            },
          ])
        },
        { address, serverIndex: 3 },
      )
    })
  }

  for (const { wildcard, second, plain } of wildcards) {
    contract(
      `a query to a second address of ${wildcard.address} is answered from it, or the start is refused`,
      async () => {
        const endpoint = open({ address: wildcard, serverIndex: 0, settings })
        try {
          const handler = new ScriptedHandler()
          try {
            await endpoint.start(handler)
          } catch (error) {
            if (!(error instanceof BindError)) throw error
            assert.is(error.code, 'EOPNOTSUPP')
            assert.match(error.message, 'cannot answer from the address that was asked')
            return
          }
          for (const [index, host] of [second, plain].entries()) {
            // The client is connected: a reply from another address never reaches it.
            const client = await UdpClient.open({ host, port: endpoint.address.port })
            client.send(ask(1, 'echo'))
            assert.is(idOf(await client.next()), 1)
            client.send(ask(2, 'hold'))
            await handler.heldCount(index + 1)
            handler.release(index)
            assert.is(idOf(await client.next()), 2)
            await client.close()
          }
        } finally {
          await endpoint.stop()
        }
      },
    )
  }

  contract('a datagram without an answer gets none, and the next one does', async () => {
    await withEndpoint(async (_endpoint, _handler, client) => {
      client.send(ask(1, 'drop'))
      client.send(ask(2, 'echo'))
      assert.is(idOf(await client.next()), 2)
    })
  })

  contract(
    'datagrams that come apart are batches apart: each has its own time of arrival',
    async () => {
      await withEndpoint(async (_endpoint, handler, client) => {
        for (const id of [1, 2, 3]) {
          client.send(ask(id, 'echo'))
          assert.is(idOf(await client.next()), id)
          assert.is(handler.batches, id)
        }
      })
    },
  )

  contract('empty datagrams and datagrams of any length reach the handler', async () => {
    await withEndpoint(async (endpoint, handler, client) => {
      client.send(Buffer.alloc(0))
      for (const bytes of [1, 11, 12, 13, 512, 65000]) client.send(Buffer.alloc(bytes))
      client.send(ask(9, 'echo'))
      assert.is(idOf(await client.next()), 0)
      await until('8 received', () => endpoint.stats.received === 8)
      assert.is(handler.handled, 8)
    })
  })

  contract('held queries are answered in any order, each to its own sender', async () => {
    await withEndpoint(async (endpoint, handler, first) => {
      const { address: host, port } = endpoint.address
      const second = await UdpClient.open({ host, port })
      first.send(ask(1, 'hold'))
      await handler.heldCount(1)
      second.send(ask(2, 'hold'))
      await handler.heldCount(2)
      handler.release(1, 'to second')
      assert.is(idOf(await second.next()), 2)
      handler.release(0, 'to first')
      const reply = await first.next()
      assert.is(idOf(reply), 1)
      assert.is(reply?.toString('latin1', 12), 'to first')
      await second.close()
    })
  })

  contract('a held reply sent while the handler is writing another spoils neither', async () => {
    const endpoint = open({ address: v4, serverIndex: 0, settings })
    const holder = new ScriptedHandler()
    await endpoint.start({
      beginBatch: () => holder.beginBatch(),
      handle(query, queryBytes, out, peer) {
        const replyBytes = holder.handle(query, queryBytes, out, peer)
        if (replyBytes > 0) holder.release(0, 'held text')
        return replyBytes
      },
    })
    const { address: host, port } = endpoint.address
    const client = await UdpClient.open({ host, port })
    client.send(ask(1, 'hold'))
    await holder.heldCount(1)
    client.send(ask(2, 'echo', 'written'))
    const replies = new Map<number | undefined, string | undefined>()
    for (let n = 0; n < 2; n += 1) {
      const reply = await client.next()
      replies.set(idOf(reply), reply?.toString('latin1', 12))
    }
    assert.is(replies.get(1), 'held text')
    assert.is(replies.get(2), '\0written')
    await client.close()
    await endpoint.stop()
  })

  contract(
    'what a handler puts off to a tick or a promise is done before anything else comes',
    async () => {
      const endpoint = open({ address: v4, serverIndex: 0, settings })
      const done: string[] = []
      await endpoint.start({
        beginBatch: () => undefined,
        handle() {
          const since = performance.now()
          const note = (what: string) => () => {
            if (performance.now() - since < 100) done.push(what)
          }
          process.nextTick(note('tick'))
          Promise.resolve().then(note('promise'), assert.unreachable)
          return 0
        },
      })
      const { address: host, port } = endpoint.address
      const client = await UdpClient.open({ host, port })
      client.send(ask(1, 'drop'))
      // The timer is what would run them otherwise, too late.
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.equal(done, ['tick', 'promise'])
      await client.close()
      await endpoint.stop()
    },
  )

  contract('an exception in the handler is told and counted, and service goes on', async () => {
    const defects: unknown[] = []
    await withEndpoint(
      async (endpoint, _handler, client) => {
        client.send(ask(1, 'throw'))
        client.send(ask(2, 'echo'))
        assert.is(idOf(await client.next()), 2)
        assert.is(endpoint.stats.handlerDefects, 1)
        assert.is(defects.length, 1)
      },
      { onDefect: (error) => defects.push(error) },
    )
  })

  contract('a burst of 200 datagrams is answered in full', async () => {
    await withEndpoint(async (endpoint, _handler, client) => {
      const missing = new Set<number | undefined>()
      for (let id = 1; id <= 200; id += 1) {
        missing.add(id)
        client.send(ask(id, 'echo'))
      }
      while (missing.size > 0) {
        const reply = await client.next()
        assert.ok(missing.delete(idOf(reply)), `${missing.size} replies are missing`)
      }
      await until('200 sent', () => endpoint.stats.sent === 200)
    })
  })

  contract('the receive buffer that the kernel granted is known', async () => {
    await withEndpoint(
      async (endpoint) => {
        assert.is(endpoint.stats.receiveBufferBytes, 100_000)
      },
      { settings: { ...settings, receiveBufferBytes: 100_000 } },
    )
  })

  contract(
    'after stopReceiving no query is handled, and held ones are still answered',
    async () => {
      await withEndpoint(async (endpoint, handler, client) => {
        client.send(ask(1, 'hold'))
        await handler.heldCount(1)
        endpoint.stopReceiving()
        client.send(ask(2, 'echo'))
        await until('1 ignored', () => endpoint.stats.ignored === 1)
        handler.release(0)
        assert.is(idOf(await client.next()), 1)
        assert.is(handler.handled, 1)
      })
    },
  )

  contract(
    'while paused, datagrams stay for another reader of the socket, and held replies are sent',
    async () => {
      const calls = loadSystemCalls()
      const fd = openUdpSocket(calls, v4)
      const address = { ...v4, port: boundPort(calls, fd, 4) }
      const second = open({ address, serverIndex: 1, settings, fd: calls.duplicate(fd) })
      await withEndpoint(
        async (endpoint, handler, client) => {
          assert.is(endpoint.address.port, address.port)
          client.send(ask(1, 'hold'))
          await handler.heldCount(1)
          endpoint.pauseReceiving()
          for (let id = 2; id < 50; id++) client.send(ask(id, 'echo'))
          await new Promise((resolve) => setTimeout(resolve, 50))
          assert.is(endpoint.stats.received, 1)
          const other = new ScriptedHandler()
          await second.start(other)
          for (let id = 2; id < 50; id++) assert.is(idOf(await client.next()), id)
          assert.is(other.seen.length, 48)
          handler.release(0)
          assert.is(idOf(await client.next()), 1)
          await second.stop()
          // The socket is the same, so it outlives the endpoint that has closed its descriptor of it.
          endpoint.resumeReceiving()
          client.send(ask(50, 'echo'))
          assert.is(idOf(await client.next()), 50)
        },
        { address, fd },
      )
    },
  )

  contract('a reply after stop goes nowhere and harms nobody', async () => {
    await withEndpoint(async (endpoint, handler, client) => {
      client.send(ask(1, 'hold'))
      await handler.heldCount(1)
      await endpoint.stop()
      handler.release(0)
      assert.is(endpoint.stats.unsendable, 1)
    })
  })

  contract('stop frees the port, and may be called twice and before start', async () => {
    await withEndpoint(async (endpoint) => {
      await endpoint.stop()
      await endpoint.stop()
      const next = open({ address: endpoint.address, serverIndex: 0, settings })
      await next.start(new ScriptedHandler())
      await next.stop()
    })
    await open({ address: v4, serverIndex: 0, settings }).stop()
  })

  contract('a taken port is reported with its code, address and transport', async () => {
    await withEndpoint(async (endpoint) => {
      const second = open({ address: endpoint.address, serverIndex: 0, settings })
      const error = await failureOf(second)
      assert.is(error.code, 'EADDRINUSE')
      assert.is(error.transport, 'udp')
      assert.equal(error.address, endpoint.address)
      assert.match(error.message, `cannot listen on udp 127.0.0.1:${endpoint.address.port}: `)
    })
  })

  contract('an address of another machine is reported with its code', async () => {
    for (const address of ['192.0.2.1', '2001:db8::1']) {
      const family = address.includes(':') ? 6 : 4
      const foreign = { address, port: 5353, family } as const
      const error = await failureOf(open({ address: foreign, serverIndex: 0, settings }))
      assert.is(error.code, 'EADDRNOTAVAIL')
    }
  })

  contract('::1 and 127.0.0.1 can have the same port', async () => {
    await withEndpoint(async (endpoint) => {
      const address = { ...v6, port: endpoint.address.port }
      const other = open({ address, serverIndex: 1, settings })
      await other.start(new ScriptedHandler())
      await other.stop()
    })
  })

  contract.run()
}

async function failureOf(endpoint: UdpEndpoint): Promise<BindError> {
  try {
    await endpoint.start(new ScriptedHandler())
  } catch (error) {
    if (error instanceof BindError) return error
    throw error
  }
  await endpoint.stop()
  throw new Error('it was bound')
}
