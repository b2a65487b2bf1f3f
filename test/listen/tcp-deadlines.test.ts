/** Goal: each limit in time ends a connection when it should, and only what it is about. Method: given times, each limit at its boundary. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TcpDeadlines } from '../../src/listen/tcp-deadlines.ts'
import type { TcpSessionSettings } from '../../src/listen/tcp-settings.ts'

const test = suite('listen/tcp-deadlines')

const at = 1_000_000
const settings: TcpSessionSettings = {
  idleMs: 10_000,
  messageMs: 2000,
  pipelineMax: 100,
  writeQueueBytesMax: 65_536,
  writeStallMs: 5000,
  malformedMax: 8,
  lifetimeMs: 300_000,
}

const deadlines = () => new TcpDeadlines(settings, at)

test('a connection that asks nothing is idle after its time', () => {
  assert.is(deadlines().toFinish(at + 9999, true), undefined)
  assert.is(deadlines().toFinish(at + 10_000, true), 'idle')
})

test('activity puts idleness off', () => {
  const connection = deadlines()
  connection.active(at + 5000)
  assert.is(connection.toFinish(at + 14_999, true), undefined)
  assert.is(connection.toFinish(at + 15_000, true), 'idle')
})

test('a message has its time from its first piece, whatever drips after it', () => {
  const connection = deadlines()
  connection.messageUnfinished(at + 1000)
  connection.messageUnfinished(at + 2900)
  assert.is(connection.toFinish(at + 2999, true), undefined)
  assert.is(connection.toFinish(at + 3000, true), 'message-timeout')
})

test('a message that is done has no time any more, and the next has its own', () => {
  const connection = deadlines()
  connection.messageUnfinished(at + 1000)
  connection.messageDone()
  assert.is(connection.toFinish(at + 9000, true), undefined)
  connection.messageUnfinished(at + 9000)
  assert.is(connection.toFinish(at + 10_999, true), undefined)
  assert.is(connection.toFinish(at + 11_000, true), 'message-timeout')
})

test('while we do not read, the client cannot finish its message', () => {
  const connection = deadlines()
  connection.messageUnfinished(at)
  assert.is(connection.toFinish(at + 60_000, false), undefined, 'nor is it idle')
  assert.is(connection.toFinish(at + 60_000, true), 'message-timeout')
})

test('a connection ends with its lifetime, however busy', () => {
  const connection = deadlines()
  connection.active(at + 299_999)
  assert.is(connection.toFinish(at + 299_999, true), undefined)
  assert.is(connection.toFinish(at + 300_000, true), 'lifetime')
  connection.messageUnfinished(at + 299_999)
  assert.is(connection.toFinish(at + 300_000, false), 'lifetime')
})

test('the message is what is blamed when several limits have passed', () => {
  const connection = deadlines()
  connection.messageUnfinished(at)
  assert.is(connection.toFinish(at + 300_000, true), 'message-timeout')
  assert.is(deadlines().toFinish(at + 300_000, true), 'lifetime')
})

test('a client that leaves its replies lying is stalled, from the first that waits', () => {
  const connection = deadlines()
  assert.is(connection.isStalled(at + 100_000), false)
  connection.writeBlocked(at + 1000)
  connection.writeBlocked(at + 5000)
  assert.is(connection.isStalled(at + 5999), false)
  assert.is(connection.isStalled(at + 6000), true)
})

test('replies that were taken stall nobody, and those after them have their own time', () => {
  const connection = deadlines()
  connection.writeBlocked(at)
  connection.writeDone()
  assert.is(connection.isStalled(at + 100_000), false)
  connection.writeBlocked(at + 100_000)
  assert.is(connection.isStalled(at + 104_999), false)
  assert.is(connection.isStalled(at + 105_000), true)
})

test('an ending connection has the time of a stalled write before our FIN, and that of a message after it', () => {
  const connection = deadlines()
  connection.ending(at + 1000)
  assert.is(connection.hasLingered(at + 5999, false), false)
  assert.is(connection.hasLingered(at + 6000, false), true)
  assert.is(connection.hasLingered(at + 2999, true), false)
  assert.is(connection.hasLingered(at + 3000, true), true)
  connection.ending(at + 4000)
  assert.is(connection.hasLingered(at + 5999, true), false, 'from our FIN on')
})

test.run()
