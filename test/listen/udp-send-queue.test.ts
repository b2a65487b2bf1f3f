/*
 * Goal: replies leave in order, each once, to whom they are for; what the kernel has no room for is kept within a bound, and what it
 * refuses is counted and passed over. Method: system calls that take as many as the test says, and note what they took.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { UdpCounts } from '../../src/listen/udp-counts.ts'
import { SendQueue } from '../../src/listen/udp-send-queue.ts'
import { Linux } from '../../src/system/linux.ts'
import { batchSlots, MessageBatch } from '../../src/system/message-batch.ts'
import { encodeName, portOf } from '../../src/system/socket-name.ts'
import { loadSystemCalls, type SystemCalls, type Watch } from '../../src/system/system-calls.ts'

const test = suite('listen/udp-send-queue')

const enobufs = 105
const eperm = 1

/** Takes what it is given until the script says something else: how many it takes, or minus an errno. */
class Kernel {
  readonly script: number[] = []
  readonly took: string[] = []
  readonly writable: boolean[] = []
  readonly counts = new UdpCounts()
  readonly batch: MessageBatch
  readonly queue: SendQueue
  private readonly retry: MessageBatch

  constructor(max = 100) {
    const system = loadSystemCalls()
    const sendMessages: SystemCalls['sendMessages'] = (fd, headers, count) =>
      this.send(fd, headers, count)
    const calls: SystemCalls = { ...system, sendMessages }
    const watch: Watch = {
      ...idleWatch,
      setWritable: (isWanted) => this.writable.push(isWanted),
    }
    this.batch = new MessageBatch(calls, 16, false)
    this.retry = new MessageBatch(calls, 16, false)
    const { counts, retry } = this
    this.queue = new SendQueue({ calls, fd: 7, watch, counts, max, retry })
  }

  /** Sends replies, `<prefix><n>` to port n each. */
  reply(prefix: string, count: number): void {
    for (let n = 0; n < count; n++) {
      const text = `${prefix}${n}`
      this.batch.slots[n]?.write(text, 'latin1')
      this.batch.setLength(n, text.length)
      const peer = encodeName({ address: '10.0.0.1', port: n, family: 4 }, Linux.afInet)
      this.batch.memory.set(peer, this.batch.nameAt(n))
    }
    this.queue.send(this.batch, count)
    // They are free again on return: the next batch overwrites them.
    for (const slot of this.batch.slots) slot.fill(0xee, 0, 16)
  }

  private send(fd: number, headers: Uint8Array, count: number): number {
    assert.is(fd, 7)
    const result = Math.min(this.script.shift() ?? count, count)
    const batch = headers.buffer === this.batch.memory.buffer ? this.batch : this.retry
    const from = headers.byteOffset / 64
    for (let slot = from; slot < from + result; slot++) {
      const text = batch.slots[slot]?.toString('latin1', 0, batch.lengthOf(slot))
      this.took.push(`${text}>${portOf(batch.memory, batch.nameAt(slot))}`)
    }
    return result
  }
}

const idleWatch: Watch = {
  setReadable: () => undefined,
  setWritable: () => undefined,
  close: async () => undefined,
}

const told = (prefix: string, count: number, from = 0) =>
  Array.from({ length: count - from }, (_, i) => `${prefix}${from + i}>${from + i}`)

test('a batch that the kernel takes is sent and counted, and nothing is watched', () => {
  const kernel = new Kernel()
  kernel.reply('a', 3)
  assert.equal(kernel.took, told('a', 3))
  assert.equal([kernel.counts.sent, kernel.writable], [3, []])
})

test('a batch that is taken in parts is sent whole, in order', () => {
  const kernel = new Kernel()
  kernel.script.push(2, 1)
  kernel.reply('a', 6)
  assert.equal(kernel.took, told('a', 6))
  assert.is(kernel.counts.sent, 6)
})

test('what the kernel has no room for waits until it has, and goes to whom it was for', () => {
  const kernel = new Kernel()
  kernel.script.push(2, -Linux.eagain)
  kernel.reply('a', 5)
  assert.equal([kernel.took.length, kernel.counts.sent, kernel.writable], [2, 2, [true]])
  kernel.queue.onWritable()
  assert.equal(kernel.took, told('a', 5))
  assert.equal([kernel.counts.sent, kernel.writable], [5, [true, false]])
})

test('nobody overtakes those who wait', () => {
  const kernel = new Kernel()
  kernel.script.push(-Linux.eagain)
  kernel.reply('a', 2)
  kernel.reply('b', 2)
  assert.equal(kernel.took, [])
  kernel.queue.onWritable()
  assert.equal(kernel.took, [...told('a', 2), ...told('b', 2)])
  kernel.reply('c', 1)
  assert.equal(kernel.took.slice(4), told('c', 1), 'and then all goes as before')
  assert.equal(kernel.writable, [true, false])
})

test('those who wait and are not taken wait on, without those who were', () => {
  const kernel = new Kernel()
  kernel.script.push(-Linux.eagain)
  kernel.reply('a', 4)
  kernel.script.push(3, -Linux.eagain)
  kernel.queue.onWritable()
  assert.equal([kernel.took, kernel.writable], [told('a', 3), [true]])
  kernel.queue.onWritable()
  assert.equal(kernel.took, told('a', 4))
})

test('more than a batch may wait, and is sent in as many', () => {
  const kernel = new Kernel(1000)
  kernel.script.push(-Linux.eagain)
  kernel.reply('a', batchSlots)
  kernel.reply('b', batchSlots)
  kernel.queue.onWritable()
  assert.equal(kernel.took, [...told('a', batchSlots), ...told('b', batchSlots)])
})

test('above the bound the newest are dropped, and counted', () => {
  const kernel = new Kernel(3)
  kernel.script.push(-Linux.eagain)
  kernel.reply('a', 5)
  assert.is(kernel.counts.queueDrops, 2)
  kernel.queue.onWritable()
  assert.equal(kernel.took, told('a', 3))
  kernel.reply('b', 1)
  assert.equal([kernel.took.length, kernel.counts.queueDrops], [4, 2])
})

test('with no room to wait at all, what cannot be sent is dropped', () => {
  const kernel = new Kernel(0)
  kernel.script.push(1, -Linux.eagain)
  kernel.reply('a', 3)
  assert.equal([kernel.counts.queueDrops, kernel.writable], [2, []])
})

test('an error is about the first one alone: it is counted by its name, and the rest is sent', () => {
  const kernel = new Kernel()
  kernel.script.push(1, -eperm, -enobufs)
  kernel.reply('a', 5)
  assert.equal(kernel.took, ['a0>0', ...told('a', 5, 3)])
  assert.equal(
    [...kernel.counts.sendErrors],
    [
      ['EPERM', 1],
      ['ENOBUFS', 1],
    ],
  )
  assert.is(kernel.counts.sent, 3)
})

test('an interrupted call is made again', () => {
  const kernel = new Kernel()
  kernel.script.push(-Linux.eintr, -Linux.eintr)
  kernel.reply('a', 2)
  assert.equal([kernel.took, kernel.counts.sendErrors.size], [told('a', 2), 0])
})

test('an error among those who waited costs that one', () => {
  const kernel = new Kernel()
  kernel.script.push(-Linux.eagain)
  kernel.reply('a', 3)
  kernel.script.push(-eperm)
  kernel.queue.onWritable()
  assert.equal([kernel.took, kernel.writable], [told('a', 3, 1), [true, false]])
})

test.run()
