/*
 * Goal: over UDP nothing but the valid reply is taken, and nobody can guess what we send. Method: a fake upstream that
 * sends each kind of bad packet first; counted ports and IDs.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RandomPool, RecentPorts } from '../../src/upstream/random.ts'
import {
  answerTo,
  delayed,
  type FakeQuery,
  FakeUpstream,
  junkFirst,
  recordA,
  silent,
} from './fake-upstream.ts'
import { addressOf, ask, groupOf, lateHedge, pause, settings, withExchange } from './support.ts'

const test = suite('upstream/udp')

const forged = '6.6.6.6'

/** A forged answer, changed in one place. */
function forgery(change: (reply: Buffer, query: FakeQuery) => void): (query: FakeQuery) => Buffer {
  return (query) => {
    const reply = answerTo(query, { address: forged })
    change(reply, query)
    return reply
  }
}

function headerOnly(rcode: number): (query: FakeQuery) => Buffer {
  return (query) => {
    const reply = Buffer.from(query.message.subarray(0, 12))
    reply.set([0x81, 0x80 | rcode, 0, 0, 0, 0, 0, 0, 0, 0], 2)
    return reply
  }
}

/** Table 6.3 of the behaviour of six resolvers: what arrives first, with the right ID and port but where it says otherwise. */
const badPackets: readonly [string, string, (query: FakeQuery) => Buffer][] = [
  ['wrong ID', 'id', forgery((reply) => reply.writeUInt16BE(reply.readUInt16BE(0) ^ 1, 0))],
  ['another qname', 'question', forgery((reply) => reply.write('z', 13))],
  [
    'another qtype',
    'question',
    forgery((reply, query) => reply.writeUInt16BE(28, query.questionEnd - 4)),
  ],
  [
    'another class',
    'question',
    forgery((reply, query) => reply.writeUInt16BE(3, query.questionEnd - 2)),
  ],
  ['QR=0', 'question', forgery((reply) => reply.writeUInt8(0x01, 2))],
  ['QDCOUNT 0', 'question', forgery((reply) => reply.writeUInt16BE(0, 4))],
  ['QDCOUNT 2', 'question', forgery((reply) => reply.writeUInt16BE(2, 4))],
  ['a header alone with NOERROR', 'question', headerOnly(0)],
  ['a header alone with REFUSED', 'question', headerOnly(5)],
  ['a header alone with NXDOMAIN', 'question', headerOnly(3)],
  ['three octets', 'short', (query) => query.message.subarray(0, 3)],
  [
    'a truncated record',
    'malformed',
    (query) => answerTo(query, { address: forged }).subarray(0, -3),
  ],
  [
    'a pointer loop in the owner',
    'malformed',
    (query) => {
      const head = answerTo(query, { address: null })
      head.writeUInt16BE(1, 6)
      return Buffer.concat([head, recordA([0xc0, query.questionEnd], forged, 60)])
    },
  ],
  ['opcode 4', 'question', forgery((reply) => reply.writeUInt8(0x81 | (4 << 3), 2))],
]

for (const [name, reason, junk] of badPackets) {
  test(`a first packet with ${name} is dropped, and the good one 150 ms later is the answer, to one query`, async () => {
    const upstream = await FakeUpstream.start(junkFirst(junk, 150))
    await withExchange([groupOf('udp', [upstream], lateHedge)], [upstream], async (exchange) => {
      const told = await ask(exchange, 'victim.example')
      assert.is(told.address, '10.9.8.7')
      assert.ok(told.tookMs >= 140, `${told.tookMs} ms`)
      assert.equal(
        upstream.queries.map(({ qname, transport }) => `${qname} ${transport}`),
        ['victim.example udp'],
      )
      const { mismatches } = exchange.stats()[0]?.upstreams[0]?.counters ?? {}
      assert.equal(mismatches, {
        short: 0,
        source: 0,
        id: 0,
        question: 0,
        malformed: 0,
        [reason]: 1,
      })
    })
  })
}

test('a packet from another socket never reaches the question', async () => {
  const stranger = await FakeUpstream.start()
  const upstream = await FakeUpstream.start((query) => {
    stranger.sendUdp(answerTo(query, { address: forged }), query.port)
    query.after(50, () => query.answer())
  })
  await withExchange([groupOf('udp', [upstream])], [upstream, stranger], async (exchange) => {
    assert.is((await ask(exchange, 'victim.example')).address, '10.9.8.7')
    const { mismatches } = exchange.stats()[0]?.upstreams[0]?.counters ?? {}
    assert.is(mismatches?.id, 0)
  })
})

