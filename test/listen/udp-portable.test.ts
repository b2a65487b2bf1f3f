/*
 * Goal: the portable endpoint keeps the contract, and what is particular to dgram is under control.
 * Method: the contract suite, real sockets, and a send queue that the test pretends to be full.
 */
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { DgramAsPromised, type SocketAsPromised } from 'dgram-as-promised'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PortableUdpEndpoint } from '../../src/listen/udp-portable.ts'
import { udpEndpointContract } from '../contract/udp-endpoint.ts'
import { UdpClient } from '../support/client/dns-client.ts'
import { ask, idOf, ScriptedHandler, v4 } from './scripted-handler.ts'

udpEndpointContract('PortableUdpEndpoint', (options) => new PortableUdpEndpoint(options))

const portable = suite('listen/udp-portable')

for (const address of ['0.0.0.0', '::']) {
  portable(`${address} is refused with the reason and two ways out`, async () => {
    const family = address === '::' ? 6 : 4
    const endpoint = new PortableUdpEndpoint({
      address: { address, port: 0, family },
      serverIndex: 0,
      settings: { receiveBufferBytes: 100_000, sendQueueMax: 3 },
    })
    const error = await endpoint.start(new ScriptedHandler()).then(
      () => undefined,
      (refusal: unknown) => refusal,
    )
    assert.instance(error, Error)
    assert.match(
      String(error),
      /portable sockets cannot answer from the address that was asked; list the addresses in place of the wildcard, or use --io batched \(EOPNOTSUPP\)$/,
    )
    await endpoint.stop()
  })
}

const settings = { receiveBufferBytes: 100_000, sendQueueMax: 3 }

/** The raw socket of a started endpoint: there is no public way to fill its queue. */
function rawSocketOf(endpoint: PortableUdpEndpoint): Socket {
  const { opened } = endpoint as unknown as { opened: SocketAsPromised | undefined }
  if (opened === undefined) throw new Error('not started')
  return opened.socket
}

/** dgram as it is when the kernel takes nothing: it keeps each buffer that it was given. */
class FullQueue {
  readonly buffers: Buffer[] = []

  constructor(socket: Socket) {
    socket.getSendQueueCount = () => this.buffers.length
    socket.send = (buffer: unknown) => {
      this.buffers.push(buffer as Buffer)
    }
  }

  get ids(): (number | undefined)[] {
    return this.buffers.map((buffer) => idOf(buffer))
  }
}

async function withEndpoint(
  body: (
    endpoint: PortableUdpEndpoint,
    handler: ScriptedHandler,
    client: UdpClient,
  ) => Promise<void> | void,
): Promise<void> {
  const endpoint = new PortableUdpEndpoint({ address: v4, serverIndex: 0, settings })
  const handler = new ScriptedHandler()
  await endpoint.start(handler)
  const client = await UdpClient.open({ host: '127.0.0.1', port: endpoint.address.port })
  try {
    await body(endpoint, handler, client)
  } finally {
    await client.close()
    await endpoint.stop()
  }
}

portable('a reply to port 0, for which dgram throws, is not sent and is counted', async () => {
  await withEndpoint((endpoint) => {
    endpoint.sendLater(ask(1, 'echo'), 0, '127.0.0.1')
    assert.is(endpoint.stats.unsendable, 1)
    const raw = rawSocketOf(endpoint)
    assert.throws(() => raw.send(ask(1, 'echo'), 0, '127.0.0.1'), /Port should be > 0/)
  })
})

portable('a datagram from port 0 reaches the handler, and its reply is not sent', async () => {
  await withEndpoint((endpoint, handler) => {
    const sender = { address: '127.0.0.1', family: 'IPv4', port: 0, size: 13 }
    rawSocketOf(endpoint).emit('message', ask(1, 'echo'), sender)
    assert.is(handler.seen[0]?.port, 0)
    assert.is(endpoint.stats.unsendable, 1)
    assert.is(endpoint.stats.handlerDefects, 0)
  })
})

