/** Goal: every reason for which a connection ends has a counter that begins at 0, and listeners do not share them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TcpCounts, tcpCloseReasons } from '../../src/listen/tcp-stats.ts'

const test = suite('listen/tcp-stats')

test('each reason has its counter, in the order of the list', () => {
  const counts = new TcpCounts()
  assert.equal(Object.keys(counts.closed), [...tcpCloseReasons])
  assert.ok(Object.values(counts.closed).every((count) => count === 0))
  const { accepted, open, refused, received, sent, handlerDefects, acceptErrors } = counts
  assert.equal(
    [accepted, open, refused, received, sent, handlerDefects, acceptErrors.size],
    [0, 0, 0, 0, 0, 0, 0],
  )
})

test('two listeners count apart', () => {
  const counts = new TcpCounts()
  counts.closed.idle += 1
  counts.acceptErrors.set('EMFILE', 1)
  assert.equal([new TcpCounts().closed.idle, new TcpCounts().acceptErrors.size], [0, 0])
})

test.run()
