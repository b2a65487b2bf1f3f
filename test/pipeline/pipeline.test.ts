/*
 * Goal: each packet ends in one reply or one counted drop, and what is recorded is what happened. Method: the pipeline between
 * clients that note their replies and an exchange that the test answers; what the replies say is tested with the core.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../src/core/facts.ts'
import { Transport } from '../../src/core/ports.ts'
import { judgeSelfAnswer, selfCheck } from '../../src/core/question/self-check.ts'
import { inRandomCase } from '../../src/wire/query.ts'
import { aRecord, responseTo } from '../core/support.ts'
import { header, name, octets, opt, option, question } from '../fixtures/packets/octets.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { readPackets } from '../support/client/packets.ts'
import { Bench, Client, identity } from './support.ts'

const test = suite('pipeline')

const www = 'www.example'
const answer = (ttl = 300) => responseTo(www, 'A', { answers: [aRecord(www, '10.0.0.1', ttl)] })

test('a miss is answered when the upstream has answered, the next one at once', () => {
  const bench = new Bench()
  const client = new Client({ serverIndex: 3 })
  const query = writeQuery(www, 'A', { id: 1, ednsBytes: 1232, do: false })
  assert.is(bench.handle(query, client), undefined)
  assert.is(client.got.length, 0)
  bench.answer(answer())
  bench.handle(query, client)
  assert.equal(
    client.got.map(({ answers }) => answers[0]?.data),
    ['10.0.0.1', '10.0.0.1'],
  )
  const [miss, hit] = bench.facts
  assert.is(miss?.source, ReplySource.upstream)
  assert.equal(
    { ...hit, tookMs: 0 },
    {
      serverIndex: 3,
      zoneIndex: 2,
      transport: Transport.udp,
      family: 4,
      qtype: 1,
      rcode: 0,
      source: ReplySource.cacheSuccess,
      queryBytes: query.length,
      // The record's owner is a pointer to the question.
      replyBytes: query.length + 16,
      dnssecOk: false,
      tookMs: 0,
    },
  )
  assert.ok((hit?.tookMs ?? -1) >= 0)
})

test('who joins a question is answered with the one who asked, each under its own ID, and counted as joined', () => {
  const bench = new Bench()
  const clients = [1, 2, 3].map((id) => {
    const client = new Client({ host: `10.244.0.${id}`, tcp: id === 2 })
    bench.handle(writeQuery(id === 3 ? 'WWW.example' : www, 'A', { id }), client)
    return client
  })
  assert.is(bench.asked.length, 1)
  bench.answer(answer())
  assert.equal(
    clients.map(({ got }) => got.map(({ id }) => id)),
    [[1], [2], [3]],
  )
  assert.is(clients[2]?.got[0]?.questions[0]?.name, 'WWW.example.')
  const { upstream, joined } = ReplySource
  assert.equal(
    bench.facts.map(({ source }) => source),
    [upstream, joined, joined],
  )
  assert.equal([bench.inFlight.stats.questions, bench.inFlight.stats.waiters], [0, 0])
})

test('the packet’s buffer may be used again while its question waits', () => {
  const bench = new Bench()
  const client = new Client()
  const query = writeQuery('WwW.example', 'A', { id: 77 })
  bench.handle(query, client)
  query.fill(0xee)
  bench.answer(answer())
  assert.equal([client.got[0]?.id, client.got[0]?.questions[0]?.name], [77, 'WwW.example.'])
})

for (const [what, packet, client, why] of [
  [
    'a response',
    octets(header({ flags: 0x8180 }), question(name(www), 1)),
    {},
    'response-to-server-port',
  ],
  ['eleven octets', header({}).subarray(0, 11), {}, 'short'],
  ['a query from port 0', writeQuery(www, 'A'), { port: 0 }, 'forbidden-port'],
  ['junk from the echo port', Buffer.alloc(3), { port: 7 }, 'forbidden-port'],
  [
    'a query from an upstream',
    writeQuery(www, 'A'),
    { host: '10.96.0.10', port: 53 },
    'own-address',
  ],
] as const) {
  test(`${what} is dropped as ${why}, and nothing else happens`, () => {
    const bench = new Bench()
    const peer = new Client({ ...client, serverIndex: 2 })
    assert.is(bench.handle(Buffer.from(packet), peer), undefined)
    assert.equal([peer.got, bench.asked, bench.facts], [[], [], []])
    assert.equal(bench.drops, [{ serverIndex: 2, why }])
  })
}

test('every fixture ends in a reply, a drop or a question', () => {
  for (const { name: fixture, packet } of readPackets('queries')) {
    const bench = new Bench()
    const reply = bench.handle(Buffer.from(packet), new Client())
    const ends = (reply === undefined ? 0 : 1) + bench.drops.length + bench.asked.length
    assert.is(ends, 1, fixture)
    assert.is(bench.facts.length, reply === undefined ? 0 : 1, fixture)
  }
})

test('a refusal is recorded as made here, with its extended code', () => {
  const bench = new Bench()
  const packet = octets(
    header({ counts: [1, 0, 0, 1] }),
    question(name(www), 1),
    opt({ version: 1 }),
  )
  bench.handle(packet, new Client())
  const [fact] = bench.facts
  assert.equal([fact?.source, fact?.rcode, fact?.zoneIndex], [ReplySource.local, 16, -1])
})

test('our own question that comes back is answered with SERVFAIL and counted, and does not wait for itself', () => {
  const bench = new Bench()
  bench.handle(writeQuery(www, 'A'), new Client())
  const [ask] = bench.asked
  if (ask === undefined) throw new Error('nothing was asked')
  ask.ticket.challenge = inRandomCase(ask.ticket.frame, ask.ticket.questionEnd, () => 0x5a5a)
  const returned = Buffer.from(ask.ticket.challenge ?? Buffer.alloc(0))
  const reply = bench.handle(returned, new Client())
  assert.equal([reply?.rcode, reply?.opt?.data], [2, '000f00020000'])
  assert.equal([bench.asked.length, bench.inFlight.stats.returned], [1, 1])
  assert.equal([ask.ticket.hasReturned, ask.ticket.waiters.length], [true, 1])
})

test('a check of our own sockets is answered with its proof, and counted as no client', () => {
  const bench = new Bench()
  const nonce = Buffer.from('00112233445566ab')
  const query = selfCheck(7, identity, nonce)
  const client = new Client()
  bench.handle(Buffer.from(query), client)
  const [reply] = client.got
  assert.is(judgeSelfAnswer(bench.lastBytes, query, identity), 'ours')
  assert.is(reply?.questions[0]?.name, '0123456789abcdefba66554433221100.self.neardns.')
  assert.is(reply?.rcode, 5)
  assert.equal([bench.facts, bench.drops, bench.asked, bench.pipeline.selfChecks], [[], [], [], 1])
})

test('the check of another process is answered as by another, and counted as a client', () => {
  const bench = new Bench()
  const other = Buffer.from('fedcba9876543210')
  const query = selfCheck(7, other, Buffer.from('00112233445566ab'))
  bench.handle(Buffer.from(query), new Client())
  assert.is(judgeSelfAnswer(bench.lastBytes, query, other), 'another')
  assert.equal([bench.facts.length, bench.pipeline.selfChecks], [1, 0])
})

test('what only looks like a check is refused and counted like any query in class CH', () => {
  const bench = new Bench()
  const right = Buffer.from(selfCheck(7, identity, Buffer.from('00112233445566ab')))
  const wrong = (change: (query: Buffer) => void) => {
    const query = Buffer.from(right)
    change(query)
    return query
  }
  const lookalikes = [
    wrong((query) => query.writeUInt8(1, 2)),
    wrong((query) => query.writeUInt16BE(1, query.length - 4)),
    wrong((query) => query.write('xelf', 46)),
    Buffer.concat([right, Buffer.alloc(1)]),
  ]
  for (const query of lookalikes) bench.handle(query, new Client())
  assert.equal([bench.facts.length, bench.pipeline.selfChecks], [lookalikes.length, 0])
})

test('what is asked upstream has an OPT record without options: nothing in it is ours', () => {
  const bench = new Bench()
  const options = octets(option(10, octets('12345678')), option(65001, octets('somebody')))
  bench.handle(
    octets(header({ counts: [1, 0, 0, 1] }), question(name(www), 1), opt({ options })),
    new Client(),
  )
  assert.is(readMessage(bench.asked[0]?.ticket.frame ?? Buffer.alloc(0)).opt?.data, '')
})

test('a reply over UDP keeps to 1232 octets, over TCP it is whole and may carry keepalive', () => {
  const texts = Array.from({ length: 100 }, (_, i) => aRecord(www, `10.0.1.${i}`))
  const bench = new Bench()
  const udp = new Client()
  const tcp = new Client({ tcp: true })
  bench.handle(writeQuery(www, 'A', { ednsBytes: 4096 }), udp)
  bench.answer(responseTo(www, 'A', { answers: texts }))
  const keepalive = octets(
    header({ counts: [1, 0, 0, 1] }),
    question(name(www), 1),
    opt({ options: option(11, octets()) }),
  )
  bench.handle(keepalive, tcp)
  bench.handle(keepalive, udp)
  const [cut, again] = udp.got
  assert.ok(cut?.tc && cut.answers.length < 100)
  assert.is(again?.opt?.data, '', 'keepalive is for TCP')
  assert.equal(
    [tcp.got[0]?.tc, tcp.got[0]?.answers.length, tcp.got[0]?.opt?.data],
    [false, 100, '000b00020064'],
  )
})

test('a client beyond the limit of its question gets SERVFAIL at once', () => {
  const bench = new Bench({ inFlight: { waitersPerQuestionMax: 2 } })
  const clients = [1, 2, 3].map((last) => new Client({ host: `10.0.0.${last}` }))
  const replies = clients.map((client) => bench.handle(writeQuery(www, 'A'), client))
  assert.equal(
    replies.map((reply) => reply?.rcode),
    [undefined, undefined, 2],
  )
  assert.is(bench.facts[0]?.source, ReplySource.overloaded)
  bench.answer(answer())
  assert.equal(
    clients.map(({ got }) => got.length),
    [1, 1, 1],
  )
})

test('a client beyond its own limit leaves no question behind that nobody waits for', () => {
  const bench = new Bench({ inFlight: { waitersPerClientMax: 1 } })
  const client = new Client()
  bench.handle(writeQuery('a.example', 'A'), client)
  assert.is(bench.handle(writeQuery('b.example', 'A'), client)?.rcode, 2)
  assert.equal([bench.asked.length, bench.inFlight.stats.questions], [1, 1])
})

test('a client over its budget of misses is sent to TCP, and refused there; hits and joining stay free', () => {
  const bench = new Bench({ missesPerClientPerSecond: 2 })
  const greedy = new Client()
  bench.handle(writeQuery(www, 'A'), greedy)
  bench.handle(writeQuery('b.example', 'A'), greedy)
  const overUdp = bench.handle(writeQuery('c.example', 'A'), greedy)
  assert.equal([overUdp?.rcode, overUdp?.tc, overUdp?.answers.length], [0, true, 0])
  const overTcp = bench.handle(
    writeQuery('c.example', 'A', { ednsBytes: 1232 }),
    new Client({ tcp: true }),
  )
  assert.equal([overTcp?.rcode, overTcp?.opt?.data], [5, '000f00020012'])
  assert.is(bench.handle(writeQuery('b.example', 'A'), greedy), undefined, 'joining is free')
  bench.answer(answer())
  assert.is(bench.handle(writeQuery(www, 'A'), greedy)?.answers.length, 1, 'hits are free')
  assert.is(
    bench.handle(writeQuery('d.example', 'A'), new Client({ host: '10.244.0.8' })),
    undefined,
  )
  assert.equal([bench.asked.length, bench.inFlight.stats.questions], [2, 2])
})

test('over its budget a client still gets what is in memory past its time', () => {
  const bench = new Bench({ missesPerClientPerSecond: 1 })
  const client = new Client()
  bench.handle(writeQuery(www, 'A'), client)
  bench.answer(answer(1))
  bench.aheadMs += 1_500
  bench.handle(writeQuery('b.example', 'A'), client)
  const reply = bench.handle(writeQuery(www, 'A'), client)
  assert.equal([reply?.tc, reply?.answers[0]?.ttl], [false, 30])
  assert.is(bench.inFlight.stats.questions, 1)
})

test('a refresh is asked beside the reply, and its end reaches no client', () => {
  const bench = new Bench()
  const client = new Client()
  bench.handle(writeQuery(www, 'A'), client)
  bench.answer(answer(100))
  bench.aheadMs += 95_000
  bench.handle(writeQuery(www, 'A'), client)
  bench.handle(writeQuery(www, 'A'), client)
  assert.is(bench.asked.length, 1)
  bench.answer(answer(100))
  assert.equal(
    client.got.map(({ answers }) => answers[0]?.ttl),
    [100, 5, 5],
  )
  bench.handle(writeQuery(www, 'A'), client)
  assert.is(client.got.at(-1)?.answers[0]?.ttl, 100)
})

test.run()
