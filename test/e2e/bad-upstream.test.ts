/*
 * Goal: a bad packet that comes before the good answer, from the right address and mostly with the right ID, changes nothing
 * (TuDoor; table of six resolvers). Bar: the right answer, one query upstream, no 6.6.6.6, and none of it in memory. How the
 * transport judges such packets is in upstream/udp.test.ts; here clients ask, and ask again.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { octets, opt } from '../fixtures/packets/octets.ts'
import { askUdp } from '../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import {
  answerTo,
  delayed,
  type FakeQuery,
  failing,
  junkFirst,
  recordA,
  silent,
} from '../upstream/fake-upstream.ts'
import { House, withHouse } from './support.ts'

const test = suite<{ house: House }>('e2e/bad-upstream')

const forged = '6.6.6.6'

// Hedging is put off: a packet that is lost on a busy machine would be asked again, and the count is the point.
const settings = { external: { exchange: { hedge: { minMs: 2000, maxMs: 2000 } } } }

test.before(async (context) => {
  context.house = await House.open({ settings })
})

test.after(async ({ house }) => {
  await house.close()
})

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

const rows: readonly [string, (query: FakeQuery) => Buffer][] = [
  ['a wrong ID', forgery((reply) => reply.writeUInt16BE(reply.readUInt16BE(0) ^ 1, 0))],
  ['another qname', forgery((reply) => reply.write('z', 13))],
  ['another qtype', forgery((reply, query) => reply.writeUInt16BE(28, query.questionEnd - 4))],
  ['another class', forgery((reply, query) => reply.writeUInt16BE(3, query.questionEnd - 2))],
  ['QR=0', forgery((reply) => reply.writeUInt8(0x01, 2))],
  ['QDCOUNT 0', forgery((reply) => reply.writeUInt16BE(0, 4))],
  ['QDCOUNT 2', forgery((reply) => reply.writeUInt16BE(2, 4))],
  ['a header alone with NOERROR', headerOnly(0)],
  // The table allows to ask the next upstream instead; a refusal without the question may be anybody's, so we wait.
  ['a header alone with REFUSED', headerOnly(5)],
  ['three octets', (query) => query.message.subarray(0, 3)],
  ['a truncated record', (query) => answerTo(query, { address: forged }).subarray(0, -3)],
  [
    'a pointer loop in an owner',
    (query) => {
      const head = answerTo(query, { address: null })
      head.writeUInt16BE(1, 6)
      return Buffer.concat([head, recordA([0xc0, query.questionEnd], forged, 60)])
    },
  ],
  ['opcode 4', forgery((reply) => reply.writeUInt8(0x81 | (4 << 3), 2))],
]

for (const [index, [what, junk]] of rows.entries()) {
  test(`after ${what} the good answer is awaited, given and remembered`, async ({ house }) => {
    const text = `victim${index}.example`
    house.external.behave = junkFirst(junk, 150)
    for (let round = 0; round < 2; round++) {
      const read = await house.lookup(text)
      assert.equal([read.rcode, read.answers.map(({ data }) => data)], [0, ['10.9.8.7']])
    }
    assert.is(house.timesAsked(text), 1)
  })
}

test('bad packets flush nothing and are counted', async ({ house }) => {
  house.external.behave = (query) => query.answer()
  await house.lookup('kept.example')
  const before = await house.metric('coredns_cache_entries')
  house.external.behave = junkFirst(
    forgery((reply) => reply.writeUInt16BE(1, 4) && reply.writeUInt16BE(0, 0)),
    20,
  )
  await house.lookup('attacked.example')
  assert.ok((await house.metric('coredns_cache_entries')) > before)
  await house.lookup('kept.example')
  assert.is(house.timesAsked('kept.example'), 1)
})

test('a truncated answer is asked for again over TCP, and that one is remembered', async ({
  house,
}) => {
  house.external.behave = (query) =>
    query.transport === 'udp' ? query.answer({ tc: true, address: null }) : query.answer()
  for (let round = 0; round < 2; round++) {
    const read = await house.lookup('truncated.example')
    assert.equal([read.tc, read.answers[0]?.data], [false, '10.9.8.7'])
  }
  const asked = house.external.queries.filter(({ qname }) => qname === 'truncated.example')
  assert.equal(
    asked.map(({ transport }) => transport),
    ['udp', 'tcp'],
  )
})

test('an answer that is truncated over TCP as well is given with TC, and not remembered', async ({
  house,
}) => {
  house.external.behave = (query) => query.answer({ tc: true, address: '10.1.1.1' })
  const read = await house.lookup('twice.example')
  assert.equal([read.rcode, read.tc, read.answers[0]?.data], [0, true, '10.1.1.1'])
  house.external.behave = (query) => query.answer()
  const next = await house.lookup('twice.example')
  assert.equal([next.tc, next.answers[0]?.data], [false, '10.9.8.7'])
})

test('FORMERR and NOTIMP to EDNS are asked again without, and the answer is given', async () => {
  for (const rcode of [1, 4]) {
    await withHouse({ settings }, async (house) => {
      house.external.behave = (query) =>
        query.hasOpt ? query.answer({ rcode, address: null }) : query.answer()
      assert.is((await house.lookup('plain.example')).answers[0]?.data, '10.9.8.7')
      assert.equal(
        house.external.queries.map(({ hasOpt }) => hasOpt),
        [true, false],
      )
    })
  }
})

for (const [what, rcode, upper] of [
  ['FORMERR', 1, 0],
  ['SERVFAIL', 2, 0],
  ['NOTIMP', 4, 0],
  ['REFUSED', 5, 0],
  ['BADVERS', 0, 1],
  ['BADCOOKIE', 7, 1],
] as const) {
  test(`an upstream that says ${what} to everything is asked four times at most`, async () => {
    const behave = (query: FakeQuery) => {
      // Without OPT there is no BADVERS to be said; then it refuses.
      const bare = query.hasOpt ? rcode : rcode || 5
      const reply = answerTo(query, { rcode: bare, address: null })
      reply.writeUInt16BE(query.hasOpt ? 1 : 0, 10)
      query.send(query.hasOpt ? octets(reply, opt({ extendedRcode: upper })) : reply)
    }
    await withHouse({ settings, external: behave }, async (house) => {
      const read = await house.lookup('bad.example')
      assert.ok(read.rcode !== 0 && read.rcode !== 3, `response code ${read.rcode}`)
      assert.ok(house.timesAsked('bad.example') <= 4, `${house.timesAsked('bad.example')} times`)
      await house.lookup('bad.example')
      assert.ok(house.timesAsked('bad.example') <= 4, 'not asked again within a second')
    })
  })
}

test('queries upstream announce 1232 octets and carry random IDs', async ({ house }) => {
  house.external.behave = (query) => query.answer()
  const from = house.external.queries.length
  for (let i = 0; i < 20; i++) await house.lookup(`id${i}.example`, 'A', { ednsBytes: 4096 })
  const sent = house.external.queries.slice(from)
  assert.equal([...new Set(sent.map(({ message }) => readMessage(message).opt?.size))], [1232])
  assert.ok(new Set(sent.map(({ id }) => id)).size >= 19)
  assert.ok(new Set(sent.map(({ port }) => port)).size >= 19)
})

test('another size to announce is taken from the configuration', async () => {
  const exchange = { udp: { payloadBytes: 800 } }
  await withHouse({ settings: { external: { exchange } } }, async (house) => {
    await house.lookup('size.example', 'A', { ednsBytes: 4096 })
    const [query] = house.external.queries
    assert.is(query && readMessage(query.message).opt?.size, 800)
  })
})

test('SERVFAIL is remembered for a second: a thousand retries are one question', async ({
  house,
}) => {
  house.external.behave = failing(2)
  const replies = await Promise.all(
    Array.from({ length: 100 }, () => askUdp(house.server, writeQuery('broken.example', 'A'))),
  )
  assert.ok(replies.every((reply) => reply !== undefined && readMessage(reply).rcode === 2))
  assert.is(house.timesAsked('broken.example'), 1)
})

test('when nobody answers the client gets SERVFAIL after three seconds, with an extended error', async () => {
  await withHouse({ external: silent }, async (house) => {
    // A resolver that is alive but slow gets until the deadline of 4.5 s; this one is not heard at all.
    house.external.answersTrials = false
    const startMs = performance.now()
    const read = await house.lookup('silence.example', 'A', { ednsBytes: 1232, timeoutMs: 5000 })
    const tookMs = performance.now() - startMs
    assert.is(read.rcode, 2)
    // A name that takes the resolver 2.5 s is waited for.
    assert.ok(tookMs >= 2999 && tookMs < 4000, `${tookMs} ms`)
    assert.is(read.opt?.data, '000f00020016')
  })
})

test('an upstream that takes 300 ms is waited for: the address that has changed is given, not the expired one', async ({
  house,
}) => {
  house.external.behave = (query) => query.answer({ ttl: 1, address: '10.0.0.1' })
  await house.lookup('moved.example')
  await new Promise((resolve) => setTimeout(resolve, 1050))
  house.external.behave = delayed(300, { address: '10.0.0.2' })
  const reads = await Promise.all(Array.from({ length: 5 }, () => house.lookup('moved.example')))
  for (const read of reads) assert.equal(read.answers[0]?.data, '10.0.0.2')
  assert.is(house.timesAsked('moved.example'), 2)
})

test('CoreDNS, which takes milliseconds, is waited for 200 ms for names of its own, and longer where it asks others', async ({
  house,
}) => {
  const service = 'api.shop.svc.cluster.local'
  const reverse = '9.0.0.10.in-addr.arpa'
  house.cluster.behave = (query) => query.answer({ ttl: 1, address: '10.96.0.1' })
  await house.lookup(service)
  await house.lookup(reverse)
  await new Promise((resolve) => setTimeout(resolve, 1050))
  house.cluster.behave = delayed(600, { address: '10.96.0.2' })
  const startMs = performance.now()
  assert.is((await house.lookup(service)).answers[0]?.data, '10.96.0.1')
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= 150 && tookMs < 550, `${tookMs} ms`)
  assert.is((await house.lookup(reverse)).answers[0]?.data, '10.96.0.2')
})

test('a name whose records vanish in an outage is denied, or with overDenials goes on, is told stale and counted', async () => {
  for (const overDenials of [false, true]) {
    const cache = { serveStale: { overDenials, failureRecheckSeconds: 1 } }
    await withHouse({ settings: { ...settings, cache } }, async (house) => {
      house.external.behave = (query) => query.answer({ ttl: 1, address: '10.0.0.1' })
      await house.lookup('big.example')
      await new Promise((resolve) => setTimeout(resolve, 1050))
      for (const denial of [failing(3), (query: FakeQuery) => query.answer({ address: null })]) {
        house.external.behave = denial
        const read = await house.lookup('big.example', 'A', { ednsBytes: 1232 })
        const told = [read.answers[0]?.data, read.answers[0]?.ttl, read.opt?.data]
        const stale = ['10.0.0.1', 30, '000f00020003']
        assert.equal(told, overDenials ? stale : [undefined, undefined, ''])
        await new Promise((resolve) => setTimeout(resolve, 1050))
      }
      const passedOver = await house.metric('neardns_stale_over_denials_total')
      assert.is(passedOver, overDenials ? 2 : 0)
      assert.is(await house.metric('neardns_stale_answers_total'), passedOver)
      house.external.behave = (query) => query.answer({ address: '10.0.0.2' })
      await new Promise((resolve) => setTimeout(resolve, overDenials ? 0 : 4000))
      assert.is((await house.lookup('big.example')).answers[0]?.data, '10.0.0.2')
    })
  }
})

test('an expired answer is given after the client timeout while upstreams are slow, and the new one when it is there', async () => {
  const cache = { serveStale: { clientTimeoutMs: 200 } }
  await withHouse({ settings: { ...settings, cache } }, givesStale)
})

async function givesStale(house: House): Promise<void> {
  house.external.behave = (query) => query.answer({ ttl: 1, address: '10.0.0.1' })
  await house.lookup('slow.example')
  await new Promise((resolve) => setTimeout(resolve, 1050))
  house.external.behave = delayed(500, { address: '10.0.0.2' })
  const startMs = performance.now()
  const stale = await house.lookup('slow.example', 'A', { ednsBytes: 1232 })
  const tookMs = performance.now() - startMs
  assert.equal(
    [stale.answers[0]?.data, stale.answers[0]?.ttl, stale.opt?.data],
    ['10.0.0.1', 30, '000f00020003'],
  )
  assert.ok(tookMs >= 150 && tookMs < 450, `${tookMs} ms`)
  const deadlineMs = performance.now() + 2000
  while ((await house.lookup('slow.example')).answers[0]?.data !== '10.0.0.2') {
    assert.ok(performance.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.is(house.timesAsked('slow.example'), 2)
}

test.run()
