/** Goal: the questions of one turn leave in one write, framed and under their IDs, and nothing is written to a socket that is gone. Method: a socket that notes. */
import type { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Outbox } from '../../../src/upstream/stream/outbox.ts'
import { attemptFor, NotingUpstream } from '../parts.ts'

const test = suite('upstream/stream/outbox')

function noting() {
  const written: Buffer[] = []
  const socket = { destroyed: false, write: (bytes: Buffer) => written.push(bytes) }
  return { written, socket, outbox: new Outbox(socket as unknown as Socket) }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('one write for a turn, another for the next', async () => {
  const { written, outbox } = noting()
  const attempts = ['one.example', 'two.example'].map((name) =>
    attemptFor(new NotingUpstream('tcp'), undefined, { name }),
  )
  for (const [i, attempt] of attempts.entries()) {
    attempt.id = 0x1234 + i
    outbox.add(attempt)
  }
  assert.is(written.length, 0)
  await turn()
  assert.is(written.length, 1)
  const frames = attempts.map(({ frame, id }) => {
    const framed = Buffer.concat([Buffer.alloc(2), frame])
    framed.writeUInt16BE(frame.length, 0)
    framed.writeUInt16BE(id, 2)
    return framed
  })
  assert.equal(written[0], Buffer.concat(frames))
  outbox.add(attempts[0] as (typeof attempts)[0])
  await turn()
  assert.equal(written[1], frames[0])
})

test('nothing is written once the socket is gone', async () => {
  const { written, outbox, socket } = noting()
  outbox.add(attemptFor(new NotingUpstream('tcp')))
  socket.destroyed = true
  await turn()
  assert.is(written.length, 0)
})

test.run()
