/** Goal: the Internet of the demo answers as a resolver does: aliases followed, NODATA told from NXDOMAIN, denials with an SOA. Method: questions in, answers out. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAddress, rangeOf } from '../../src/config/address.ts'
import { outsideAnswer } from '../../src/demo/outside-world.ts'
import { RrType } from '../../src/wire/constants.ts'
import { typeNumbers } from '../support/client/dns-message.ts'

const test = suite('demo/outside-world')

function shown(name: string, type: number) {
  const { rcode, answers, authority, delayMs } = outsideAnswer(name, type)
  return {
    rcode,
    answers: answers.map((record) => `${record.owner} ${record.type}`),
    authority: authority.map((record) => `${record.owner} ${record.type}`),
    delayMs,
  }
}

test('a name that is there has its records, and no SOA', () => {
  for (const type of ['A', 'AAAA', 'MX', 'TXT', 'HTTPS'] as const) {
    const number = typeNumbers[type]
    assert.equal(shown('example.com', number), {
      rcode: 0,
      answers: [`example.com ${number}`],
      authority: [],
      delayMs: 0,
    })
  }
})

test('an alias comes with what it leads to; asked for itself it comes alone', () => {
  assert.equal(shown('www.example.com', RrType.a).answers, ['www.example.com 5', 'example.com 1'])
  assert.equal(shown('www.example.com', RrType.cname).answers, ['www.example.com 5'])
  // It is an answer all the same when its target has no such record.
  const { rcode, answers, authority } = shown('www.example.com', typeNumbers.SRV)
  assert.equal([rcode, answers, authority], [0, ['www.example.com 5'], []])
})

test('a type that a name has not is NODATA, a name that is not there NXDOMAIN, each with the SOA above it', () => {
  assert.equal(shown('catalog.example.com', RrType.aaaa), {
    rcode: 0,
    answers: [],
    authority: ['example.com 6'],
    delayMs: 0,
  })
  assert.equal(shown('a.b.nothere.test', RrType.a), {
    rcode: 3,
    answers: [],
    authority: ['nothere.test 6'],
    delayMs: 0,
  })
  assert.equal(shown('localdomain', RrType.a).authority, ['localdomain 6'])
})

test('a name of JavaScript is no name of the Internet', () => {
  for (const name of ['constructor', '__proto__', 'toString', '']) {
    assert.is(shown(name, RrType.a).rcode, 3, name)
  }
})

test('one resolver is slow and one broken', () => {
  const slow = shown('slow.example.org', RrType.a)
  assert.equal([slow.rcode, slow.answers.length, slow.delayMs], [0, 1, 200])
  assert.equal(shown('broken.example.net', RrType.a), {
    rcode: 2,
    answers: [],
    authority: [],
    delayMs: 0,
  })
})

test('every address is one of those for documentation: the demo must send nobody to a real host', () => {
  const names = [
    'example.com',
    'api.example.com',
    'catalog.example.com',
    'mail.example.com',
    'slow.example.org',
  ]
  for (const name of names) {
    for (const { data } of outsideAnswer(name, RrType.a).answers) {
      assert.match([...data].join('.'), /^(192\.0\.2|198\.51\.100|203\.0\.113)\./, name)
    }
    for (const { data } of outsideAnswer(name, RrType.aaaa).answers) {
      const groups = Buffer.from(data).toString('hex').match(/.{4}/g) ?? []
      const parsed = parseAddress(groups.join(':'))
      assert.is(parsed.ok && rangeOf(parsed.value), 'reserved', name)
    }
  }
})

test.run()
