/*
 * Goal: every row of the table of TCP behaviour, through the whole daemon. What single limits do is in listen/tcp-*.test.ts; here
 * they meet the pipeline and upstreams. Method: short limits where a row is about time, and the defaults checked by value.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { header, name, octets, opt, option, question } from '../fixtures/packets/octets.ts'
import { type Server, TcpClient } from '../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { House } from './support.ts'

const test = suite<{ house: House }>('e2e/tcp')

const messageMs = 300
const idleMs = 500

test.before(async (context) => {
  context.house = await House.open({
    external: (query) => {
      if (query.qname.startsWith('slow')) query.after(200, () => query.answer())
      else query.answer()
    },
    settings: { tcp: { messageMs, idleMs } },
  })
})

test.after(async ({ house }) => {
  await house.close()
})

async function withClient(
  server: Server,
  body: (client: TcpClient) => Promise<void>,
): Promise<void> {
  const client = await TcpClient.open(server)
  try {
    await body(client)
  } finally {
    await client.close()
  }
}

/** IDs of the next replies, in the order in which they come. */
async function ids(client: TcpClient, count: number): Promise<number[]> {
  const seen: number[] = []
  for (let i = 0; i < count; i++) {
    const reply = await client.next()
    if (reply === undefined) break
    assert.is(readMessage(reply).answers[0]?.data, '10.9.8.7')
    seen.push(reply.readUInt16BE(0))
  }
  return seen
}

/** How long the daemon keeps a connection open, milliseconds. */
async function openFor(client: TcpClient): Promise<number> {
  const startMs = performance.now()
  assert.ok(await client.peerClosed(5000))
  return performance.now() - startMs
}

test('two queries in one segment are both answered', async ({ house }) => {
  await withClient(house.server, async (client) => {
    client.send(
      writeQuery('two-1.example', 'A', { id: 1 }),
      writeQuery('two-2.example', 'A', { id: 2 }),
    )
    assert.equal((await ids(client, 2)).toSorted(), [1, 2])
  })
})

test('a length prefix that comes in two pieces is put together', async ({ house }) => {
  await withClient(house.server, async (client) => {
    const query = writeQuery('split.example', 'A', { id: 5 })
    client.sendRaw(Buffer.of(0))
    await new Promise((resolve) => setTimeout(resolve, 20))
    client.sendRaw(octets(query.length, query.subarray(0, 3)))
    await new Promise((resolve) => setTimeout(resolve, 20))
    client.sendRaw(query.subarray(3))
    assert.equal(await ids(client, 1), [5])
  })
})

test('a slow query and a fast one behind it are both answered, the fast one first', async ({
  house,
}) => {
  await withClient(house.server, async (client) => {
    client.send(
      writeQuery('slow.example', 'A', { id: 1 }),
      writeQuery('fast.example', 'A', { id: 2 }),
    )
    assert.equal(await ids(client, 2), [2, 1])
  })
})

test('two queries in flight with the same ID are both answered', async ({ house }) => {
  await withClient(house.server, async (client) => {
    client.send(
      writeQuery('slow-a.example', 'A', { id: 7 }),
      writeQuery('slow-b.example', 'A', { id: 7 }),
    )
    assert.equal(await ids(client, 2), [7, 7])
  })
})

test('length 0 ends the connection', async ({ house }) => {
  await withClient(house.server, async (client) => {
    client.sendRaw(Buffer.alloc(2))
    assert.ok((await openFor(client)) < messageMs)
  })
})

test('a frame of five octets ends the connection, and the query behind it does not hang', async ({
  house,
}) => {
  // The table allows "close or answer". Framing that is off once is off for good, so we close.
  await withClient(house.server, async (client) => {
    client.send(Buffer.from('junk!'), writeQuery('after-junk.example', 'A', { id: 3 }))
    assert.is(await client.next(), undefined)
    assert.ok(client.ended)
  })
})

test('a response (QR=1) ends the connection, and is not answered', async ({ house }) => {
  // The table allows "close or ignore". Who sends responses to a server waits for nothing that we have.
  await withClient(house.server, async (client) => {
    const response = octets(header({ flags: 0x8180 }), question(name('response.example'), 1))
    client.send(response, writeQuery('after-response.example', 'A', { id: 3 }))
    assert.is(await client.next(), undefined)
    assert.ok(client.ended)
  })
})

