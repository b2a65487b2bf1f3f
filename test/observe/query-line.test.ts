/**
 * Goal: a line has what its placeholders name, and nothing that a client sent can break it. Method: queries made by hand;
 * test/real/plugins/log.test.ts compares with the lines of a real CoreDNS.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ReplyFacts, ReplySource } from '../../src/core/facts.ts'
import type { Reply } from '../../src/core/reply.ts'
import { type QueryLineFacts, queryLine } from '../../src/observe/query-line.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { type QueryOptions, writeQuery } from '../support/client/dns-message.ts'

const test = suite('observe/query-line')

interface Given {
  readonly query?: Buffer
  readonly transport?: 0 | 1
  readonly flags?: readonly [number, number] | undefined
  readonly class?: QueryLineFacts['class']
  readonly rcode?: number
  readonly client?: string
}

const asked = (options: QueryOptions = {}) => writeQuery('WWW.example', 'A', { id: 7, ...options })

function line(format: string, given: Given = {}): string {
  const {
    query = asked(),
    transport = 0,
    flags = [0x84, 0x80],
    rcode = 0,
    client = '10.0.0.7',
  } = given
  const question = new Question()
  readQuestion(query, query.length, question)
  const common = { serverIndex: 0, transport, family: 4, queryBytes: query.length } as const
  const source = ReplySource.upstream
  const measured = { zoneIndex: 0, replyBytes: 120, dnssecOk: false, tookMs: 37.990_251 }
  const facts: ReplyFacts = { ...common, ...measured, qtype: question.qtype, rcode, source }
  const arrival = {
    ...common,
    question,
    query,
    clientPort: 4711,
    arrivedMs: 0,
    clientAddress: () => client,
  }
  const image = Buffer.from([0, 0, ...flags, 0, 1, 0, 1, 0, 0, 0, 0])
  const reply: Reply = { image: flags === undefined ? undefined : image, rcode, source, ede: -1 }
  return queryLine(format)({ arrival, reply, facts, local: '::1', class: given.class ?? 'success' })
}

test("CoreDNS's own formats", () => {
  const common =
    '10.0.0.7:4711 - 7 "A IN www.example. udp 29 false 512" NOERROR qr,aa,rd,ra 120 0.037990251s'
  assert.is(line('{common}'), common)
  assert.is(line('x {combined}'), `x ${common} "0"`)
})

test('addresses of IPv6 stand in brackets, over TCP everything fits', () => {
  assert.is(
    line('{remote} {local} {proto} {>bufsize}', { client: '2001:db8::1', transport: 1 }),
    '[2001:db8::1] [::1] tcp 65535',
  )
})

test('EDNS and flags', () => {
  const query = asked({ ednsBytes: 4096, do: true, cd: true, rd: false })
  assert.is(
    line('{>do} {>bufsize} {>rflags}', { query, flags: [0x82, 0xa0] }),
    'true 4096 qr,tc,ra,ad,cd',
  )
})

test('names and classes of results', () => {
  const format = '{rcode} {/log/class} {/log/type}'
  assert.is(line(format), 'NOERROR success NOERROR')
  assert.is(line(format, { class: 'denial' }), 'NOERROR denial NODATA')
  assert.is(line(format, { class: 'denial', rcode: 3 }), 'NXDOMAIN denial NXDOMAIN')
  assert.is(line(format, { class: 'error', rcode: 2 }), 'SERVFAIL error OTHERERROR')
})

test('what is no placeholder stays, and what other plugins would know is a hyphen', () => {
  assert.is(line('{ {name} } {nme} {/kubernetes/namespace} } {'), '{ www.example. } {nme} - } {')
})

test('numbers for what has no name, and odd names escaped', () => {
  const query = writeQuery('a\\010b"', 65_000)
  query.writeUInt16BE(4000, query.length - 2)
  assert.is(line('{name} {type} {class}', { query }), 'a\\010b\\034. TYPE65000 CLASS4000')
})

test.run()
