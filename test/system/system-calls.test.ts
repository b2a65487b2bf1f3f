/**
 * Goal: calls give what C gives with errno as a negative number, and what a watched descriptor's callback queues runs at once.
 * Method: real descriptors of this process.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Linux } from '../../src/system/linux.ts'
import { boundPort, openUdpSocket } from '../../src/system/open-socket.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { openOn } from '../handover/pair.ts'
import { until } from '../support/process.ts'

const test = suite('system/system-calls')

const calls = loadSystemCalls()
const loopback = { address: '127.0.0.1', port: 0, family: 4 } as const
const notOpen = 1_000_000
const ebadf = 9

async function sendTo(fd: number, text: string): Promise<void> {
  const sender = createSocket('udp4')
  sender.send(text, boundPort(calls, fd, 4), loopback.address, () => sender.close())
  await once(sender, 'close')
}

test('the library is loaded once', () => {
  assert.is(loadSystemCalls(), calls)
})

test('a failure is the number of errno below zero, of each call its own', async () => {
  const bytes = Buffer.alloc(16)
  assert.is(calls.closeDescriptor(notOpen), -ebadf)
  assert.is(calls.duplicate(notOpen), -ebadf)
  assert.is(calls.getIntOption(notOpen, Linux.solSocket, Linux.soRcvBuf), -ebadf)
  assert.is(calls.receive(notOpen, bytes), -ebadf)
  assert.is(await calls.sendElsewhere(notOpen, bytes), -ebadf, 'errno of another thread')
  const afNone = 97
  assert.is(calls.socket(9999, Linux.sockDgram), -afNone)
})

test('a socket without datagrams does not make the caller wait', () => {
  const fd = openUdpSocket(calls, loopback)
  assert.is(calls.receive(fd, Buffer.alloc(16)), -Linux.eagain)
  calls.closeDescriptor(fd)
})

test('a datagram is cut to the buffer', async () => {
  const fd = openUdpSocket(calls, loopback)
  await sendTo(fd, 'question')
  const into = Buffer.alloc(4)
  await until('it came', () => calls.receive(fd, into) === 4)
  assert.is(into.toString(), 'ques')
  assert.is(calls.receive(fd, into), -Linux.eagain, 'the rest is gone')
  calls.closeDescriptor(fd)
})

test('options are set and read as numbers', () => {
  const fd = openUdpSocket(calls, loopback)
  const wanted = 65_536
  calls.setOption(fd, Linux.solSocket, Linux.soRcvBuf, new Uint8Array(Int32Array.of(wanted).buffer))
  // The kernel doubles it for its own book-keeping (socket(7)).
  assert.is(calls.getIntOption(fd, Linux.solSocket, Linux.soRcvBuf), 2 * wanted)
  calls.closeDescriptor(fd)
})

test('a duplicate is another descriptor of the same socket, and is not inherited by programs', async () => {
  const fd = openUdpSocket(calls, loopback)
  const other = calls.duplicate(fd)
  assert.is.not(other, fd)
  assert.is(openOn(other), openOn(fd))
  const { readFileSync } = await import('node:fs')
  const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${other}`, 'latin1'))?.[1]
  assert.ok((Number.parseInt(flags ?? '0', 8) & Linux.sockCloExec) !== 0, flags)
  calls.closeDescriptor(fd)
  assert.ok(boundPort(calls, other, 4) > 0)
  calls.closeDescriptor(other)
})

test('memory over an ArrayBuffer of its own has an address that stays', () => {
  const memory = Buffer.from(new ArrayBuffer(64))
  const at = calls.addressOf(memory)
  assert.is(calls.addressOf(memory), at)
  assert.is(calls.addressOf(memory.subarray(8)), at + 8n)
})

test('pages that are not mapped cannot be dropped', () => {
  const [einval, enomem] = [22, 12]
  assert.is(calls.dropPages(1n, 4096), -einval, 'not at the begin of a page')
  assert.is(calls.dropPages(4096n, 4096), -enomem)
})

test('a watched socket tells that it can be read, until it is told to stop', async () => {
  const fd = openUdpSocket(calls, loopback)
  const into = Buffer.alloc(16)
  let told = 0
  const watch = calls.watch(fd, () => {
    told += 1
    calls.receive(fd, into)
  })
  await sendTo(fd, 'one')
  await until('it is told', () => told === 1)
  watch.setReadable(false)
  await sendTo(fd, 'two')
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.is(told, 1)
  watch.setReadable(true)
  await until('it is told of what came meanwhile', () => told === 2)
  await watch.close()
  await sendTo(fd, 'three')
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.is(told, 2)
  assert.ok(openOn(fd) !== undefined, 'the descriptor is the caller’s to close')
  calls.closeDescriptor(fd)
})

test('a watched socket tells that it can be written to only while that is wanted', async () => {
  const fd = openUdpSocket(calls, loopback)
  const events: boolean[] = []
  const watch = calls.watch(fd, (isWritable) => {
    events.push(isWritable)
    if (isWritable) watch.setWritable(false)
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(events, [])
  watch.setWritable(true)
  await until('it is told', () => events.length === 1)
  assert.equal(events, [true])
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(events, [true])
  await watch.close()
  calls.closeDescriptor(fd)
})

test('ticks and promise jobs of a watch callback run as soon as it returns', async () => {
  const fd = openUdpSocket(calls, loopback)
  const order: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const watch = calls.watch(fd, () => {
    calls.receive(fd, Buffer.alloc(16))
    setImmediate(() => {
      order.push('immediate')
      resolve()
    })
    process.nextTick(() => order.push('tick'))
    void Promise.resolve().then(() => order.push('job'))
    order.push('callback')
  })
  await sendTo(fd, 'x')
  await promise
  assert.equal(order, ['callback', 'tick', 'job', 'immediate'])
  await watch.close()
  calls.closeDescriptor(fd)
})

test('a descriptor that cannot be watched throws with the name of the call', () => {
  assert.throws(() => calls.watch(notOpen, () => undefined), /uv_poll EBADF/)
})

test.run()
