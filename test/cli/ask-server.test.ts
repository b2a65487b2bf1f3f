/*
 * Goal: a person at a terminal gets the reply to the question that was asked, or one line on what is wrong, in bounded time. Method: servers on
 * loopback that answer, answer something else, say nothing or are not there.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askTcp, askUdp, type Reply } from '../../src/cli/ask-server.ts'
import type { Endpoint } from '../../src/config/address.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { freePort } from '../support/free-port.ts'
import { overlapping } from '../support/lab/overlap.ts'

const suiteOf = suite('cli/ask-server')
const test = overlapping(suiteOf)

const query = writeQuery('www.example', 'A', { id: 0x1234 })

function at(port: number, address = '127.0.0.1'): Endpoint {
  return { address, port, family: address.includes(':') ? 6 : 4 }
}

async function overUdp(
  replies: (asked: Buffer) => readonly Buffer[],
  { timeoutMs = 2000, address = '127.0.0.1' } = {},
): Promise<Reply> {
  const server = createSocket(address === '::1' ? 'udp6' : 'udp4')
  server.on('message', (asked, from) => {
    for (const reply of replies(asked)) server.send(reply, from.port, from.address)
  })
  server.bind(0, address)
  await once(server, 'listening')
  try {
    return await askUdp(query, at(server.address().port, address), timeoutMs)
  } finally {
    server.close()
  }
}

async function overTcp(serve: (socket: Socket) => void, timeoutMs = 2000): Promise<Reply> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    return await askTcp(query, at(port), timeoutMs)
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

function withId(id: number, message = query): Buffer {
  const other = Buffer.from(message)
  other.writeUInt16BE(id, 0)
  return other
}

for (const address of ['127.0.0.1', '::1']) {
  test(`over UDP the reply comes back as it is, from ${address} too`, async () => {
    const reply = await overUdp((asked) => [asked], { address })
    assert.ok(reply.ok && reply.bytes.equals(query))
  })
}

test('a late reply to an earlier question, and what is no message, are not taken for ours', async () => {
  const reply = await overUdp((asked) => [
    withId(0x4321),
    asked.subarray(0, 11),
    Buffer.alloc(0),
    asked,
  ])
  assert.ok(reply.ok && reply.bytes.equals(query))
})

test('a server that says nothing, or nothing of ours, is told after the time that it was given', async () => {
  const startMs = performance.now()
  const reply = await overUdp(() => [withId(1)], { timeoutMs: 150 })
  assert.ok(performance.now() - startMs >= 145)
  assert.match(reply.ok ? '' : reply.why, /^no reply from 127\.0\.0\.1:\d+ over UDP within 150 ms$/)
})

test('a port on which nobody listens is told at once, with what would help', async () => {
  const port = await freePort()
  const startMs = performance.now()
  for (const [transport, ask] of [
    ['UDP', askUdp],
    ['TCP', askTcp],
  ] as const) {
    const reply = await ask(query, at(port), 5000)
    assert.is(
      reply.ok ? '' : reply.why,
      `nobody listens on 127.0.0.1:${port} (${transport}); start it with: neardns run --listen 127.0.0.1:${port}`,
    )
  }
  assert.ok(performance.now() - startMs < 4000)
})

test('an address that cannot be reached is told with the reason of the system', async () => {
  // Broadcast needs a permission that nobody asks for.
  const reply = await askUdp(query, at(53, '255.255.255.255'), 500)
  assert.match(reply.ok ? '' : reply.why, /^cannot ask 255\.255\.255\.255:53 over UDP: .*EACCES/)
})

test('over TCP the query has its length in front, and a reply may come octet by octet', async () => {
  const chunks: Buffer[] = []
  const reply = await overTcp((socket) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('data', () => {
      for (const octet of framed(query)) socket.write(Buffer.of(octet))
    })
    socket.setNoDelay(true)
  })
  assert.ok(reply.ok && reply.bytes.equals(query))
  assert.ok(Buffer.concat(chunks).equals(framed(query)))
})

test('of several messages on a connection the one that is ours counts', async () => {
  const reply = await overTcp((socket) => {
    socket.write(Buffer.concat([framed(withId(1)), framed(Buffer.alloc(3)), framed(query)]))
  })
  assert.ok(reply.ok && reply.bytes.equals(query))
})

test('a connection that ends without a whole reply is told', async () => {
  for (const last of [Buffer.alloc(0), framed(query).subarray(0, 10), framed(withId(1))]) {
    const reply = await overTcp((socket) => socket.end(last))
    assert.match(reply.ok ? '' : reply.why, /closed the connection without a reply$/)
  }
})

test('a connection that is reset is told', async () => {
  const reply = await overTcp((socket) => {
    socket.once('data', () => socket.resetAndDestroy())
  })
  assert.match(reply.ok ? '' : reply.why, /^cannot ask 127\.0\.0\.1:\d+ over TCP: .*ECONNRESET/)
})

test('a connection on which nothing comes is given up after the time', async () => {
  const reply = await overTcp(() => undefined, 150)
  assert.match(reply.ok ? '' : reply.why, /^no reply from 127\.0\.0\.1:\d+ over TCP within 150 ms$/)
})

suiteOf.run()
