/*
 * Goal: a reply is as long as this client can take over this transport, tells what it asked to be told, and is recorded once, as what it was.
 * Method: replies to queries of all kinds, read back by the tests' own decoder. What is in them is tested in wire/reply.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DropReason, type ReplyFacts, ReplySource } from '../../src/core/facts.ts'
import { Transport } from '../../src/core/ports.ts'
import type { Arrival } from '../../src/core/question/arrival.ts'
import type { Reply } from '../../src/core/reply.ts'
import { Replies, type ReplyContext } from '../../src/pipeline/replies.ts'
import { Ede, Rcode } from '../../src/wire/constants.ts'
import { makeImage } from '../../src/wire/image.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { aRecord, responseTo, scanned } from '../core/support.ts'
import { header, name, octets, opt, option, question, u16 } from '../fixtures/packets/octets.ts'
import { type ReadMessage, readMessage, writeQuery } from '../support/client/dns-message.ts'

const test = suite('pipeline/replies')

const www = 'www.example'

/** A stored answer with so many records of 27 octets. */
function imageOf(records: number): Buffer {
  const answers = Array.from({ length: records }, (_, i) =>
    aRecord(www, `10.0.${i >> 8}.${i & 255}`),
  )
  const response = responseTo(www, 'A', { answers })
  // The question, and every record as it stands.
  const image = makeImage(response, scanned(response), new Uint8Array(records).fill(1), true)
  if (image === undefined) throw new Error('no image')
  return image
}

interface Kept {
  readonly replies: Replies
  readonly facts: ReplyFacts[]
  readonly drops: [serverIndex: number, why: DropReason][]
  readonly sampled: { message: Buffer; facts: ReplyFacts; client: () => string }[]
  /** With a query log. */
  context(changes?: Partial<ReplyContext>): ReplyContext
}

function repliesOf({
  nowMs = () => 1000,
  isSampled = true,
}: {
  readonly nowMs?: () => number
  readonly isSampled?: boolean
} = {}): Kept {
  const facts: ReplyFacts[] = []
  const drops: [number, DropReason][] = []
  const sampled: Kept['sampled'] = []
  const context = (changes: Partial<ReplyContext> = {}): ReplyContext => ({
    settings: { udpReplyBytesMax: 1232, tcpIdleMs: 12_345, rotate: false },
    recorder: {
      replied: (one) => facts.push({ ...one }),
      dropped: (serverIndex, why) => drops.push([serverIndex, why]),
    },
    nowMs,
    sampler: isSampled
      ? {
          record: ({ query, clientAddress: client }, _, one) =>
            sampled.push({ message: Buffer.from(query), facts: { ...one }, client }),
        }
      : undefined,
    ...changes,
  })
  return { replies: new Replies(context()), facts, drops, sampled, context }
}

function arrivalOf(query: Buffer, changes: Partial<Arrival> = {}): Arrival {
  const asked = new Question()
  readQuestion(query, query.length, asked)
  return {
    question: asked,
    query,
    queryBytes: query.length,
    serverIndex: 2,
    transport: Transport.udp,
    family: 6,
    clientPort: 40_000,
    arrivedMs: 990,
    clientAddress: () => 'fd00::7',
    ...changes,
  }
}

function replyWith(changes: Partial<Reply> = {}): Reply {
  return { image: undefined, rcode: 0, source: ReplySource.upstream, ede: -1, ...changes }
}

interface Written {
  readonly bytes: number
  readonly message: ReadMessage
}

interface Way {
  readonly transport?: Transport
  readonly kept?: Kept
}

function write(query: Buffer, reply: Reply, way: Way = {}): Written {
  const { transport = Transport.udp, kept = repliesOf() } = way
  const out = Buffer.alloc(65_535, 0xa5)
  const bytes = kept.replies.write(arrivalOf(query, { transport }), reply, out)
  assert.ok(
    out.subarray(bytes).every((octet) => octet === 0xa5),
    'writes behind its end',
  )
  return { bytes, message: readMessage(out.subarray(0, bytes)) }
}

const long = replyWith({ image: imageOf(200) })

