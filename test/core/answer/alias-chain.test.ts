/*
 * Goal: only what the question's alias chain reaches is taken for part of the answer, and no chain goes on for ever
 * (CVE-2025-40778, CVE-2025-11411).
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AliasChain } from '../../../src/core/answer/alias-chain.ts'
import { presentName } from '../../../src/wire/name.ts'
import { labels, name, octets } from '../../fixtures/packets/octets.ts'
import type { TypeName } from '../../support/client/dns-message.ts'
import {
  aRecord,
  cnameRecord,
  type ResponseOptions,
  record,
  responseTo,
  scanned,
  soaRecord,
} from '../support.ts'

const test = suite('core/answer/alias-chain')

const nobody = () => false
const qname = 'www.example'

interface Followed {
  readonly ok: boolean
  readonly reached: readonly number[]
  readonly end: string
  readonly aliases: number
  readonly isForeign: boolean
}

function follow(
  answers: readonly Uint8Array[],
  isForeign: (text: string) => boolean = nobody,
  type: TypeName | number = 'A',
  of: ResponseOptions = {},
): Followed {
  const response = responseTo(qname, type, { ...of, answers })
  const chain = new AliasChain()
  const ok = chain.follow(response, scanned(response), '', (wire, bytes) =>
    isForeign(presentName(wire.subarray(0, bytes), 0)),
  )
  return {
    ok,
    reached: [...chain.reached.subarray(0, answers.length)],
    end: presentName(chain.name.subarray(0, chain.nameBytes), 0),
    aliases: chain.aliases,
    isForeign: chain.isForeign,
  }
}

test('a record of another class is not reached', () => {
  const chaos = Buffer.from(aRecord(qname, '6.6.6.6'))
  chaos.writeUInt16BE(3, name(qname).length + 2)
  assert.equal(follow([chaos, aRecord(qname, '10.0.0.1')]).reached, [0, 1])
  const alias = Buffer.from(cnameRecord(qname, 'evil.example'))
  alias.writeUInt16BE(255, name(qname).length + 2)
  assert.equal(follow([alias, aRecord(qname, '10.0.0.1')]).reached, [0, 1])
})

test('records of the qname are reached, in any letter case', () => {
  const { ok, reached, end, aliases } = follow([
    aRecord('WWW.Example', '10.0.0.1'),
    aRecord('other.example', '6.6.6.6'),
    aRecord(qname, '10.0.0.2'),
  ])
  assert.equal(
    { ok, reached, end, aliases },
    { ok: true, reached: [1, 0, 1], end: 'www.example.', aliases: 0 },
  )
})

test('a chain is followed in whatever order its records come', () => {
  const records = [
    aRecord('c.example', '10.0.0.1'),
    cnameRecord('b.example', 'c.example'),
    aRecord('d.example', '6.6.6.6'),
    cnameRecord(qname, 'b.example'),
  ]
  const { reached, end, aliases } = follow(records)
  assert.equal({ reached, end, aliases }, { reached: [3, 2, 0, 1], end: 'c.example.', aliases: 2 })
  assert.equal(follow(records.toReversed()).reached, [1, 0, 2, 3])
})

test('records of another type at the name are not part of the answer', () => {
  const { reached } = follow([
    record(qname, 'TXT', octets(1, 'x')),
    aRecord(qname, '10.0.0.1'),
    record(qname, 'NS', name('ns.evil')),
  ])
  assert.equal(reached, [0, 1, 0])
})

test('an alias whose name goes beyond its data is not read out of the next record', () => {
  for (const data of [octets(), labels('b')]) {
    const records = [record(qname, 'CNAME', data), aRecord('example', '6.6.6.6')]
    assert.is(follow(records).ok, false)
  }
})

test('signatures at the name are reached with it', () => {
  const signature = octets(Buffer.alloc(18), name('example'), 'signature')
  assert.equal(follow([aRecord(qname, '10.0.0.1'), record(qname, 46, signature)]).reached, [1, 1])
  assert.equal(follow([record('other.example', 46, signature)]).reached, [0])
})

test('a question for CNAME or ANY is not led away', () => {
  const records = [cnameRecord(qname, 'b.example'), aRecord('b.example', '10.0.0.1')]
  for (const type of ['CNAME', 'ANY'] as const) {
    const { ok, reached, end } = follow(records, nobody, type)
    assert.equal({ ok, reached, end }, { ok: true, reached: [1, 0], end: 'www.example.' })
  }
})

test('ANY reaches every type at the name', () => {
  const records = [aRecord(qname, '10.0.0.1'), record(qname, 'TXT', octets(1, 'x'))]
  assert.equal(follow(records, nobody, 'ANY').reached, [1, 1])
})

test('a DNAME above the name is reached and never followed', () => {
  const { ok, reached, end } = follow([
    record('example', 39, name('evil')),
    aRecord('www.evil', '6.6.6.6'),
  ])
  assert.equal({ ok, reached, end }, { ok: true, reached: [1, 0], end: 'www.example.' })
  assert.equal(follow([record('elsewhere', 39, name('evil'))]).reached, [0])
})

test('sixty-four aliases are followed, one more is too many', () => {
  const chain = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      cnameRecord(i === 0 ? qname : `n${i}.example`, `n${i + 1}.example`),
    )
  const good = follow([...chain(64), aRecord('n64.example', '10.0.0.1')])
  assert.equal([good.ok, good.aliases, good.end], [true, 64, 'n64.example.'])
  assert.not(follow([...chain(65), aRecord('n65.example', '10.0.0.1')]).ok)
})

for (const [what, records] of [
  ['a name that is its own alias', [cnameRecord(qname, qname)]],
  [
    'two names that are each other’s alias',
    [cnameRecord(qname, 'b.example'), cnameRecord('b.example', qname)],
  ],
  [
    'an alias that leads back into the middle',
    [
      cnameRecord(qname, 'b.example'),
      cnameRecord('b.example', 'c.example'),
      cnameRecord('c.example', 'B.example'),
      aRecord('b.example', '6.6.6.6'),
    ],
  ],
] as const) {
  test(`${what} is a loop, and no answer`, () => {
    assert.not(follow(records).ok)
  })
}

test('of two aliases at one name the first is followed', () => {
  const { reached, end } = follow([
    cnameRecord(qname, 'b.example'),
    cnameRecord(qname, 'evil.example'),
    aRecord('b.example', '10.0.0.1'),
    aRecord('evil.example', '6.6.6.6'),
  ])
  assert.is(end, 'b.example.')
  assert.equal([reached[2], reached[3]], [2, 0])
})

test('a chain ends where it leaves for a name of somebody else, and what is behind is not reached', () => {
  const { ok, reached, isForeign, end } = follow(
    [
      cnameRecord(qname, 'kubernetes.default.svc.cluster.local'),
      aRecord('kubernetes.default.svc.cluster.local', '6.6.6.6'),
    ],
    (text) => text.endsWith('.cluster.local.'),
  )
  assert.equal({ ok, reached, isForeign }, { ok: true, reached: [1, 0], isForeign: true })
  assert.is(end, 'kubernetes.default.svc.cluster.local.')
})

test('an alias whose target is no name ends the chain badly', () => {
  const response = responseTo(qname, 'A', { answers: [record(qname, 'CNAME', octets(0xc0, 0xff))] })
  assert.not(new AliasChain().follow(response, scanned(response), '', nobody))
})

test('records in the authority and additional sections are not reached', () => {
  const of = { authorities: [soaRecord('example')], additionals: [aRecord(qname, '6.6.6.6')] }
  const { reached, ok } = follow([], nobody, 'A', of)
  assert.equal({ ok, reached }, { ok: true, reached: [] })
})

test('nothing of one response is left for the next', () => {
  const chain = new AliasChain()
  const first = responseTo(qname, 'A', {
    answers: [cnameRecord(qname, 'b.test'), aRecord('b.test', '10.0.0.1')],
  })
  const second = responseTo(qname, 'A', {
    answers: [aRecord('x.test', '6.6.6.6'), aRecord('b.test', '6.6.6.6')],
  })
  chain.follow(first, scanned(first), '', () => true)
  chain.follow(second, scanned(second), '', nobody)
  assert.equal([...chain.reached.subarray(0, 2)], [0, 0])
  assert.equal([chain.aliases, chain.isForeign], [0, false])
})

test('thousands of records in no order cost a few milliseconds at most', () => {
  const records = Array.from({ length: 1500 }, (_, i) =>
    cnameRecord(`n${1500 - i}.x`, `n${1501 - i}.x`),
  )
  const response = responseTo(qname, 'A', { answers: [...records, cnameRecord(qname, 'n1.x')] })
  const scan = scanned(response)
  const chain = new AliasChain()
  const times = Array.from({ length: 10 }, () => {
    const startMs = performance.now()
    assert.not(chain.follow(response, scan, '', nobody))
    return performance.now() - startMs
  })
  assert.ok(Math.min(...times) < 10, `${Math.min(...times)} ms`)
})

test.run()
