// Goal: descriptors arrive as the same sockets, in order, however many. Method: a Unix socket pair of this process that Node does not read.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { descriptorOf } from '../../src/handover/meeting-point.ts'
import { errorCode } from '../../src/system/bind.ts'
import { peerUser, receiveDescriptors, sendDescriptors } from '../../src/system/descriptor-mail.ts'
import { openUdpSocket } from '../../src/system/open-socket.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { openOn, socketPair } from '../handover/pair.ts'

const test = suite('system/descriptor-mail')

const calls = loadSystemCalls()

/** Both ends as descriptors; Node would throw away what it reads with a message. */
async function mail() {
  const { near, far, close } = await socketPair()
  far.pause()
  return { near: descriptorOf(near), far: descriptorOf(far), close }
}

function openSockets(count: number): number[] {
  const loopback = { address: '127.0.0.1', port: 0, family: 4 } as const
  return Array.from({ length: count }, () => openUdpSocket(calls, loopback))
}

function closeAll(descriptors: readonly number[]): void {
  for (const fd of descriptors) calls.closeDescriptor(fd)
}

for (const count of [1, 2, 63, 64, 65, 130]) {
  test(`${count} descriptors arrive in their order, as the very sockets`, async () => {
    const { near, far, close } = await mail()
    const sent = openSockets(count)
    sendDescriptors(calls, near, sent)
    const received = receiveDescriptors(calls, far, count)
    assert.equal(received.map(openOn), sent.map(openOn))
    assert.is(new Set([...sent, ...received]).size, 2 * count, 'descriptors of our own')
    closeAll(sent)
    assert.ok(
      received.every((fd) => openOn(fd) !== undefined),
      'they live on',
    )
    closeAll(received)
    close()
  })
}

test('fewer than were wanted are those that came', async () => {
  const { near, far, close } = await mail()
  assert.equal(receiveDescriptors(calls, far, 1), [], 'nothing has been sent')
  const sent = openSockets(2)
  sendDescriptors(calls, near, sent)
  const received = receiveDescriptors(calls, far, 3)
  assert.is(received.length, 2)
  closeAll([...sent, ...received])
  close()
})

test('descriptors of the next message are left for the next call', async () => {
  const { near, far, close } = await mail()
  const sent = openSockets(2)
  for (const fd of sent) sendDescriptors(calls, near, [fd])
  const first = receiveDescriptors(calls, far, 1)
  const second = receiveDescriptors(calls, far, 1)
  assert.equal(
    [first.map(openOn), second.map(openOn)],
    sent.map((fd) => [openOn(fd)]),
  )
  closeAll([...sent, ...first, ...second])
  close()
})

test('no descriptors are no message', async () => {
  const { near, far, close } = await mail()
  sendDescriptors(calls, near, [])
  assert.equal(receiveDescriptors(calls, far, 1), [])
  close()
})

test('bytes without descriptors end the receiving', async () => {
  const { near, far, close } = await socketPair()
  far.pause()
  near.write('no descriptors')
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(receiveDescriptors(calls, descriptorOf(far), 1), [])
  close()
})

test('a descriptor that is not open, and an end that has gone, throw with the name of errno', async () => {
  const { near, far, close } = await socketPair()
  // Node closes its own when the other end has gone.
  const connection = calls.duplicate(descriptorOf(near))
  const codeOf = (work: () => void) => {
    try {
      work()
    } catch (error) {
      return errorCode(error)
    }
    return 'sent'
  }
  assert.is(
    codeOf(() => sendDescriptors(calls, connection, [1_000_000])),
    'EBADF',
  )
  const sent = openSockets(1)
  far.destroy()
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.is(
    codeOf(() => sendDescriptors(calls, connection, sent)),
    'EPIPE',
  )
  closeAll(sent)
  close()
})

test('the user at the other end is told by the kernel, for Unix sockets alone', async () => {
  const { near, close } = await mail()
  assert.is(peerUser(calls, near), process.geteuid?.())
  assert.is(peerUser(calls, 1_000_000), undefined)
  close()
})

test.run()
