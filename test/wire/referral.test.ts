/*
 * Goal: a reply that says nothing about the name is not taken for NODATA, and none that does is taken for a referral. Method: the forms of
 * RFC 2308 2.2 and of glibc's pseudo-lame check, one by one.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isEmptyHanded, isReferral } from '../../src/wire/referral.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import {
  aRecord,
  cnameRecord,
  type ResponseOptions,
  record,
  responseTo,
  soaRecord,
} from '../core/support.ts'
import { name } from '../fixtures/packets/octets.ts'

const test = suite('wire/referral')

const host = 'www.corp.example'
const aa = 0x0400
const parent = record('example', 'NS', name('ns.other.example'))
const root = record('.', 'NS', name('a.root-servers.net'))
const soa = soaRecord('corp.example')

const rows: readonly [string, boolean, ResponseOptions, { readonly ra: boolean }][] = [
  ['NS of the parent, no recursion', true, { authorities: [parent] }, { ra: false }],
  ['NS of the root, no recursion', true, { authorities: [root] }, { ra: false }],
  ['nothing at all, no recursion', true, {}, { ra: false }],
  ['NS of the parent, though recursion is offered', true, { authorities: [parent] }, { ra: true }],
  ['glue alone, no recursion', true, { additionals: [aRecord('ns.x', '10.0.0.1')] }, { ra: false }],
  ['an empty answer of a resolver', false, {}, { ra: true }],
  ['an empty answer of an authority', false, { flags: aa }, { ra: false }],
  [
    'NS beside the empty answer of an authority',
    false,
    { flags: aa, authorities: [parent] },
    { ra: false },
  ],
  ['NODATA with SOA', false, { authorities: [soa] }, { ra: false }],
  ['NODATA with NS and SOA', false, { authorities: [parent, soa] }, { ra: false }],
  [
    'an answer',
    false,
    { answers: [aRecord(host, '10.0.0.1')], authorities: [parent] },
    { ra: false },
  ],
  [
    'an alias',
    false,
    { answers: [cnameRecord(host, 'b.test')], authorities: [parent] },
    { ra: false },
  ],
  ['NXDOMAIN', false, { rcode: 3, authorities: [parent] }, { ra: false }],
  ['REFUSED, which is told by its code', false, { rcode: 5, authorities: [parent] }, { ra: false }],
]

for (const [what, isOne, of, { ra }] of rows) {
  test(`${what} is ${isOne ? 'a' : 'no'} referral`, () => {
    const reply = responseTo(host, 'A', of)
    if (!ra) reply[3] = reply.readUInt8(3) & 0x7f
    const scan = new ResponseScan()
    assert.ok(scanResponse(reply, reply.length, scan))
    assert.is(isReferral(reply, scan), isOne)
    assert.is(
      isEmptyHanded(scan),
      Object.keys(of).every((key) => key === 'flags'),
    )
  })
}

test.run()
