/** Goal: one query has one way back, and complaints are told from answers. Method: replies by their headers. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HeldReply, isComplaint } from '../../src/listen/tcp-replies.ts'

const test = suite('listen/tcp-replies')

test('only the first reply is sent', () => {
  const sent: Uint8Array[] = []
  const held = new HeldReply({ answer: (reply) => sent.push(reply) })
  held.send(Uint8Array.of(1))
  held.send(Uint8Array.of(2))
  assert.equal(sent, [Uint8Array.of(1)])
})

test('FORMERR and NOTIMP are complaints, whatever the flags beside them; no other code is', () => {
  const complaints = Array.from({ length: 256 }, (_, flags2) => flags2).filter((flags2) =>
    isComplaint(Uint8Array.of(0, 0, 0x80, flags2)),
  )
  assert.equal(new Set(complaints.map((flags2) => flags2 & 0x0f)), new Set([1, 4]))
  assert.is(complaints.length, 32)
})

test.run()
