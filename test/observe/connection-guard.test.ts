/** Goal: nobody can keep others from the admin server by holding connections. Method: sockets that are nothing but their addresses. */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConnectionGuard } from '../../src/observe/connection-guard.ts'

const test = suite('observe/connection-guard')

class FakeSocket extends EventEmitter {
  readonly localAddress = '10.0.0.1'
  readonly remoteAddress: string
  isOpen = true

  constructor(remoteAddress: string) {
    super()
    this.remoteAddress = remoteAddress
  }

  get destroyed(): boolean {
    return !this.isOpen
  }

  destroy(): void {
    if (!this.isOpen) return
    this.isOpen = false
    setImmediate(() => this.emit('close'))
  }
}

function guarded() {
  const guard = new ConnectionGuard({
    remoteMax: 6,
    perAddressMax: 3,
    localMax: 2,
    requestsMax: 2,
  })
  const from = (address: string) => {
    const fake = new FakeSocket(address)
    // The guard uses nothing of a socket beyond what a FakeSocket has.
    const socket = fake as unknown as Socket
    guard.admit(socket)
    return { fake, socket }
  }
  const isOpen = (...all: ReturnType<typeof from>[]) => all.map(({ fake }) => fake.isOpen)
  return { guard, from, isOpen }
}

test('an address that has its share loses its own oldest silent connection, others keep theirs', () => {
  const { from, isOpen } = guarded()
  const other = from('10.0.0.3')
  const own = [from('10.0.0.2'), from('10.0.0.2'), from('10.0.0.2'), from('10.0.0.2')]
  assert.equal(isOpen(other, ...own), [true, false, true, true, true])
})

test('when all places are taken the oldest that never asked goes, before any that has', () => {
  const { guard, from, isOpen } = guarded()
  const all = [1, 2, 3, 4, 5, 6].map((i) => from(`10.0.1.${i}`))
  const [scraper] = all
  if (scraper === undefined) throw new Error('no connection')
  guard.busy(scraper.socket)
  guard.idle(scraper.socket)
  from('10.0.1.7')
  assert.equal(isOpen(...all), [true, false, true, true, true, true])
  assert.is(guard.size, 6)
})

test('a request in hand is never interrupted: where all have one, the newcomer goes', () => {
  const { guard, from, isOpen } = guarded()
  const busy = [1, 2, 3, 4, 5, 6].map((i) => from(`10.0.1.${i}`))
  for (const { socket } of busy) guard.busy(socket)
  assert.equal(isOpen(from('10.0.1.7')), [false])
  const [first] = busy
  if (first === undefined) throw new Error('no connection')
  guard.busy(first.socket)
  guard.idle(first.socket)
  assert.equal(isOpen(from('10.0.1.8'), first), [false, true], 'one of two requests is answered')
  guard.idle(first.socket)
  assert.equal(isOpen(from('10.0.1.9'), first), [true, false])
})

test('a connection with more requests in hand than it may have goes, and nothing more of it is answered', () => {
  const { guard, from, isOpen } = guarded()
  const one = from('10.0.1.1')
  assert.equal([guard.busy(one.socket), guard.busy(one.socket)], [true, true])
  guard.idle(one.socket)
  assert.ok(guard.busy(one.socket), 'an answered request makes room')
  assert.equal(isOpen(one), [true])
  assert.not.ok(guard.busy(one.socket))
  assert.equal(isOpen(one), [false])
  guard.idle(one.socket)
  assert.not.ok(guard.busy(one.socket), 'it is being closed')
})

test('this node has places of its own, under its address and under loopback', () => {
  const { guard, from, isOpen } = guarded()
  const others = [1, 2, 3, 4, 5, 6].map((i) => from(`10.0.1.${i}`))
  for (const { socket } of others) guard.busy(socket)
  const probes = [from('10.0.0.1'), from('127.0.0.1'), from('::1')]
  assert.equal(isOpen(...others, ...probes), [...others.map(() => true), false, true, true])
})

test('places of connections that have ended are free again', async () => {
  const { guard, from, isOpen } = guarded()
  const { fake } = from('10.0.0.2')
  fake.destroy()
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(guard.size, 0)
  assert.equal(isOpen(from('10.0.0.2'), from('10.0.0.2'), from('10.0.0.2')), [true, true, true])
})

test.run()
