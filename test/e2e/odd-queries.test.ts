/*
 * Goal: every row of the table of odd queries that six resolvers were measured with gets what our own column demands, over UDP
 * and, where a row means anything there, over TCP. Method: the daemon between a client that sends octets and an upstream that
 * notes what reaches it.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aRecord } from '../core/support.ts'
import {
  header,
  labels,
  name,
  octets,
  opt,
  option,
  pointer,
  question,
  rr,
  u16,
} from '../fixtures/packets/octets.ts'
import { askTcp, askUdp, TcpClient } from '../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { readPackets } from '../support/client/packets.ts'
import { House, isDropped, replyTo, zone } from './support.ts'

const test = suite<{ house: House }>('e2e/odd-queries')

/** Forty addresses: 640 octets and more. */
const many = Array.from({ length: 40 }, (_, i) => aRecord('big.example', `10.0.1.${i}`))
const nul = octets(3, 'a', 0, 'b', labels('example'), 0)

test.before(async (context) => {
  context.house = await House.open({
    external: (query) => {
      if (query.qname === 'big.example') query.send(replyTo(query, { answers: many }))
      else query.answer()
    },
  })
})

test.after(async ({ house }) => {
  await house.close()
})

let names = 0
/** A name of its own for each packet, so that what reaches the upstream can be told. */
function fresh(): string {
  names += 1
  return `n${names}.odd.example`
}

function flagged(flags: number, text: string): Buffer {
  return octets(header({ flags }), question(name(text), 1))
}

function asking(text: string, qtype: number, qclass = 1): Buffer {
  return octets(header({}), question(name(text), qtype, qclass))
}

function withRecords(
  text: string,
  counts: readonly [number, number, number],
  ...records: Uint8Array[]
): Buffer {
  return octets(header({ counts: [1, ...counts] }), question(name(text), 1), records)
}

const transports = { UDP: askUdp, TCP: askTcp }

/** Row, packet for a name, response code wanted. None of these may reach an upstream. */
const refusals: readonly [string, number, (text: string) => Buffer][] = [
  ['QDCOUNT 0', 1, (text) => octets(header({ counts: [0, 0, 0, 0] }), question(name(text), 1))],
  [
    'QDCOUNT 2',
    1,
    (text) =>
      octets(header({ counts: [2, 0, 0, 0] }), question(name(text), 1), question(name(text), 28)),
  ],
  ['opcode 1', 4, (text) => flagged(0x0900, text)],
  ['opcode 15', 4, (text) => flagged(0x7900, text)],
  ['opcode UPDATE', 4, (text) => flagged(0x2800, text)],
  ['opcode NOTIFY', 4, (text) => flagged(0x2400, text)],
  ['two OPT records', 1, (text) => withRecords(text, [0, 0, 2], opt(), opt())],
  ['OPT in the answer section', 1, (text) => withRecords(text, [1, 0, 0], opt())],
  [
    'an OPT record whose RDLENGTH runs over',
    1,
    (text) => withRecords(text, [0, 0, 1], opt({ dataBytes: 100 })),
  ],
  ['a qname that points to itself', 1, () => octets(header({}), question(pointer(12), 1))],
  [
    'a qname that points forward',
    1,
    () => octets(header({}), question(pointer(18), 1), name('a.example')),
  ],
  ['label type 0x40', 1, () => octets(header({}), 0x41, 'abc', 0, [0, 1, 0, 1])],
  ['a truncated question', 1, (text) => asking(text, 1).subarray(0, -3)],
  ['a name of 257 octets', 1, () => asking(`${'abc.'.repeat(64)}`, 1)],
  ['ANCOUNT that lies', 1, (text) => withRecords(text, [1, 0, 0])],
  ['class ANY', 5, (text) => asking(text, 1, 255)],
  ['class 0', 1, (text) => asking(text, 1, 0)],
  ['type AXFR', 5, (text) => asking(text, 252)],
  ['type IXFR', 5, (text) => asking(text, 251)],
  ['type OPT', 1, (text) => asking(text, 41)],
  ['type TSIG', 1, (text) => asking(text, 250)],
]

for (const [what, rcode, packet] of refusals) {
  for (const [transport, ask] of Object.entries(transports)) {
    test(`${what} over ${transport} gets response code ${rcode}, and nobody is asked`, async ({
      house,
    }) => {
      const text = fresh()
      const before = house.external.queries.length + house.cluster.queries.length
      const reply = await ask(house.server, packet(text))
      assert.ok(reply !== undefined)
      const read = readMessage(reply)
      assert.equal([read.id, read.qr, read.rcode, read.answers.length], [0x1234, true, rcode, 0])
      assert.is(house.external.queries.length + house.cluster.queries.length, before)
    })
  }
}