/** What a client says that it takes, and how much of it is believed. */
const sizes: readonly [what: string, ednsBytes: number | undefined, bytesMax: number][] = [
  ['no EDNS', undefined, 512],
  ['less than every client must take (RFC 6891 6.2.3)', 100, 512],
  ['a size of its own', 900, 900],
  ['our own size', 1232, 1232],
  ['more than we send, to keep clear of fragments', 4096, 1232],
  ['everything', 65_535, 1232],
]
for (const [what, ednsBytes, bytesMax] of sizes) {
  test(`over UDP a client with ${what} gets ${bytesMax} octets at most, and is told to come over TCP`, () => {
    const query = writeQuery(www, 'A', ednsBytes === undefined ? {} : { ednsBytes })
    const { bytes, message } = write(query, long)
    assert.ok(bytes <= bytesMax, `${bytes} octets`)
    assert.is(message.tc, true)
    // And fits as it is where it does.
    const fitting = write(query, replyWith({ image: imageOf(10) }))
    assert.equal([fitting.message.tc, fitting.message.answers.length], [false, 10])
  })
}

test('over TCP whatever size the client names counts for nothing', () => {
  for (const query of [writeQuery(www, 'A'), writeQuery(www, 'A', { ednsBytes: 512 })]) {
    const { message } = write(query, long, { transport: Transport.tcp })
    assert.equal([message.tc, message.answers.length], [false, 200])
  }
})

test('a changed limit holds from the next reply on', () => {
  const kept = repliesOf()
  const query = writeQuery(www, 'A', { ednsBytes: 4096 })
  const settings = { udpReplyBytesMax: 4096, tcpIdleMs: 0, rotate: false }
  kept.replies.reconfigure(kept.context({ settings }))
  const { bytes, message } = write(query, replyWith({ image: imageOf(100) }), { kept })
  assert.equal([message.tc, message.answers.length, bytes > 1232], [false, 100, true])
})

/** A query whose OPT record carries edns-tcp-keepalive (RFC 7828). */
const keepaliveQuery = octets(
  header({ counts: [1, 0, 0, 1] }),
  question(name(www), 1),
  opt({ options: option(11, Buffer.alloc(0)) }),
)

test('a client over TCP that asks how long it may stay is told, in units of 100 ms, rounded down', () => {
  const { message } = write(keepaliveQuery, replyWith(), { transport: Transport.tcp })
  assert.is(message.opt?.data, option(11, u16(123)).toString('hex'))
})

test('over UDP that option has no meaning, and who does not ask is not told', () => {
  assert.is(write(keepaliveQuery, replyWith()).message.opt?.data, '')
  const query = writeQuery(www, 'A', { ednsBytes: 1232 })
  assert.is(write(query, replyWith(), { transport: Transport.tcp }).message.opt?.data, '')
})

test('an extended error is for clients with EDNS, and not for the next reply', () => {
  const kept = repliesOf()
  const stale = replyWith({ ede: Ede.staleAnswer, image: imageOf(1) })
  const edns = writeQuery(www, 'A', { ednsBytes: 1232 })
  assert.is(
    write(edns, stale, { kept }).message.opt?.data,
    `000f0002${u16(Ede.staleAnswer).toString('hex')}`,
  )
  assert.is(write(writeQuery(www, 'A'), stale, { kept }).message.opt, undefined)
  assert.is(write(edns, replyWith({ image: imageOf(1) }), { kept }).message.opt?.data, '')
})

test('a stored image, a loose one and none at all: each gives the reply to this question', () => {
  const image = imageOf(2)
  const memory = Buffer.concat([Buffer.alloc(9, 0x5a), image, Buffer.alloc(9, 0x5a)])
  const stored = { memory, imageAt: 9, imageBytes: image.length, run: 0, turns: 0 }
  const query = writeQuery('WWW.Example', 'A', { id: 0xbeef })
  for (const reply of [replyWith({ stored }), replyWith({ image })]) {
    const { message } = write(query, reply)
    assert.equal(
      [message.id, message.questions[0]?.name, message.answers.length],
      [0xbeef, 'WWW.Example.', 2],
    )
  }
  const { message } = write(query, replyWith({ rcode: Rcode.servfail }))
  assert.equal([message.id, message.rcode, message.answers.length], [0xbeef, 2, 0])
})