test('a client that has closed its side still gets its answers', async ({ house }) => {
  await withClient(house.server, async (client) => {
    client.send(
      writeQuery('slow-half.example', 'A', { id: 1 }),
      writeQuery('half.example', 'A', { id: 2 }),
    )
    client.socket.end()
    assert.equal((await ids(client, 2)).toSorted(), [1, 2])
    assert.ok(await client.peerClosed(1000))
  })
})

test('a frame of 65535 octets that stalls at ten is closed after messageMs', async ({ house }) => {
  await withClient(house.server, async (client) => {
    client.sendRaw(octets(0xff, 0xff, Buffer.alloc(10)))
    const tookMs = await openFor(client)
    assert.ok(tookMs >= messageMs - 50 && tookMs < messageMs + 700, `${tookMs} ms`)
  })
})

test('a frame that drips is closed after messageMs all the same', async ({ house }) => {
  await withClient(house.server, async (client) => {
    client.sendRaw(octets(0xff, 0xff))
    const drip = setInterval(() => client.sendRaw(Buffer.alloc(1)), 40)
    const tookMs = await openFor(client)
    clearInterval(drip)
    assert.ok(tookMs < messageMs + 700, `${tookMs} ms`)
  })
})

test('an idle connection is closed after idleMs', async ({ house }) => {
  await withClient(house.server, async (client) => {
    client.send(writeQuery('idle.example', 'A', { id: 1 }))
    assert.equal(await ids(client, 1), [1])
    const tookMs = await openFor(client)
    assert.ok(tookMs >= idleMs - 50 && tookMs < idleMs + 700, `${tookMs} ms`)
  })
})

test('by default a message has 3 s at most and an idle connection 5 to 10 s', () => {
  const loaded = loadConfig({})
  assert.ok(loaded.ok)
  if (!loaded.ok) return
  const { tcp } = loaded.config
  assert.ok(tcp.messageMs <= 3000)
  assert.ok(tcp.idleMs >= 5000 && tcp.idleMs <= 10_000)
})

test('1000 pipelined queries are all answered, from memory or not', async ({ house }) => {
  await withClient(house.server, async (client) => {
    const queries = Array.from({ length: 1000 }, (_, i) =>
      writeQuery(`pipelined-${i % 600}.example`, 'A', { id: i }),
    )
    client.send(...queries)
    const seen = await ids(client, 1000)
    assert.equal(
      seen.toSorted((a, b) => a - b),
      Array.from({ length: 1000 }, (_, i) => i),
    )
  })
})

test('keepalive is told to those who ask, in units of 100 ms, over TCP only', async ({ house }) => {
  const asking = octets(
    header({ counts: [1, 0, 0, 1] }),
    question(name('keepalive.example'), 1),
    opt({ options: option(11, octets()) }),
  )
  await withClient(house.server, async (client) => {
    client.send(asking)
    const reply = await client.next()
    assert.is(readMessage(reply ?? Buffer.alloc(0)).opt?.data, '000b00020005')
    client.send(writeQuery('keepalive.example', 'A', { ednsBytes: 1232 }))
    const plain = await client.next()
    assert.is(readMessage(plain ?? Buffer.alloc(0)).opt?.data, '')
  })
})

test('a client that sends garbage only is closed after eight complaints', async ({ house }) => {
  for (const [what, opcode, counts] of [
    ['no question', 0, [0, 0, 0, 0]],
    ['an unknown opcode', 7, [1, 0, 0, 0]],
    ['records that are not there', 0, [1, 9, 9, 9]],
  ] as const) {
    await withClient(house.server, async (client) => {
      const garbage = header({ counts })
      garbage[2] = opcode << 3
      client.send(...Array.from({ length: 50 }, () => octets(garbage, Buffer.alloc(5))))
      let replies = 0
      while ((await client.next()) !== undefined) replies += 1
      assert.is(replies, 8, what)
      assert.ok(await client.peerClosed(3000), what)
    })
  }
})

test.run()
