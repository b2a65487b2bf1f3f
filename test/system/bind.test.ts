// Goal: a failed bind is one line that says what, where and why. Method: errors as Node makes them against the literal line.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BindError, countCode, errorCode } from '../../src/system/bind.ts'

const test = suite('system/bind')

const failed = (code: string) => Object.assign(new Error(`bind ${code}`), { code })

const lines: [string, string, 4 | 6, string][] = [
  [
    'EADDRINUSE',
    '127.0.0.1',
    4,
    'cannot listen on udp 127.0.0.1:53: another process has this port (EADDRINUSE)',
  ],
  [
    'EADDRNOTAVAIL',
    'fd00::a',
    6,
    'cannot listen on udp [fd00::a]:53: this address is not on any interface of the machine (EADDRNOTAVAIL)',
  ],
  ['EINVAL', '::1', 6, 'cannot listen on udp [::1]:53: bind EINVAL (EINVAL)'],
]
for (const [code, address, family, line] of lines) {
  test(`${code} at ${address} is told in one line`, () => {
    const error = new BindError('udp', { address, port: 53, family }, failed(code))
    assert.is(error.message, line)
    assert.is(error.code, code)
  })
}

test('an error without a code is UNKNOWN, and counts are kept by code', () => {
  const counts = new Map<string, number>()
  for (const error of [failed('EPERM'), new Error('odd'), failed('EPERM'), 'text'])
    countCode(counts, errorCode(error))
  assert.equal(
    [...counts],
    [
      ['EPERM', 2],
      ['UNKNOWN', 2],
    ],
  )
})

test.run()
