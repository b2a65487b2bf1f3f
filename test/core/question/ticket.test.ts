/** Goal: a ticket asks what the client asked, in a message of our own, as its route wants it. Method: the frame read back octet by octet. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Ticket } from '../../../src/core/question/in-flight.ts'
import { openTicket, type TicketParts } from '../../../src/core/question/ticket.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { name, octets, u16 } from '../../fixtures/packets/octets.ts'
import { readMessage, writeQuery } from '../../support/client/dns-message.ts'
import { zoneRoute } from '../support.ts'

const test = suite('core/question/ticket')

const route = {
  ...zoneRoute('corp.example.', { payloadBytes: 1400, mayRecurse: false }),
  zoneIndex: 1,
  zoneLabels: 2,
}

function open(query: Buffer, parts: Partial<TicketParts> = {}): Ticket {
  const asked = new Question()
  readQuestion(query, query.length, asked)
  return openTicket(query, asked, {
    key: 'key',
    hash: -5,
    route,
    routeGeneration: 3,
    asOf: 0,
    entry: undefined,
    client: '192.0.2.1',
    audited: undefined,
    ...parts,
  })
}

test('the frame has ID 0, the name in lower case, and our own EDNS', () => {
  const ticket = open(
    writeQuery('DB.Corp.example', 'AAAA', { id: 0x1234, ednsBytes: 4096, ad: true }),
  )
  const sent = readMessage(ticket.frame)
  assert.equal([sent.id, sent.rd, sent.cd, sent.ad], [0, true, false, false])
  assert.equal(sent.questions, [{ name: 'db.corp.example.', type: 28, class: 1 }])
  const end = ticket.questionEnd
  assert.is(end, 12 + name('db.corp.example').length + 4)
  assert.equal(ticket.frame.subarray(end), octets([0], u16(41), u16(1400), [0, 0, 0, 0], u16(0)))
})

test('DO and CD go upstream, each by itself', () => {
  for (const [asked, dnssecOk, cd] of [
    [{ do: true, ednsBytes: 1232 }, true, false],
    [{ cd: true }, false, true],
    [{}, false, false],
  ] as const) {
    const { frame, questionEnd, ...ticket } = open(writeQuery('a.example', 'A', asked))
    assert.is(ticket.dnssecOk, dnssecOk)
    assert.is((frame.readUInt8(questionEnd + 7) & 0x80) !== 0, dnssecOk)
    assert.is((frame.readUInt8(3) & 0x10) !== 0, cd)
  }
})

test('where it goes is what its route says now, and stays so when the route changes', () => {
  const changing = { ...route }
  const ticket = open(writeQuery('a.example', 'A'), { route: changing })
  changing.group = 'other'
  changing.mayRecurse = true
  assert.equal([ticket.group, ticket.mayRecurse], ['of corp.example.', false])
  assert.is(ticket.route, changing)
})

test('key, hash, generation, and what is audited are passed on; nobody waits yet', () => {
  const ticket = open(writeQuery('a.example', 'A'), { audited: 'rule' })
  const { key, hash, routeGeneration, audited, entry, waiters } = ticket
  assert.equal([ticket.challenge, ticket.hasReturned], [undefined, false])
  assert.equal([key, hash, routeGeneration, audited, entry], ['key', -5, 3, 'rule', undefined])
  assert.equal(waiters, [])
})

test('the frame is no view of the packet', () => {
  const query = writeQuery('a.example', 'A')
  const ticket = open(query)
  const before = Buffer.from(ticket.frame)
  query.fill(0xff)
  assert.equal(ticket.frame, before)
})

test.run()
