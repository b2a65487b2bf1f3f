/** Goal: response codes are a closed set of labels. Method: every code there is, and some that cannot be. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { knownRcodeName, rcodeName } from '../../src/observe/rcode-name.ts'

const test = suite('observe/rcode-name')

test('the codes that CoreDNS names have its names', () => {
  const known = [
    [0, 'NOERROR'],
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [5, 'REFUSED'],
    [16, 'BADVERS'],
    [23, 'BADCOOKIE'],
  ] as const
  for (const [rcode, name] of known) assert.is(rcodeName(rcode), name)
})

test('codes 0-23 have 24 different names, all others share one', () => {
  const names = new Set(Array.from({ length: 24 }, (_, rcode) => rcodeName(rcode)))
  assert.is(names.size, 24)
  assert.is(names.has('other'), false)
  for (let rcode = 24; rcode < 4096; rcode++) assert.is(rcodeName(rcode), 'other')
  assert.is(rcodeName(-1), 'other')
})

test('a typed name is known in any case, and nothing else is', () => {
  assert.is(knownRcodeName('nxdomain'), 'NXDOMAIN')
  assert.is(knownRcodeName('Other'), 'other')
  for (const text of ['', '2', 'NXDOMIAN', 'constructor'])
    assert.is(knownRcodeName(text), undefined)
})

test.run()
