/** Goal: ready means every part is, and otherwise each says why. Method: states in, reasons out. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Readiness, reasonsNotReady } from '../../src/observe/readiness.ts'

const test = suite('observe/readiness')

test('a daemon without parts is not ready', () => {
  assert.is(reasonsNotReady(new Map()).length, 1)
})

test('every part that is not ready gives its reason, the others none', () => {
  const reasons = reasonsNotReady(
    new Map([
      ['udp 127.0.0.1:53', { kind: 'ready' }],
      ['self-query', { kind: 'waiting', for: 'an answer' }],
      ['tcp [::1]:53', { kind: 'failed', why: 'address is taken' }],
      ['drain', { kind: 'stopping' }],
    ]),
  )
  assert.equal(reasons, [
    'self-query: waiting for an answer',
    'tcp [::1]:53: address is taken',
    'drain: stopping',
  ])
})

test('started stays true once everything was ready', () => {
  const readiness = new Readiness()
  readiness.set('udp', { kind: 'waiting', for: 'its socket' })
  assert.is(readiness.isStarted, false)
  readiness.set('udp', { kind: 'ready' })
  assert.is(readiness.isStarted, true)
  readiness.set('udp', { kind: 'stopping' })
  assert.is(readiness.isStarted, true)
  assert.equal(readiness.reasons(), ['udp: stopping'])
})

test('the start does not wait for a part that only brings pods here', () => {
  const readiness = new Readiness(['interception'])
  readiness.set('interception', { kind: 'waiting', for: 'its first renewal' })
  assert.is(readiness.isStarted, false, 'nothing serves yet')
  readiness.set('listeners', { kind: 'waiting', for: 'their sockets' })
  assert.is(readiness.isStarted, false)
  readiness.set('listeners', { kind: 'ready' })
  assert.is(readiness.isStarted, true)
  assert.equal(readiness.reasons(), ['interception: waiting for its first renewal'])
})

test('a part that is removed has no say any more', () => {
  const readiness = new Readiness()
  readiness.set('udp a', { kind: 'ready' })
  readiness.set('udp b', { kind: 'failed', why: 'gone' })
  readiness.remove('udp b')
  assert.equal(readiness.reasons(), [])
})

test.run()
