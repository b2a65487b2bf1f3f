/** Goal: an inquiry has nothing left of the question before it, and builds its pair member once. Method: one inquiry, two questions. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Asker } from '../../src/core/decision.ts'
import { Inquiry } from '../../src/core/inquiry.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { name } from '../fixtures/packets/octets.ts'
import { type TypeName, writeQuery } from '../support/client/dns-message.ts'
import { inquire } from './stages/support.ts'
import { aRecord, Core } from './support.ts'

const test = suite('core/inquiry')

const www = 'www.shop.example'

/** Counts how often its address was built. */
class CountingAsker implements Asker {
  readonly clientPort = 40_001
  readonly turns = 0
  built = 0

  clientAddress(): string {
    this.built += 1
    return '192.0.2.7'
  }
}

function read(into: Inquiry, qname: string, type: TypeName, asker: Asker): Inquiry {
  const query = writeQuery(qname, type)
  const question = new Question()
  readQuestion(query, query.length, question)
  return into.read(query, question, 1000, asker)
}

test('the member of a pair is the folded name, the socket and the type', () => {
  const member = read(new Inquiry(), 'WWW.Shop.example', 'AAAA', new CountingAsker()).member()
  assert.equal(member, {
    name: name(www).toString('latin1'),
    client: '192.0.2.7',
    clientPort: 40_001,
    qtype: 28,
  })
})

test('the member is built when it is first needed, and once', () => {
  const asker = new CountingAsker()
  const inquiry = read(new Inquiry(), www, 'A', asker)
  assert.is(asker.built, 0)
  assert.is(inquiry.member(), inquiry.member())
  assert.is(asker.built, 1)
})

test('the next question has a member of its own', () => {
  const inquiry = read(new Inquiry(), www, 'A', new CountingAsker())
  inquiry.member()
  const next = read(inquiry, 'shop.example', 'AAAA', {
    ...new CountingAsker(),
    clientAddress: () => '192.0.2.8',
  })
  assert.equal(
    [next.member().name, next.member().client, next.member().qtype],
    [name('shop.example').toString('latin1'), '192.0.2.8', 28],
  )
  assert.equal([next.key.nameText(), next.question.qtype], [next.member().name, 28])
})

test('an entry is fresh to its end, and usable as a stale answer from its beginning to the limit', () => {
  const core = new Core()
  const states = () => {
    const { fresh, hasStale } = inquire(core, www)
    return [fresh !== undefined, hasStale]
  }
  assert.equal(states(), [false, false], 'nothing is known')
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 20)] })
  core.nowMs += 19_999
  assert.equal(states(), [true, true])
  core.nowMs += 1
  assert.equal(states(), [false, true])
  core.nowMs += 3_599_999
  assert.equal(states(), [false, true])
  core.nowMs += 1
  assert.equal(states(), [false, false])
})

test.run()
