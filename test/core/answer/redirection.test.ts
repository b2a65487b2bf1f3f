/** Goal: a DNAME without its alias redirects (RFC 6672 3), and nothing else is changed. Method: one reply each, read by the tests' own decoder. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withAlias } from '../../../src/core/answer/redirection.ts'
import { name } from '../../fixtures/packets/octets.ts'
import { readMessage, type TypeName } from '../../support/client/dns-message.ts'
import {
  aRecord,
  cnameRecord,
  type ResponseOptions,
  record,
  responseTo,
  scanned,
} from '../support.ts'

const test = suite('core/answer/redirection')

const dname = (owner: string, target: string, ttl = 300) => record(owner, 39, name(target), ttl)

/** @returns the records of the answer that is made; undefined where the reply stays as it came */
function made(qname: string, of: ResponseOptions, type: TypeName = 'A'): string[] | undefined {
  const reply = responseTo(qname, type, of)
  const response = { reply, scan: scanned(reply) }
  const given = withAlias(response)
  if (given === response) return undefined
  assert.is(given.scan.end, given.reply.length)
  const read = readMessage(given.reply)
  return read.answers.map((one) => `${one.name} ${one.ttl} ${one.type} ${one.data}`)
}

test('a name below a DNAME gets the alias that is made from it, with its TTL, and nothing beside', () => {
  const answers = [dname('a.example', 'b.test', 77), aRecord('www.b.test', '6.6.6.6')]
  assert.equal(made('www.a.example', { answers }), ['www.a.example. 77 5 www.b.test.'])
  assert.equal(made('x.y.a.example', { answers }, 'AAAA'), ['x.y.a.example. 77 5 x.y.b.test.'])
  const up = [dname('a.example', '.')]
  assert.equal(made('www.a.example', { answers: up }), ['www.a.example. 300 5 www.'])
})

test('all other replies stay as they are', () => {
  const redirects = dname('a.example', 'b.test')
  const alias = cnameRecord('www.a.example', 'www.b.test')
  const long = `${'l'.repeat(63)}.${'m'.repeat(63)}.${'n'.repeat(63)}`
  for (const [qname, of] of [
    ['www.a.example', { answers: [aRecord('www.a.example', '10.0.0.1')] }],
    ['www.a.example', { answers: [redirects, alias] }],
    ['www.a.example', { answers: [redirects], rcode: 3 }],
    ['www.a.example', { answers: [redirects], flags: 0x0200 }],
    ['a.example', { answers: [redirects] }],
    ['www.other.example', { answers: [redirects] }],
    [`${long}.a.example`, { answers: [dname('a.example', `${'o'.repeat(60)}.test`)] }],
    ['www.a.example', {}],
  ] as const)
    assert.is(made(qname, of), undefined, qname)
})

test.run()
