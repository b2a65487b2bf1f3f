/** Goal: each response is taken for what it is (RFC 2308 2), and denials without an SOA of the name's own tree prove nothing. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AliasChain } from '../../../src/core/answer/alias-chain.ts'
import { classify, type ResponseKind } from '../../../src/core/answer/response-kind.ts'
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

const test = suite('core/answer/response-kind')

function kindOf(of: ResponseOptions, type: TypeName = 'A'): ResponseKind {
  const response = responseTo('www.corp.example', type, of)
  const scan = scanned(response)
  const chain = new AliasChain()
  assert.ok(chain.follow(response, scan, '', () => false))
  return classify(response, scan, chain)
}

const host = 'www.corp.example'
const a = aRecord(host, '10.0.0.1')
const soa = soaRecord('corp.example')
const ns = record('corp.example', 'NS', name('ns.corp.example'))

const rows: readonly [string, ResponseKind, ResponseOptions, TypeName?][] = [
  ['data of the type', 'answer', { answers: [a] }],
  [
    'data behind an alias',
    'answer',
    { answers: [cnameRecord(host, 'b.test'), aRecord('b.test', '10.0.0.1')] },
  ],
  [
    'an alias, when the alias was asked for',
    'answer',
    { answers: [cnameRecord(host, 'b.test')] },
    'CNAME',
  ],
  ['any data, when ANY was asked for', 'answer', { answers: [a] }, 'ANY'],
  ['no data with an SOA', 'nodata', { authorities: [soa] }],
  ['no data with the SOA of the root', 'nodata', { authorities: [soaRecord('.')] }],
  ['NXDOMAIN with an SOA', 'nxdomain', { rcode: 3, authorities: [soa] }],
  [
    'NXDOMAIN with an SOA at the name itself',
    'nxdomain',
    { rcode: 3, authorities: [soaRecord(host)] },
  ],
  ['NXDOMAIN with data', 'nxdomain', { rcode: 3, answers: [a], authorities: [soa] }],
  ['no data without SOA', 'bare-denial', {}],
  ['NXDOMAIN without SOA', 'bare-denial', { rcode: 3 }],
  ['NXDOMAIN without SOA, with name servers', 'bare-denial', { rcode: 3, authorities: [ns] }],
  [
    'NXDOMAIN without SOA behind an alias',
    'bare-denial',
    { rcode: 3, answers: [cnameRecord(host, 'b.test')] },
  ],
  ['nothing to ANY', 'bare-denial', {}, 'ANY'],
  [
    'NXDOMAIN with the SOA of another tree',
    'bare-denial',
    { rcode: 3, authorities: [soaRecord('evil.test')] },
  ],
  [
    'NXDOMAIN with the SOA of a sibling',
    'bare-denial',
    { rcode: 3, authorities: [soaRecord('mail.corp.example')] },
  ],
  [
    'NXDOMAIN with the SOA of a child',
    'bare-denial',
    { rcode: 3, authorities: [soaRecord(`x.${host}`)] },
  ],
  [
    'NXDOMAIN whose SOA stands in the additional section',
    'bare-denial',
    { rcode: 3, additionals: [soa] },
  ],
  ['a referral', 'failure', { authorities: [ns] }],
  [
    'an alias without data, with the name servers of its zone',
    'bare-denial',
    { answers: [cnameRecord(host, 'b.test')], authorities: [ns] },
  ],
  ['an alias without data', 'bare-denial', { answers: [cnameRecord(host, 'b.test')] }],
  ['an answer for another name', 'bare-denial', { answers: [aRecord('victim.test', '6.6.6.6')] }],
  [
    'NXDOMAIN with an answer for another name',
    'bare-denial',
    { rcode: 3, answers: [aRecord('victim.test', '6.6.6.6')] },
  ],
  ['another type at the name', 'bare-denial', { answers: [record(host, 'TXT', octets(1, 'x'))] }],
  [
    'NODATA behind an alias, with the SOA of the target',
    'nodata',
    { answers: [cnameRecord(host, 'b.test')], authorities: [soaRecord('test')] },
  ],
  [
    'NODATA behind an alias, with the SOA of the alias',
    'bare-denial',
    { answers: [cnameRecord(host, 'b.test')], authorities: [soa] },
  ],
  ['SERVFAIL', 'failure', { rcode: 2, answers: [a] }],
  ['FORMERR', 'failure', { rcode: 1 }],
  ['NOTIMP', 'failure', { rcode: 4 }],
  ['REFUSED', 'failure', { rcode: 5, authorities: [soa] }],
  ['YXDOMAIN', 'failure', { rcode: 6 }],
  ['BADVERS, whose lower bits are NOERROR', 'failure', { extendedRcode: 1, answers: [a] }],
  [
    'an extended code whose lower bits are NXDOMAIN',
    'failure',
    { rcode: 3, extendedRcode: 1, authorities: [soa] },
  ],
]

for (const [what, kind, of, type] of rows) {
  test(`${what} is ${kind}`, () => {
    assert.is(kindOf(of, type), kind)
  })
}

test.run()