test('a question that meets a run of bad packets is asked over TCP too', async () => {
  const flood: string[] = []
  const upstream = await FakeUpstream.start((query) => {
    flood.push(query.transport)
    if (query.transport === 'tcp') return query.answer({ address: '10.0.0.1' })
    const wrong = answerTo(query, { address: forged })
    for (let i = 1; i <= 2000; i++) {
      wrong.writeUInt16BE((query.id + i) % 65536, 0)
      query.send(wrong)
    }
  })
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const told = await ask(exchange, 'victim.example')
    assert.is(told.address, '10.0.0.1')
    assert.equal(flood, ['udp', 'tcp'])
    const { mismatches } = exchange.stats()[0]?.upstreams[0]?.counters ?? {}
    assert.ok((mismatches?.id ?? 0) >= 3)
  })
})

test('a truncated reply is asked for again over TCP, from the same upstream', async () => {
  const upstream = await FakeUpstream.start((query) =>
    query.answer({
      tc: query.transport === 'udp',
      address: query.transport === 'udp' ? null : '10.0.0.2',
    }),
  )
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    assert.is((await ask(exchange, 'big.example')).address, '10.0.0.2')
    assert.equal(
      upstream.queries.map((query) => query.transport),
      ['udp', 'tcp'],
    )
  })
})

test('a reply that is truncated over TCP as well is passed on as it is', async () => {
  const upstream = await FakeUpstream.start((query) => query.answer({ tc: true }))
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const told = await ask(exchange, 'big.example')
    assert.equal([told.rcode, told.address], [0, '10.9.8.7'])
    assert.is(upstream.queries.length, 2)
  })
})

test('a closed port is noticed at once, and the next upstream answers', async () => {
  const gone = await FakeUpstream.start()
  const there = await FakeUpstream.start()
  await gone.kill()
  await withExchange([groupOf('udp', [gone, there])], [there], async (exchange) => {
    const told = await ask(exchange, 'a.example')
    assert.is(told.upstream, `udp://127.0.0.1:${there.port}`)
    assert.ok(told.tookMs < 45, `${told.tookMs} ms`)
    // UDP, and TCP in case it is open.
    assert.is(exchange.stats()[0]?.upstreams[0]?.counters.failures.refused, 2)
  })
})

for (const [rcode, name] of [
  [1, 'FORMERR'],
  [4, 'NOTIMP'],
] as const) {
  test(`after ${name} to EDNS the question is asked without, and the next ones are from the start`, async () => {
    const upstream = await FakeUpstream.start((query) =>
      query.answer(query.hasOpt ? { rcode, address: null } : {}),
    )
    await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
      assert.is((await ask(exchange, 'a.example')).rcode, 0)
      assert.is((await ask(exchange, 'b.example')).rcode, 0)
      assert.equal(
        upstream.queries.map((query) => `${query.qname} ${query.hasOpt}`),
        ['a.example true', 'a.example false', 'b.example false'],
      )
    })
  })
}

test('FORMERR to a question without EDNS is passed on', async () => {
  const upstream = await FakeUpstream.start((query) => query.answer({ rcode: 1 }))
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    assert.is((await ask(exchange, 'a.example')).rcode, 1)
    assert.is(upstream.queries.length, 2)
    assert.is((await ask(exchange, 'b.example')).rcode, 1)
    assert.ok(upstream.queries[2]?.hasOpt)
  })
})

const threeNames = ['a.example', 'b.example', 'c.example']

test('more questions than sockets wait for one', async () => {
  const upstream = await FakeUpstream.start(delayed(30))
  const group = groupOf('udp', [upstream], { udp: { socketsMax: 2, queueMax: 3 } })
  await withExchange([group], [upstream], async (exchange) => {
    const told = await Promise.all(threeNames.map((name) => ask(exchange, name)))
    assert.equal(
      told.map(({ rcode }) => rcode),
      [0, 0, 0],
    )
    const { counters, load } = exchange.stats()[0]?.upstreams[0] ?? {}
    assert.equal(
      [counters?.sent, counters?.waits.client, load],
      [3, 2, 0],
      'a socket is left for others',
    )
  })
})

test('more than may wait fail as overloaded, and places come free again', async () => {
  const upstream = await FakeUpstream.start(delayed(30))
  const group = groupOf('udp', [upstream], { udp: { socketsMax: 1, queueMax: 1 } })
  await withExchange([group], [upstream], async (exchange) => {
    const told = await Promise.all(threeNames.map((name) => ask(exchange, name)))
    assert.equal(
      told.map(({ rcode, why }) => rcode ?? why),
      [0, 0, 'overloaded'],
    )
    assert.is((await ask(exchange, 'd.example')).rcode, 0)
  })
})

