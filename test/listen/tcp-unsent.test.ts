/** Goal: what clients do not read cannot fill the memory, nor can one client's unread replies silence others. Method: connections of several clients that are plain counts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { holderFor } from '../../src/core/sharing/claim.ts'
import { Shares } from '../../src/core/sharing/shares.ts'
import { TcpUnsent } from '../../src/listen/tcp-unsent.ts'

const test = suite('listen/tcp-unsent')
const queueBytesMax = 65_536

/** Fills as a client that never reads. @returns bytes that wait at the end */
function fill(unsent: TcpUnsent, replyBytes = 1000): number {
  let bytes = 0
  while (unsent.hasRoom(bytes)) {
    bytes += replyBytes
    unsent.note(bytes)
  }
  return bytes
}

test('alone a connection has its queue', () => {
  const unsent = new TcpUnsent('10.0.0.1', new Shares(1e6), queueBytesMax)
  assert.is(fill(unsent), 66_000)
})

test('a client leaves half of the memory to others, over however many connections', () => {
  const shares = new Shares(600_000)
  const open = (client: string) => new TcpUnsent(client, shares, queueBytesMax)
  let left = 0
  for (let i = 0; i < 50; i++) left += fill(open('10.0.0.1'))
  assert.ok(left >= 300_000 && left <= 300_000 + 50 * 5000, `${left} bytes`)
  const other = open('10.0.0.2')
  assert.is(other.hasRoom(40_000), true, 'who comes later')
  other.note(40_000)
})

test('each connection has a little whatever others do', () => {
  const shares = new Shares(100_000)
  for (let i = 0; i < 30; i++) fill(new TcpUnsent('10.0.0.1', shares, queueBytesMax))
  const more = new TcpUnsent('10.0.0.1', shares, queueBytesMax)
  assert.equal([more.hasRoom(4096), more.hasRoom(4097)], [true, false])
})

test('replies in flight are kept up to a bound, which is lower when no memory is free', () => {
  const shares = new Shares(1e6)
  const one = new TcpUnsent('10.0.0.1', shares, queueBytesMax)
  assert.equal(
    [one.isTooMuch(8 * queueBytesMax), one.isTooMuch(8 * queueBytesMax + 1)],
    [false, true],
  )
  new TcpUnsent('10.0.0.2', shares, queueBytesMax).note(1e6)
  assert.equal([one.isTooMuch(queueBytesMax), one.isTooMuch(queueBytesMax + 1)], [false, true])
})

test('what was taken or ended is free again', () => {
  const shares = new Shares(1e6)
  const unsent = new TcpUnsent('10.0.0.1', shares, queueBytesMax)
  for (const bytes of [500_000, 100, 0, 900_000, 0]) {
    unsent.note(bytes)
    assert.is(shares.taken, bytes)
  }
  assert.is(shares.of(holderFor('10.0.0.1')), 0)
})

test.run()
