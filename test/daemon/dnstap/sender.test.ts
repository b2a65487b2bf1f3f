/** Goal: a reader that is slow, gone or none at all costs bounded memory and no waiting. Method: a reader that the test plays at a real socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Control, controlFrame, dataFrame } from '../../../src/daemon/dnstap/frames.ts'
import { DnstapSender } from '../../../src/daemon/dnstap/sender.ts'
import { until } from '../../support/process.ts'

const test = suite('daemon/dnstap/sender')
const [ready, start, stop] = [Control.ready, Control.start, Control.stop].map(controlFrame)

test('after the agreement the reader gets all that waited, in order, and goodbye at the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-sender-'))
  const path = join(folder, 'tap.sock')
  const received: Buffer[] = []
  const has = (...parts: (Buffer | undefined)[]) =>
    Buffer.concat(received).equals(Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))))
  const peers: Socket[] = []
  const server = createServer((socket) => {
    peers.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => received.push(bytes))
  }).listen(path)
  const sender = new DnstapSender({ path }, 65_536)
  try {
    await until('it asks', () => has(ready))
    sender.send(Buffer.from('one'))
    sender.send(Buffer.from('two'))
    assert.not(sender.hasRoom(65_536))
    assert.is(sender.counts.sent, 0)
    peers[0]?.write(controlFrame(Control.accept))
    const whole = [ready, start, dataFrame(Buffer.from('one')), dataFrame(Buffer.from('two'))]
    await until('it has all', () => has(...whole))
    assert.equal(sender.counts, { sent: 2, dropped: 0, isConnected: true })
    peers[0]?.destroy()
    await until('it comes again', () => peers.length === 2)
    peers[1]?.write(controlFrame(Control.accept))
    await until('it is accepted', () => sender.counts.isConnected)
    sender.stop()
    await until('it says goodbye', () => has(...whole, ready, start, stop))
  } finally {
    sender.stop()
    for (const peer of peers) peer.destroy()
    server.close()
    rmSync(folder, { recursive: true })
  }
})

test.run()
