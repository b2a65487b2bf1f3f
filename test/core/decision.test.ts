/** Goal: a decision says one thing and nothing of the one before it. Method: every kind of decision after every other. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Decision, type Settlement } from '../../src/core/decision.ts'
import { ReplySource } from '../../src/core/facts.ts'
import type { Ticket } from '../../src/core/question/in-flight.ts'
import { inquire } from './stages/support.ts'
import { aRecord, Core, soaRecord } from './support.ts'

const test = suite('core/decision')

const www = 'www.shop.example'
const gone = 'gone.shop.example'
const core = new Core()
core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 20)] })
core.learn(gone, 'A', { rcode: 3, authorities: [soaRecord('example', 60)] })

function entryOf(qname: string) {
  const { entry } = inquire(core, qname)
  if (entry === undefined) throw new Error(`${qname} is not in the cache`)
  return entry
}

function ticketOf(qname: string): Ticket {
  const { ticket } = core.ask(qname)
  if (ticket === undefined) throw new Error(`${qname} was not asked`)
  return ticket
}

const answer = entryOf(www)
const denial = entryOf(gone)
const ticket = ticketOf('a.corp.example')
const failure: Settlement = {
  image: undefined,
  rcode: 2,
  source: ReplySource.failed,
  ede: 22,
}
const image = Buffer.alloc(12)

type Fields = Pick<
  Decision,
  'isReply' | 'stored' | 'image' | 'rcode' | 'source' | 'ede' | 'zoneIndex'
>
type Waiting = Pick<Decision, 'isReply' | 'stored' | 'image' | 'ticket' | 'starts' | 'hasStale'>

const nothing = { stored: undefined, image: undefined }
const { nowMs } = core

/** What was decided, and what of it is read by whoever carries it out. */
const kinds: readonly {
  readonly title: string
  readonly decide: (decision: Decision) => Decision
  readonly expected: Partial<Fields & Waiting & Pick<Decision, 'follows'>>
}[] = [
  {
    title: 'a bare rcode',
    decide: (decision) => decision.reply(failure, 2),
    expected: {
      ...nothing,
      isReply: true,
      rcode: 2,
      source: failure.source,
      ede: 22,
      zoneIndex: 2,
    },
  },
  {
    title: 'a message',
    decide: (decision) =>
      decision.reply({ image, rcode: 0, source: ReplySource.synthesised, ede: -1 }, 0),
    expected: { isReply: true, stored: undefined, image, rcode: 0, ede: -1, zoneIndex: 0 },
  },
  {
    title: 'an answer from the cache',
    decide: (decision) => decision.replyFrom(answer, nowMs),
    expected: {
      isReply: true,
      stored: answer,
      image: undefined,
      rcode: 0,
      source: ReplySource.cacheSuccess,
      ede: -1,
      zoneIndex: answer.route.zoneIndex,
    },
  },
  {
    title: 'a denial from the cache',
    decide: (decision) => decision.replyFrom(denial, nowMs),
    expected: {
      isReply: true,
      stored: denial,
      image: undefined,
      rcode: 3,
      source: ReplySource.cacheDenial,
      ede: -1,
    },
  },
  {
    title: 'a wait for the own answer',
    decide: (decision) => decision.wait(ticket, true, true),
    expected: {
      ...nothing,
      isReply: false,
      ticket,
      starts: true,
      hasStale: true,
      follows: undefined,
      zoneIndex: ticket.route.zoneIndex,
    },
  },
  {
    title: "a wait for another question's answer",
    decide: (decision) => decision.follow(ticket, false, 'answerMode'),
    expected: {
      ...nothing,
      isReply: false,
      ticket,
      starts: false,
      hasStale: false,
      follows: 'answerMode',
    },
  },
]

for (const { title, decide, expected } of kinds) {
  test(`${title} is decided as a whole, whatever was decided before`, () => {
    for (const before of kinds) {
      const decision = before.decide(new Decision())
      assert.is(decide(decision), decision)
      for (const [field, value] of Object.entries(expected))
        assert.equal(Reflect.get(decision, field), value, `${field} after ${before.title}`)
      if (decision.isReply)
        assert.equal(
          [decision.ticket, decision.starts, decision.hasStale],
          [undefined, false, false],
          `after ${before.title}`,
        )
    }
  })
}

test('an answer from the cache has the TTLs of the moment it is given', () => {
  new Decision().replyFrom(answer, nowMs + 7000)
  assert.is(answer.image().readUInt32BE(answer.imageBytes - 10), 13)
})

test.run()
