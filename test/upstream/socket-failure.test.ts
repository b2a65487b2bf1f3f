/** Goal: an error of a socket is named by what it means for the question. Method: each code once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failureOf } from '../../src/upstream/socket-failure.ts'

const test = suite('upstream/socket-failure')

const errors: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  EMFILE: 'overloaded',
  ENFILE: 'overloaded',
  ENOBUFS: 'overloaded',
  ENOMEM: 'overloaded',
  EADDRINUSE: 'overloaded',
  EADDRNOTAVAIL: 'overloaded',
  EAGAIN: 'overloaded',
  ETIMEDOUT: 'connect-timeout',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EPERM: 'unreachable',
}

for (const [code, why] of Object.entries(errors)) {
  test(`${code} means ${why}`, () => {
    assert.is(failureOf(Object.assign(new Error(code), { code })), why)
  })
}

test('an error without a code means unreachable', () => {
  assert.is(failureOf(new Error('odd')), 'unreachable')
})

test.run()