for (const [transport, ask] of Object.entries(transports)) {
  test(`EDNS version 1 over ${transport} gets BADVERS with version 0 and no answer`, async ({
    house,
  }) => {
    const text = fresh()
    const packet = withRecords(
      text,
      [0, 0, 1],
      opt({ version: 1, options: option(65300, octets('x')) }),
    )
    const read = readMessage((await ask(house.server, packet)) ?? Buffer.alloc(0))
    // Upper eight bits of the response code are 1; version, flags and options are ours.
    assert.equal([read.rcode, read.opt?.ttl, read.opt?.data], [0, 0x0100_0000, ''])
    assert.is(read.answers.length, 0)
    assert.is(house.timesAsked(text), 0)
  })
}

test('a response (QR=1) over UDP is dropped', async ({ house }) => {
  const before = await house.metric('neardns_dropped_packets_total', {
    reason: 'response-to-server-port',
  })
  const bad = flagged(0x8180, fresh())
  assert.ok(await isDropped(house.server, bad, writeQuery('big.example', 'A', { id: 9 })))
  const after = await house.metric('neardns_dropped_packets_total', {
    reason: 'response-to-server-port',
  })
  assert.is(after - before, 1)
})

test('of every response in the collection none is answered', async ({ house }) => {
  const responses = readPackets('responses').map(({ packet }) => packet)
  for (const packet of responses.filter((bytes) => bytes.length < 9000)) {
    const response = Buffer.from(packet)
    if (response.length > 2) response[2] = (response[2] ?? 0) | 0x80
    assert.ok(
      await isDropped(house.server, response, writeQuery('big.example', 'A', { id: 0x7777 })),
    )
  }
})

for (const [what, packet] of [
  ['an empty datagram', octets()],
  ['a datagram of one octet', octets(0)],
  ['a datagram of eleven octets', header({}).subarray(0, 11)],
] as const) {
  test(`${what} is dropped`, async ({ house }) => {
    assert.ok(await isDropped(house.server, packet, writeQuery('big.example', 'A', { id: 9 })))
  })
}

for (const [what, packet] of [
  ['a response', flagged(0x8180, 'r.example')],
  ['a frame of eleven octets', header({}).subarray(0, 11)],
] as const) {
  // The table allows "close or ignore". Closing tells the client at once that no answer will come.
  test(`${what} over TCP ends the connection`, async ({ house }) => {
    const client = await TcpClient.open(house.server)
    client.send(packet)
    assert.is(await client.next(), undefined)
    assert.ok(client.ended)
    await client.close()
  })
}

for (const [what, edns] of [
  ['EDNS size 511', 511],
  ['no EDNS', undefined],
] as const) {
  test(`a big answer to a client with ${what} has 512 octets at most, as many addresses as fit, and TC`, async ({
    house,
  }) => {
    const query = writeQuery('big.example', 'A', edns === undefined ? {} : { ednsBytes: edns })
    const reply = (await askUdp(house.server, query)) ?? Buffer.alloc(0)
    assert.ok(reply.length <= 512 && reply.length > 480, `${reply.length} octets`)
    const read = readMessage(reply)
    assert.ok(read.tc)
    assert.ok(read.answers.length > 15 && read.answers.length < 40)
    const whole = readMessage((await askTcp(house.server, query)) ?? Buffer.alloc(0))
    assert.equal([whole.tc, whole.answers.length], [false, 40])
  })
}

test('no UDP reply is longer than the client can take, whatever it says it can', async ({
  house,
}) => {
  for (const size of [0, 100, 512, 513, 700, 1000, 1232, 4096, 65535]) {
    const query = writeQuery('big.example', 'A', { ednsBytes: size })
    const reply = (await askUdp(house.server, query)) ?? Buffer.alloc(0)
    assert.ok(
      reply.length <= Math.max(512, Math.min(size, 1232)),
      `${size}: ${reply.length} octets`,
    )
    const read = readMessage(reply)
    assert.is(read.tc, read.answers.length < 40)
    assert.ok(read.opt !== undefined)
  }
})