portable('a buffer that dgram keeps is never written to again', async () => {
  await withEndpoint((endpoint, _handler) => {
    const raw = rawSocketOf(endpoint)
    const queue = new FullQueue(raw)
    const sender = { address: '127.0.0.1', family: 'IPv4', port: 5353, size: 13 }
    raw.emit('message', ask(1, 'echo'), sender)
    raw.emit('message', ask(2, 'echo'), sender)
    endpoint.sendLater(ask(3, 'echo'), 5353, '127.0.0.1')
    assert.equal(queue.ids, [1, 2, 3])
    const backing = queue.buffers.map(({ buffer }) => buffer.byteLength)
    // The first was sent from the scratch buffer, which was then replaced; those behind it are exact copies.
    assert.equal(backing, [65535, 13, 13])
  })
})

portable('above sendQueueMax replies are dropped and counted, and it recovers', async () => {
  await withEndpoint(async (endpoint, _handler, client) => {
    const raw = rawSocketOf(endpoint)
    const { send, getSendQueueCount } = raw
    const queue = new FullQueue(raw)
    const sender = { address: '127.0.0.1', family: 'IPv4', port: 5353, size: 13 }
    for (let id = 1; id <= 5; id += 1) raw.emit('message', ask(id, 'echo'), sender)
    assert.equal(queue.ids, [1, 2, 3])
    assert.is(endpoint.stats.queueDrops, 2)
    raw.send = send
    raw.getSendQueueCount = getSendQueueCount
    client.send(ask(6, 'echo'))
    assert.is(idOf(await client.next()), 6)
    assert.is(endpoint.stats.queueDrops, 2)
  })
})

portable('a reply that the kernel refuses is counted by its code', async () => {
  await withEndpoint(async (endpoint, handler, client) => {
    // 65507 bytes are the most that fit into a datagram.
    handler.replyBytes = 65508
    client.send(ask(1, 'fill'))
    client.send(ask(2, 'echo'))
    assert.is(idOf(await client.next()), 2)
    assert.equal([...endpoint.stats.sendErrors], [['EMSGSIZE', 1]])
    assert.is(endpoint.stats.sent, 1)
  })
})

portable('an error of the socket is counted and ends nothing', async () => {
  await withEndpoint(async (endpoint, _handler, client) => {
    rawSocketOf(endpoint).emit('error', Object.assign(new Error('recvmsg'), { code: 'ENOMEM' }))
    assert.equal([...endpoint.stats.socketErrors], [['ENOMEM', 1]])
    client.send(ask(1, 'echo'))
    assert.is(idOf(await client.next()), 1)
  })
})

portable('dgram-as-promised loses datagrams in a loop that awaits, hence the event', async () => {
  const server = DgramAsPromised.createSocket('udp4')
  const { port } = await server.bind({ address: '127.0.0.1', port: 0 })
  const client = await UdpClient.open({ host: '127.0.0.1', port })
  let arrived = 0
  server.socket.on('message', () => {
    arrived += 1
  })
  for (let id = 0; id < 20; id += 1) client.send(ask(id, 'echo'))
  let iterated = 0
  for await (const _packet of server) {
    iterated += 1
    await new Promise((resolve) => setImmediate(resolve))
    if (arrived === 20) break
  }
  assert.is(arrived, 20)
  assert.ok(iterated < 20, `${iterated} of 20 came through the iterator`)
  assert.throws(() => server.getSendBufferSize(), RangeError)
  await client.close()
  await server.close()
})

portable(
  'dgram-as-promised does not send what follows a socket error, hence dgram’s own send',
  async () => {
    const sender = DgramAsPromised.createSocket('udp4')
    await sender.bind({ address: '127.0.0.1', port: 0 })
    const { port } = sender.address()
    let received = 0
    sender.socket.on('message', () => {
      received += 1
    })
    sender.socket.emit('error', new Error('of an earlier datagram'))
    const why = await sender.send(ask(1, 'echo'), port, '127.0.0.1').then(() => 'sent', String)
    assert.is(why, 'Error: of an earlier datagram')
    await sender.send(ask(2, 'echo'), port, '127.0.0.1')
    await once(sender.socket, 'message')
    assert.is(received, 1)
    await sender.close()
  },
)

portable('a stopped endpoint leaves no listener of dgram-as-promised behind', async () => {
  const endpoint = new PortableUdpEndpoint({ address: v4, serverIndex: 0, settings })
  await endpoint.start(new ScriptedHandler())
  const raw = rawSocketOf(endpoint)
  assert.is(raw.listenerCount('close'), 1)
  await endpoint.stop()
  assert.is(raw.listenerCount('close'), 0)
})

portable.run()
