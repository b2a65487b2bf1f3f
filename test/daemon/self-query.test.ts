/*
 * Goal: the self-query says that our own socket answers, and only that; it never rejects and leaves nothing open. Method: real sockets that
 * answer, stay silent or answer something else.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { selfQuery } from '../../src/daemon/self-query.ts'
import { probePorts } from '../../src/host/backends/nft-rules.ts'
import { readMessage } from '../support/client/dns-message.ts'
import { overlapping } from '../support/lab/overlap.ts'
import { needs } from '../support/needs.ts'
import { ownAnswer } from './support.ts'

const test = suite('daemon/self-query')
const waiting = overlapping(test)

type Behave = (query: Buffer, from: RemoteInfo, socket: Socket) => void

const answer: Behave = (query, from, socket) =>
  socket.send(ownAnswer(query), from.port, from.address)

/** A server that does with a query what `behave` says. */
async function withServer(
  { address = '127.0.0.1', behave = answer }: { address?: string; behave?: Behave },
  body: (port: number, seen: { query: Buffer; from: RemoteInfo }[]) => Promise<void>,
): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const seen: { query: Buffer; from: RemoteInfo }[] = []
  socket.on('message', (query, from) => {
    seen.push({ query: Buffer.from(query), from })
    behave(query, from, socket)
  })
  socket.bind(0, address)
  await once(socket, 'listening')
  try {
    await body(socket.address().port, seen)
  } finally {
    socket.close()
  }
}

waiting('a socket that answers is well; the question is one in class CH with RD clear', () =>
  withServer({}, async (port, seen) => {
    assert.is(await selfQuery({ address: '127.0.0.1', port, family: 4 }), undefined)
    assert.is(seen.length, 1)
    const query = readMessage(seen[0]?.query ?? Buffer.alloc(0))
    assert.match(query.questions[0]?.name ?? '', /^[0-9a-f]{32}\.self\.neardns\.$/)
    assert.equal([query.questions[0]?.type, query.questions[0]?.class], [16, 3])
    assert.is(seen[0]?.query.readUInt16BE(2), 0)
  }),
)

/** What other name servers would say, when the question comes to them. */
const strangers: readonly [string, (query: Buffer) => Buffer][] = [
  ['its question', (query) => query],
  ['REFUSED, as CoreDNS for class CH', (query) => withFlags(query, 0x8005)],
  ['NXDOMAIN', (query) => withFlags(query, 0x8183)],
  ['a header alone', (query) => withFlags(query, 0x8005).subarray(0, 12)],
]
for (const [what, reply] of strangers) {
  waiting(`a server that answers with ${what} is not this daemon`, () => {
    const behave: Behave = (query, from, socket) =>
      socket.send(reply(query), from.port, from.address)
    return withServer({ behave }, async (port) => {
      for (const whose of ['ours', 'any'] as const) {
        const why = await selfQuery({ address: '127.0.0.1', port, family: 4 }, whose)
        assert.is(why, 'no answer within 1000 ms')
      }
    })
  })
}

waiting('another neardns counts where the two may share a socket, and nowhere else', () => {
  const another = Buffer.from('fedcba9876543210')
  const behave: Behave = (query, from, socket) =>
    socket.send(ownAnswer(query, another), from.port, from.address)
  return withServer({ behave }, async (port) => {
    const at = { address: '127.0.0.1', port, family: 4 } as const
    assert.is(await selfQuery(at, 'any'), undefined)
    assert.is(await selfQuery(at), 'another neardns answers at this address')
  })
})

function withFlags(query: Buffer, flags: number): Buffer {
  const reply = Buffer.from(query)
  reply.writeUInt16BE(flags, 2)
  return reply
}

waiting(
  'the question goes from the asked address to itself: other addresses to loopback are dropped by the kubelet',
  () =>
    withServer({ address: '127.0.0.77' }, async (port, seen) => {
      assert.is(await selfQuery({ address: '127.0.0.77', port, family: 4 }), undefined)
      assert.is(seen[0]?.from.address, '127.0.0.77')
    }),
)

waiting('its source port is below 1024, which tells it from the queries of the node', async () => {
  if (!needs('root')) return
  await withServer({}, async (port, seen) => {
    for (let i = 0; i < 20; i++) await selfQuery({ address: '127.0.0.1', port, family: 4 })
    const [first, last] = probePorts
    const ports = seen.map(({ from }) => from.port)
    assert.equal(
      ports.filter((one) => one < first || one > last),
      [],
    )
    assert.ok(new Set(ports).size > 1, 'a port that may be taken is not tried for ever')
  })
})

waiting('a wildcard address is asked at loopback, of its family', async () => {
  await withServer({ address: '0.0.0.0' }, async (port, seen) => {
    assert.is(await selfQuery({ address: '0.0.0.0', port, family: 4 }), undefined)
    assert.is(seen[0]?.from.address, '127.0.0.1')
  })
  await withServer({ address: '::' }, async (port, seen) => {
    assert.is(await selfQuery({ address: '::', port, family: 6 }), undefined)
    assert.is(seen[0]?.from.address, '::1')
  })
})

waiting(
  'an answer from memory takes microseconds: silence for a second is an event loop that does not turn',
  () =>
    withServer({ behave: () => undefined }, async (port) => {
      const startMs = performance.now()
      const why = await selfQuery({ address: '127.0.0.1', port, family: 4 })
      assert.is(why, 'no answer within 1000 ms')
      assert.ok(performance.now() - startMs >= 990)
    }),
)

waiting(
  'a reply with another ID, or one that is too short, is no answer; the right one behind it is',
  () => {
    const behave: Behave = (query, from, socket) => {
      const right = ownAnswer(query)
      const foreign = Buffer.from(right)
      foreign.writeUInt16BE(query.readUInt16BE(0) ^ 1, 0)
      socket.send(foreign, from.port, from.address)
      socket.send(right.subarray(0, 11), from.port, from.address)
      socket.send(Buffer.alloc(0), from.port, from.address)
      setTimeout(() => socket.send(right, from.port, from.address), 200)
    }
    return withServer({ behave }, async (port) => {
      const startMs = performance.now()
      assert.is(await selfQuery({ address: '127.0.0.1', port, family: 4 }), undefined)
      assert.ok(performance.now() - startMs >= 190, 'the first reply was taken')
    })
  },
)

waiting('only junk: not answered', () => {
  const behave: Behave = (query, from, socket) => {
    const foreign = ownAnswer(query)
    foreign.writeUInt16BE(query.readUInt16BE(0) ^ 0x8000, 0)
    socket.send(foreign, from.port, from.address)
  }
  return withServer({ behave }, async (port) => {
    assert.match((await selfQuery({ address: '127.0.0.1', port, family: 4 })) ?? '', /no answer/)
  })
})

waiting('an address that is not on the machine is told, not thrown', async () => {
  const why = await selfQuery({ address: '192.0.2.1', port: 53, family: 4 })
  assert.match(why ?? '', /EADDRNOTAVAIL/)
})

waiting('every question has an ID of its own', () =>
  withServer({}, async (port, seen) => {
    for (let i = 0; i < 8; i++) await selfQuery({ address: '127.0.0.1', port, family: 4 })
    const ids = seen.map(({ query }) => query.readUInt16BE(0))
    assert.ok(new Set(ids).size > 1, ids.join())
  }),
)

test.run()
