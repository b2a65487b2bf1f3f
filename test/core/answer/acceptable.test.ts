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
  assert.ok(chain.follow(response, scan, () => isForeign))
  const keep = keepAnswerOnly(response, scan, chain, dnssecOk)
  // The last record is the upstream's OPT.
  return [...keep.subarray(0, scan.records - 1)]
}

test('from the cluster’s own server everything is kept', () => {
  const response = responseTo(host, 'A', {
    answers: [aRecord(host, '10.0.0.1')],
    authorities: [ns],
    additionals: [glue],
  })
  const scan = scanned(response)
  assert.equal([...keepAll(scan).subarray(0, scan.records)], [1, 1, 1, 1])
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

test.run()