test('the same stored image is sent to one client after another, unchanged', () => {
  const image = imageOf(2)
  const memory = Buffer.from(image)
  const whole = { memory, imageAt: 0, imageBytes: image.length, run: 0, turns: 0 }
  const stored = replyWith({ stored: whole })
  const kept = repliesOf()
  write(writeQuery('WWW.EXAMPLE', 'A', { id: 1, cd: true, ednsBytes: 1232 }), stored, { kept })
  const { message } = write(writeQuery(www, 'A', { id: 2 }), stored, { kept })
  assert.equal(
    [message.id, message.cd, message.opt, message.questions[0]?.name],
    [2, false, undefined, 'www.example.'],
  )
  assert.ok(memory.equals(image))
})

test('what is recorded is what was sent, to whom, and how long it took', () => {
  const kept = repliesOf({ nowMs: () => 1003.5 })
  const query = writeQuery(www, 'A', { ednsBytes: 1232, do: true })
  const arrival = arrivalOf(query, { queryBytes: 77, transport: Transport.tcp })
  kept.replies.record(arrival, replyWith({ rcode: 3, source: ReplySource.stale }), 4, 321)
  assert.equal(kept.facts, [
    {
      serverIndex: 2,
      zoneIndex: 4,
      transport: Transport.tcp,
      family: 6,
      qtype: 1,
      rcode: 3,
      source: ReplySource.stale,
      queryBytes: 77,
      replyBytes: 321,
      dnssecOk: true,
      tookMs: 13.5,
    },
  ])
})

test('nothing of one reply is left in the facts of the next', () => {
  const kept = repliesOf()
  const first = arrivalOf(writeQuery(www, 'AAAA', { ednsBytes: 1232, do: true }), {
    serverIndex: 9,
  })
  kept.replies.record(first, replyWith({ rcode: 3 }), 4, 321)
  const second = arrivalOf(writeQuery(www, 'A'), { family: 4, arrivedMs: 1000 })
  kept.replies.record(second, replyWith(), -1, 33)
  const { serverIndex, zoneIndex, family, qtype, rcode, dnssecOk, tookMs } = kept.facts[1] ?? {}
  assert.equal(
    [serverIndex, zoneIndex, family, qtype, rcode, dnssecOk, tookMs],
    [2, -1, 4, 1, 0, false, 0],
  )
})

test('the query log gets the same facts, and asks for the address only if it wants it', () => {
  const kept = repliesOf()
  let asked = 0
  const clientAddress = () => {
    asked += 1
    return 'fd00::7'
  }
  const query = writeQuery(www, 'A')
  kept.replies.record(arrivalOf(query, { clientAddress }), replyWith(), 0, 50)
  const [sample] = kept.sampled
  assert.equal(sample?.facts, kept.facts[0])
  assert.ok(sample?.message.equals(query))
  assert.is(asked, 0)
  assert.equal([sample?.client(), asked], ['fd00::7', 1])
})

test('without a query log it is recorded all the same; a log that is turned on gets the next one', () => {
  const kept = repliesOf({ isSampled: false })
  kept.replies.record(arrivalOf(writeQuery(www, 'A')), replyWith(), 0, 50)
  const other = repliesOf()
  kept.replies.reconfigure(other.context())
  kept.replies.record(arrivalOf(writeQuery(www, 'A')), replyWith(), 0, 51)
  assert.equal([kept.facts.length, kept.sampled.length], [1, 0])
  assert.equal(
    other.facts.map(({ replyBytes }) => replyBytes),
    [51],
  )
  assert.is(other.sampled.length, 1)
})

test('a packet that was given up is counted with its reason, and is no reply', () => {
  const kept = repliesOf()
  kept.replies.dropped(3, 'short')
  assert.equal([kept.drops, kept.facts], [[[3, 'short']], []])
})

test.run()
