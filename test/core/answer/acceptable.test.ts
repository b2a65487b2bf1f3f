/** Goal: a client sees the answer to its question and nothing that an upstream put beside it (CVE-2025-40778, MaginotDNS). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keepAll, keepAnswerOnly } from '../../../src/core/answer/acceptable.ts'
import { AliasChain } from '../../../src/core/answer/alias-chain.ts'
import { name, octets } from '../../fixtures/packets/octets.ts'
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

const test = suite('core/answer/acceptable')

const host = 'www.example'
const ns = record('example', 'NS', name('ns.evil'))
const glue = aRecord('ns.evil', '6.6.6.6')
const rrsig = (owner: string) => record(owner, 46, octets(Buffer.alloc(18), name('example'), 'sig'))
const nsec = record('example', 47, octets(name('x.example'), 0, 1, 0x40))
const dname = record('example', 39, name('elsewhere'))

function kept(
  of: ResponseOptions,
  {
    type = 'A',
    dnssecOk = false,
    isForeign = false,
  }: { type?: TypeName | number; dnssecOk?: boolean; isForeign?: boolean } = {},
): number[] {
  const response = responseTo(host, type, of)
  const scan = scanned(response)
  const chain = new AliasChain()
  assert.ok(chain.follow(response, scan, '', () => isForeign))
  const keep = keepAnswerOnly(response, scan, chain, dnssecOk)
  // The last record is the upstream's OPT.
  return [...keep.subarray(0, scan.records - 1)].map(Math.sign)
}

/** Positions that the answer records take. @param all as from the cluster's server */
function order(
  answers: readonly Buffer[],
  { type = 'A', all = false }: { type?: TypeName | number; all?: boolean } = {},
): number[] {
  const response = responseTo(host, type, { answers })
  const scan = scanned(response)
  const chain = new AliasChain()
  assert.ok(chain.follow(response, scan, '', () => false))
  const keep = all ? keepAll(response, scan, chain) : keepAnswerOnly(response, scan, chain, true)
  const places = [...keep.subarray(0, answers.length)]
  const indexes = places.map((_, index) => index).filter((index) => places[index] !== 0)
  return indexes.toSorted((one, other) => (places[one] ?? 0) - (places[other] ?? 0))
}

test('from the cluster’s own server everything is kept', () => {
  const response = responseTo(host, 'A', {
    answers: [aRecord(host, '10.0.0.1')],
    authorities: [ns],
    additionals: [glue],
  })
  const scan = scanned(response)
  const chain = new AliasChain()
  assert.ok(chain.follow(response, scan, '', () => false))
  const keep = keepAll(response, scan, chain).subarray(0, scan.records)
  assert.ok(keep.every((place) => place > 0))
})

test('of an answer the chain is kept; name servers, glue and strangers are not', () => {
  assert.equal(
    kept({
      answers: [
        cnameRecord(host, 'b.example'),
        aRecord('victim.example', '6.6.6.6'),
        aRecord('b.example', '10.0.0.1'),
      ],
      authorities: [ns],
      additionals: [glue, aRecord(host, '6.6.6.6')],
    }),
    [1, 0, 1, 0, 0, 0],
  )
})

test('of a denial the SOA is kept, and only the first', () => {
  assert.equal(
    kept({ authorities: [ns, soaRecord('example'), soaRecord('evil')], additionals: [glue] }),
    [0, 1, 0, 0],
  )
})

test('signatures and proofs are for clients that set DO', () => {
  const of = {
    answers: [aRecord(host, '10.0.0.1'), rrsig(host)],
    authorities: [soaRecord('example'), rrsig('example'), nsec, ns],
  }
  assert.equal(kept(of), [1, 0, 1, 0, 0, 0])
  assert.equal(kept(of, { dnssecOk: true }), [1, 1, 1, 1, 1, 0])
})

test('signatures are kept for whoever asked for them', () => {
  assert.equal(kept({ answers: [rrsig(host)] }, { type: 46 }), [1])
  assert.equal(kept({ answers: [aRecord(host, '10.0.0.1'), rrsig(host)] }, { type: 'ANY' }), [1, 1])
})

test('a DNAME is shown to validators only, and the alias made of it to everybody', () => {
  const of = {
    answers: [dname, cnameRecord(host, 'www.elsewhere'), aRecord('www.elsewhere', '10.0.0.1')],
  }
  assert.equal(kept(of), [0, 1, 1])
  assert.equal(kept(of, { dnssecOk: true }), [1, 1, 1])
})

test('when the chain leads into somebody else’s names the alias is kept and nothing behind it, not even the SOA', () => {
  const of = {
    answers: [cnameRecord(host, 'b.cluster.local'), aRecord('b.cluster.local', '6.6.6.6')],
    authorities: [soaRecord('cluster.local')],
  }
  assert.equal(kept(of, { isForeign: true }), [1, 0, 0])
})

const covering = (owner: string, type: number) =>
  record(owner, 46, octets(0, type, Buffer.alloc(16), name('example'), 'sig'))

test('aliases come before what they lead to, in any order of the upstream', () => {
  const [first, second] = [cnameRecord(host, 'b.example'), cnameRecord('b.example', 'c.example')]
  const [one, two] = [aRecord('c.example', '10.0.0.1'), aRecord('c.example', '10.0.0.2')]
  assert.equal(order([one, first, two, second]), [1, 3, 0, 2])
  assert.equal(order([two, one, second, first]), [3, 2, 0, 1])
  assert.equal(order([first, second, one, two]), [0, 1, 2, 3])
})

test('signatures follow their sets, and a DNAME comes before the alias made of it', () => {
  const alias = cnameRecord(host, 'www.elsewhere')
  const address = aRecord('www.elsewhere', '10.0.0.1')
  const answers = [
    covering('www.elsewhere', 1),
    address,
    covering(host, 5),
    alias,
    covering('example', 39),
    dname,
    aRecord('www.elsewhere', '10.0.0.2'),
  ]
  assert.equal(order(answers), [5, 4, 3, 2, 1, 6, 0])
})

test('what belongs to no link comes last from the cluster’s server, and not at all from others', () => {
  const stranger = aRecord('other.example', '10.9.9.9')
  const alias = cnameRecord(host, 'b.example')
  const address = aRecord('b.example', '10.0.0.1')
  assert.equal(order([stranger, address, alias], { all: true }), [2, 1, 0])
  assert.equal(order([stranger, address, alias]), [2, 1])
})

test('the answer to ANY stays in its upstream’s order', () => {
  const answers = [covering(host, 1), aRecord(host, '10.0.0.1'), cnameRecord(host, 'b.example')]
  assert.equal(order(answers, { type: 'ANY' }), [0, 1, 2])
})

test('the longest chain that is followed is still in order', () => {
  const chain = Array.from({ length: 16 }, (_, i) =>
    cnameRecord(i === 0 ? host : `n${i}.example`, `n${i + 1}.example`),
  )
  const answers = [aRecord('n16.example', '10.0.0.1'), ...chain.toReversed()]
  assert.equal(
    order(answers, { all: true }),
    answers.map((_, index) => 16 - index),
  )
})

test.run()