test('octets behind the question are ignored, and not forwarded', async ({ house }) => {
  for (const [transport, ask] of Object.entries(transports)) {
    const text = fresh()
    const read = readMessage(
      (await ask(house.server, octets(asking(text, 1), 'a tunnel'))) ?? Buffer.alloc(0),
    )
    assert.is(read.answers[0]?.data, '10.9.8.7', transport)
    const sent = house.external.queries.find(({ qname }) => qname === text)?.message
    assert.ok(sent !== undefined && !sent.includes('tunnel'))
  }
})

test('TC=1 in a query is ignored', async ({ house }) => {
  const text = fresh()
  const read = readMessage((await askUdp(house.server, flagged(0x0300, text))) ?? Buffer.alloc(0))
  assert.equal([read.tc, read.answers[0]?.data], [false, '10.9.8.7'])
})

test('RD=0 is refused, and nobody is asked; what is in memory is given', async ({ house }) => {
  // The table allows REFUSED or "from the cache only": this is both.
  for (const tcp of [false, true]) {
    const text = fresh()
    const refused = await house.lookup(text, 'A', { rd: false, tcp })
    assert.equal([refused.rcode, refused.rd, house.timesAsked(text)], [5, false, 0])
    await house.lookup(text)
    const known = await house.lookup(text, 'A', { rd: false, tcp })
    assert.equal([known.rcode, known.answers[0]?.data, known.rd], [0, '10.9.8.7', false])
  }
})

test('a name with a zero octet is asked and answered octet by octet', async ({ house }) => {
  const packet = octets(header({}), question(nul, 1))
  const reply = (await askUdp(house.server, packet)) ?? Buffer.alloc(0)
  assert.is(readMessage(reply).answers[0]?.data, '10.9.8.7')
  assert.equal(reply.subarray(12, 12 + nul.length), nul)
  assert.ok(house.external.queries.some(({ message }) => message.subarray(12).indexOf(nul) === 0))
})

test('a dot octet in a label does not make two labels of it', async ({ house }) => {
  const one = octets(5, 'a.dot', labels('example'), 0)
  const two = name('a.dot.example')
  for (const qname of [one, two]) {
    const reply = await askUdp(house.server, octets(header({}), question(qname, 1)))
    assert.equal(reply?.subarray(12, 12 + qname.length), qname)
  }
  const asked = house.external.queries.filter(({ message }) => message.includes(Buffer.from('dot')))
  assert.is(asked.length, 2, 'one was answered with what is known of the other')
})

test('the root is a name like others', async ({ house }) => {
  const read = await house.lookup('.', 'TXT')
  // The scripted upstream takes the root for a sign of life and refuses.
  assert.is(read.rcode, 5)
  assert.equal(read.questions, [{ name: '.', type: 16, class: 1 }])
  const asked = house.external.trials.map(({ message }) => message.subarray(12, 17).toString('hex'))
  assert.ok(asked.includes('0000100001'))
})

test('unknown types pass through octet by octet', async ({ house }) => {
  const data = octets(0xc0, 0xff, 'opaque', 0, 0xff)
  const text = fresh()
  const before = house.external.behave
  house.external.behave = zone({
    [text]: { answers: [rr({ owner: name(text), type: 65280, data })] },
  })
  for (let round = 0; round < 2; round++) {
    const read = await house.lookup(text, 65280)
    assert.equal(
      read.answers.map((answer) => [answer.type, answer.data]),
      [[65280, data.toString('hex')]],
    )
  }
  house.external.behave = before
})

test('letter case comes back as it was sent, on miss and hit', async ({ house }) => {
  const text = fresh()
  for (const asked of [text.toUpperCase(), text, text.replace('odd', 'oDd')]) {
    const read = await house.lookup(asked)
    assert.is(read.questions[0]?.name, `${asked}.`)
    assert.is(read.answers[0]?.name, `${asked}.`)
  }
  assert.is(house.timesAsked(text), 1)
})

test('an OPT record is there when the client sent one, and its options are not echoed', async ({
  house,
}) => {
  const text = fresh()
  const options = octets(
    option(8, octets(0, 1, 24, 0, 192, 0, 2)),
    option(10, octets('12345678')),
    option(65300, u16(7)),
  )
  for (let round = 0; round < 2; round++) {
    const packet = withRecords(text, [0, 0, 1], opt({ udpBytes: 4096, options }))
    const read = readMessage((await askUdp(house.server, packet)) ?? Buffer.alloc(0))
    assert.equal(read.opt, { size: 1232, ttl: 0, data: '' })
    assert.is((await house.lookup(text)).opt, undefined)
  }
  const sent = house.external.queries.find(({ qname }) => qname === text)?.message
  assert.not(sent?.includes('12345678'), 'a client’s option went upstream')
})

test.run()