test('what waits is given up with its question, and at the end', async () => {
  const upstream = await FakeUpstream.start(silent)
  const udp = { socketsMax: 1, queueMax: 10 }
  const group = groupOf('udp', [upstream], { udp, deadlineMs: 300, silenceMs: 10_000 })
  await withExchange([group], [upstream], async (exchange) => {
    const first = ask(exchange, 'a.example')
    await pause(200)
    const told = await Promise.all([first, ...threeNames.map((name) => ask(exchange, name))])
    assert.equal(
      told.map(({ why }) => why),
      ['timeout', 'overloaded', 'overloaded', 'overloaded'],
      'our own lack is no silence of the upstream',
    )
    assert.is(exchange.stats()[0]?.upstreams[0]?.load, 0)
    const last = [ask(exchange, 'e.example'), ask(exchange, 'f.example')]
    exchange.stop()
    assert.equal(
      (await Promise.all(last)).map(({ why }) => why),
      ['shutdown', 'shutdown'],
    )
  })
})

test('an IPv6 upstream is asked', async () => {
  const upstream = await FakeUpstream.start(undefined, { host: '::1' })
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const told = await ask(exchange, 'a.example')
    assert.is(told.rcode, 0)
    assert.is(told.upstream, `udp://[::1]:${upstream.port}`)
  })
})

test('of 1,000 questions 990 come from ports of their own, and IDs do not follow each other', async () => {
  const upstream = await FakeUpstream.start()
  await withExchange([groupOf('udp', [upstream], lateHedge)], [upstream], async (exchange) => {
    for (let batch = 0; batch < 50; batch++) {
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => ask(exchange, `n${batch}-${i}.example`)),
      )
    }
    assert.is(upstream.queries.length, 1000)
    assert.ok(new Set(upstream.queries.map(({ port }) => port)).size >= 990)
    const ids = upstream.queries.map(({ id }) => id)
    assert.ok(new Set(ids).size >= 980, `${new Set(ids).size} IDs`)
    const successors = ids.filter((id, i) => i > 0 && Math.abs(id - (ids[i - 1] ?? 0)) <= 1)
    assert.ok(successors.length <= 3, `${successors.length} sequential`)
  })
})

test('10,000 IDs are spread evenly', () => {
  const pool = new RandomPool()
  const cells = new Array<number>(256).fill(0)
  for (let i = 0; i < 10_000; i++) {
    const cell = pool.id() >> 8
    cells[cell] = (cells[cell] ?? 0) + 1
  }
  const expected = 10_000 / 256
  const chiSquare = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  // 255 degrees of freedom: p = 0.00002 at 361, and as unlikely below 164.
  assert.ok(chiSquare < 361 && chiSquare > 164, `chi-square ${chiSquare}`)
})

test('a port is not taken again before 1,024 others were', () => {
  const ports = new RecentPorts()
  assert.ok(ports.note(40_000))
  assert.not.ok(ports.note(40_000))
  for (let port = 1; port <= 1023; port++) assert.ok(ports.note(port))
  assert.not.ok(ports.note(40_000))
  assert.ok(ports.note(1024))
  assert.ok(ports.note(40_000))
})

test('a lost datagram is made good by a second one', async () => {
  const upstream = await FakeUpstream.start((query) => {
    if (query.upstream.queries.length > 1) query.answer()
  })
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const told = await ask(exchange, 'a.example')
    assert.is(told.rcode, 0)
    assert.ok(told.tookMs >= 245 && told.tookMs < 300, `${told.tookMs} ms`)
    assert.is(exchange.stats()[0]?.counters.hedgesWon, 1)
  })
})

test('sockets are closed with their questions', async () => {
  const upstream = await FakeUpstream.start(silent)
  const group = groupOf('udp', [upstream], {
    silenceMs: 100,
    attemptsMax: 2, // datagrams only
    hedge: { minMs: 20, maxMs: 20, percentile: 95 },
  })
  await withExchange([group], [upstream], async (exchange) => {
    const told = ask(exchange, 'a.example')
    assert.is(exchange.stats()[0]?.upstreams[0]?.load, 1)
    await told
    await pause(0)
    assert.is(exchange.stats()[0]?.upstreams[0]?.load, 0)
  })
})

test('the same upstream twice in different groups is asked for each', async () => {
  const upstream = await FakeUpstream.start()
  const upstreams = [addressOf(upstream, 'udp')]
  const groups = [
    { name: 'one', upstreams, settings },
    { name: 'two', upstreams, settings },
  ]
  await withExchange(groups, [upstream], async (exchange) => {
    await ask(exchange, 'a.example', 'one')
    await ask(exchange, 'b.example', 'two')
    assert.equal(
      exchange.stats().map((group) => group.counters.answers),
      [1, 1],
    )
  })
})

test.run()
