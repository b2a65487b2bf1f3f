/*
 * Goal: TC is looked at before anything else of a reply (RFC 2181 9, RFC 7766 5): wherever the datagram was cut, TCP is asked, and
 * where that fails the client learns from TC that it may try itself. Method: the daemon in front of scripted upstreams.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Flag1 } from '../../src/wire/constants.ts'
import { octets } from '../fixtures/packets/octets.ts'
import {
  answerTo,
  type Behaviour,
  type FakeQuery,
  FakeUpstream,
  recordA,
} from '../upstream/fake-upstream.ts'
import { type House, withHouse } from './support.ts'

const test = suite('e2e/truncated-answers')

// In the upstream's order, which is not the point here.
const settings = { cache: { rotate: false } }
const whole = ['10.0.0.1', '10.0.0.2', '10.0.0.3']

function wholeTo(query: FakeQuery): Buffer {
  const reply = answerTo(query, { address: null })
  reply.writeUInt16BE(whole.length, 6)
  return octets(reply, ...whole.map((address) => recordA([0xc0, 12], address, 60)))
}

function cutTo(query: FakeQuery, bytes: number): Buffer {
  const reply = wholeTo(query)
  reply[2] = (reply[2] ?? 0) | Flag1.tc
  return reply.subarray(0, bytes)
}

/** Cuts as servers and middleboxes make them, by the bytes that are left. */
const cuts: readonly [string, number, (query: FakeQuery) => Buffer][] = [
  ['between records', 1, (query) => cutTo(query, query.questionEnd + 16)],
  ['inside a record', 1, (query) => cutTo(query, query.questionEnd + 16 + 9)],
  ['inside the first owner', 0, (query) => cutTo(query, query.questionEnd + 1)],
  ['behind the question', 0, (query) => cutTo(query, query.questionEnd)],
  ['inside the question', 0, (query) => cutTo(query, query.questionEnd - 3)],
  ['behind the header', 0, (query) => cutTo(query, 12)],
  ['by its three last bytes', 2, (query) => cutTo(query, query.questionEnd + 45)],
]

/** Sorted, because they take turns. */
function addresses({ answers }: Awaited<ReturnType<House['lookup']>>): string[] {
  return answers.map(({ data }) => data).toSorted()
}

for (const [what, left, cut] of cuts) {
  test(`a reply with TC that is cut ${what} is asked for over TCP`, async () => {
    const external: Behaviour = (query) =>
      query.send(query.transport === 'udp' ? cut(query) : wholeTo(query))
    await withHouse({ external, settings }, async (house) => {
      const read = await house.lookup('cut.example')
      assert.equal([read.rcode, read.tc, addresses(read)], [0, false, whole])
      assert.equal(
        house.external.queries.map(({ transport }) => transport),
        ['udp', 'tcp'],
      )
    })
  })

  test(`where TCP closes, the client gets what is left of a reply cut ${what}, with TC`, async () => {
    const external: Behaviour = (query) =>
      query.transport === 'udp' ? query.send(cut(query)) : query.reset()
    await withHouse({ external, settings }, async (house) => {
      for (const tcp of [false, true]) {
        const read = await house.lookup('cut.example', 'A', { tcp })
        assert.equal([read.rcode, read.tc, addresses(read)], [0, true, whole.slice(0, left)])
      }
      house.external.behave = (query) => query.send(wholeTo(query))
      assert.equal(
        addresses(await house.lookup('cut.example')),
        whole,
        'half an answer is not kept',
      )
    })
  })
}

const failures: readonly [string, number, Behaviour][] = [
  ['is refused', 1500, () => undefined],
  ['closes without an answer', 1500, (query) => query.end()],
  ['is silent', 3500, () => undefined],
  ['says SERVFAIL', 1500, (query) => query.answer({ rcode: 2, address: null })],
  ['is cut as well', 1500, (query) => query.send(cutTo(query, query.questionEnd + 25))],
]

for (const [what, limitMs, overTcp] of failures) {
  const behave: Behaviour = (query) =>
    query.transport === 'udp' ? query.send(cutTo(query, query.questionEnd + 25)) : overTcp(query)

  test(`TCP that ${what} leaves half an answer with TC, in time`, async () => {
    await withHouse({ external: behave, settings }, async (house) => {
      if (what === 'is refused') await house.external.refuseTcp()
      const startMs = performance.now()
      const read = await house.lookup('half.example')
      const tookMs = performance.now() - startMs
      assert.equal([read.rcode, read.tc, addresses(read)], [0, true, whole.slice(0, 1)])
      assert.ok(tookMs < limitMs, `${tookMs} ms`)
    })
  })

  test(`TCP that ${what} is made up for by the whole answer of a second upstream`, async () => {
    const second = await FakeUpstream.start((query) => query.answer({ address: '10.2.2.2' }))
    const first = await FakeUpstream.start(behave)
    try {
      if (what === 'is refused') await first.refuseTcp()
      const upstreams = [first, second].map(({ port }) => `127.0.0.1:${port}`)
      await withHouse({ settings: { ...settings, external: { upstreams } } }, async (house) => {
        const startMs = performance.now()
        const read = await house.lookup('half.example')
        const tookMs = performance.now() - startMs
        assert.equal([read.tc, addresses(read)], [false, ['10.2.2.2']])
        assert.ok(tookMs < 2500, `${tookMs} ms`)
      })
    } finally {
      await first.stop()
      await second.stop()
    }
  })
}

test('the junk that a datagram without TC is stays junk', async () => {
  const external: Behaviour = (query) => {
    const reply = cutTo(query, query.questionEnd + 25)
    reply[2] = (reply[2] ?? 0) & ~Flag1.tc
    query.send(reply)
    query.after(100, () => query.send(wholeTo(query)))
  }
  await withHouse({ external, settings }, async (house) => {
    assert.equal(addresses(await house.lookup('junk.example')), whole)
    assert.is(house.external.queries[0]?.transport, 'udp')
  })
})

test('a denial that is cut before its SOA is asked for over TCP, and given with TC where that fails', async () => {
  const external: Behaviour = (query) => {
    const reply = answerTo(query, { rcode: 3, address: null })
    reply[2] = (reply[2] ?? 0) | Flag1.tc
    reply.writeUInt16BE(1, 8)
    if (query.transport === 'udp') query.send(reply)
    else query.reset()
  }
  await withHouse({ external, settings }, async (house) => {
    const read = await house.lookup('gone.example')
    assert.equal([read.rcode, read.tc], [3, true])
  })
})

test.run()
