/*
 * Goal: an answer given under an alias is one that every stub can follow, or none is made. Method: answers put together from
 * records, read by the tests' own decoder.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aliasImage, writeTtls } from '../../../../src/core/search/answer-mode/alias-image.ts'
import { name, octets, pointer, rr } from '../../../fixtures/packets/octets.ts'
import { readMessage } from '../../../support/client/dns-message.ts'
import { aRecord, cnameRecord, record, responseTo, soaRecord } from '../../support.ts'

const test = suite('core/search/answer-mode/alias-image')

const alias = 'www.example.com.team-0.svc.cluster.local'
const target = 'www.example.com'

function imageOf(answer: Buffer, qtype = 1) {
  const text = (of: string) => name(of).toString('latin1')
  return aliasImage({ name: text(alias), target: text(target), qtype }, answer)
}

function lines(answer: Buffer, qtype = 1): string[] {
  const made = imageOf(answer, qtype)
  if (made === undefined) return []
  writeTtls(made, 3)
  const { answers, authorities } = readMessage(made.image)
  return [...answers, ...authorities].map(({ name: owner, ttl, data }) => `${owner} ${ttl} ${data}`)
}

test('the alias comes first, then the chain, then the addresses, all with one TTL', () => {
  const answer = responseTo(target, 'A', {
    answers: [
      cnameRecord('WWW.example.com', 'Edge.example.net', 60),
      aRecord('edge.example.NET', '192.0.2.1', 20),
      aRecord('edge.example.net', '192.0.2.2', 20),
    ],
  })
  assert.equal(lines(answer), [
    'www.example.com.team-0.svc.cluster.local. 3 www.example.com.',
    'www.example.com. 3 Edge.example.net.',
    'Edge.example.net. 3 192.0.2.1',
    'Edge.example.net. 3 192.0.2.2',
  ])
  assert.is(imageOf(answer)?.hasAddress, true)
})

test('compressed names are followed', () => {
  // The owner is the question's name; the target ends in its last two labels, at 12 + 4.
  const cname = rr({
    owner: pointer(12),
    type: 5,
    ttl: 60,
    data: octets([4], Buffer.from('edge'), pointer(16)),
  })
  const answer = responseTo(target, 'A', {
    answers: [cname, aRecord('edge.example.com', '192.0.2.1')],
  })
  assert.equal(lines(answer).slice(1), [
    'www.example.com. 3 edge.example.com.',
    'edge.example.com. 3 192.0.2.1',
  ])
})

test('no data is the alias with the SOA, its TTL and MINIMUM bounded', () => {
  const answer = responseTo(target, 'AAAA', { authorities: [soaRecord('example.com', 300)] })
  const [cname, soa, ...more] = lines(answer, 28)
  assert.is(cname, 'www.example.com.team-0.svc.cluster.local. 3 www.example.com.')
  assert.match(soa ?? '', /^example\.com\. 3 /)
  assert.is(more.length, 0)
  const made = imageOf(answer, 28)
  assert.is(made?.hasAddress, false)
  if (made) writeTtls(made, 3)
  assert.is(made?.image.readUInt32BE(made.image.length - 4), 3)
})

const odd: Readonly<Record<string, Buffer>> = {
  'addresses before the alias that leads to them': responseTo(target, 'A', {
    answers: [aRecord('edge.example.net', '192.0.2.1'), cnameRecord(target, 'edge.example.net')],
  }),
  'an alias behind addresses': responseTo(target, 'A', {
    answers: [aRecord(target, '192.0.2.1'), cnameRecord(target, 'edge.example.net')],
  }),
  'a record of somebody else': responseTo(target, 'A', {
    answers: [aRecord(target, '192.0.2.1'), aRecord('other.example', '192.0.2.2')],
  }),
  'a record of another type': responseTo(target, 'A', {
    answers: [aRecord(target, '192.0.2.1'), record(target, 46, Buffer.alloc(30))],
  }),
  'neither an address nor an SOA': responseTo(target, 'A', {}),
  'no message': Buffer.from('junk'),
}

for (const [what, answer] of Object.entries(odd)) {
  test(`${what}: nothing is made`, () => {
    assert.is(imageOf(answer), undefined)
  })
}

/** A chain of so many aliases with names of 200 octets and more, and an address at its end. */
function chainOf(length: number): Buffer {
  const nameOf = (i: number) => `${`${'x'.repeat(60)}.`.repeat(3)}n${i}.example`
  const names = [target, ...Array.from({ length }, (_, i) => nameOf(i))]
  const aliases = names.slice(1).map((next, i) => cnameRecord(names[i] ?? '', next, 60))
  return responseTo(target, 'A', {
    answers: [...aliases, aRecord(names.at(-1) ?? '', '192.0.2.1')],
  })
}

test('a chain is followed as far as a compression pointer reaches', () => {
  assert.is(lines(chainOf(70)).length, 72)
  assert.is(imageOf(chainOf(90)), undefined)
})

/** Addresses of one name, as a server that compresses writes them: 16 octets each. */
function addressesOf(count: number): Buffer {
  const address = rr({ owner: pointer(12), type: 1, ttl: 60, data: Buffer.of(192, 0, 2, 1) })
  return responseTo(target, 'A', { answers: Array.from({ length: count }, () => address) })
}

test('an answer that is too long for a message under its alias is none', () => {
  assert.is(imageOf(addressesOf(4080))?.image.length, 12 + 42 + 4 + 12 + 17 + 4080 * 16)
  assert.ok(addressesOf(4092).length <= 65_535)
  assert.is(imageOf(addressesOf(4092)), undefined)
})

test.run()
