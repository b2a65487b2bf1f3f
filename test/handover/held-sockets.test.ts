/**
 * Goal: each address has one socket however often it is asked for, and it lives until the last one who has it closes.
 * Method: real sockets on the loopback; a descriptor is known by the inode of its socket.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { constants } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HeldSockets } from '../../src/handover/held-sockets.ts'
import { BindError, type ListenAddress } from '../../src/system/bind.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { freePort } from '../support/free-port.ts'
import { openOn } from './pair.ts'

const test = suite('handover/held-sockets')

const calls = loadSystemCalls()
const loopback: ListenAddress = { address: '127.0.0.1', port: 0, family: 4 }
const other: ListenAddress = { address: '127.0.0.2', port: 0, family: 4 }

test('each caller gets a descriptor of its own for the same socket, and the port that the kernel chose', () => {
  const held = new HeldSockets(calls)
  const first = held.obtain('udp', loopback)
  const second = held.obtain('udp', loopback)
  assert.is.not(first.fd, second.fd)
  assert.is(openOn(first.fd), openOn(second.fd))
  assert.ok(first.address.port > 0)
  assert.equal(first.address, second.address)
  assert.equal(
    held.all.map(({ kind, wanted, number }) => ({ kind, wanted, number })),
    [{ kind: 'udp', wanted: '127.0.0.1:0', number: 0 }],
    'as configured, so that a successor finds it',
  )
  held.forget({ first, second })
  held.close()
})

test('the socket lives on in the descriptors of its callers after ours is closed', () => {
  const held = new HeldSockets(calls)
  const given = held.obtain('tcp', loopback)
  const socket = openOn(given.fd)
  held.close()
  assert.equal([held.all.length, openOn(given.fd)], [0, socket])
  calls.closeDescriptor(given.fd)
})

test('UDP follows TCP to the port that it got', () => {
  const held = new HeldSockets(calls)
  const { udp, tcp } = held.obtainBoth(loopback)
  assert.is(udp.address.port, tcp.address.port)
  assert.is.not(openOn(udp.fd), openOn(tcp.fd))
  held.forget({ udp, tcp })
  held.close()
})

test('where the kernel chooses the port, one that is taken for UDP is given up for another', () => {
  let refusals = 7
  const asked: number[] = []
  const bind: typeof calls.bind = (fd, name) => {
    const isUdp = asked.push(fd) % 2 === 0
    if (!isUdp || refusals === 0) return calls.bind(fd, name)
    refusals -= 1
    return -constants.errno.EADDRINUSE
  }
  const held = new HeldSockets({ ...calls, bind })
  const { udp, tcp } = held.obtainBoth(loopback)
  assert.is(udp.address.port, tcp.address.port)
  assert.is(held.all.length, 2)
  held.forget({ udp, tcp })
  held.close()
  refusals = 8
  assert.throws(() => held.obtainBoth(loopback), /EADDRINUSE/)
  assert.is(held.all.length, 0)
})

test('if UDP or TCP cannot be bound, nothing of the address stays open, and other addresses do', async () => {
  const port = await freePort()
  const taken = createSocket('udp4').bind(port, loopback.address)
  await once(taken, 'listening')
  const held = new HeldSockets(calls)
  const kept = held.obtainBoth(other)
  const admin = held.obtain('admin', { ...loopback, port })
  held.forget({ admin })
  held.keepOnly(({ kind }) => kind !== 'admin')
  assert.throws(
    () => held.obtainBoth({ ...loopback, port }),
    (error: unknown) => error instanceof BindError && error.code === 'EADDRINUSE',
  )
  assert.equal(
    held.all.map(({ wanted }) => wanted),
    ['127.0.0.2:0', '127.0.0.2:0'],
  )
  // The TCP port is free again.
  const again = held.obtain('tcp', { ...loopback, port })
  held.forget({ ...kept, again })
  held.close()
  taken.close()
})

test('several sockets of one UDP address share its port', () => {
  const held = new HeldSockets(calls)
  const first = held.obtainBoth(loopback, 0)
  const second = held.obtainBoth(loopback, 1)
  assert.is(first.udp.address.port, second.udp.address.port)
  assert.is.not(openOn(first.udp.fd), openOn(second.udp.fd))
  assert.is(openOn(first.tcp.fd), openOn(second.tcp.fd), 'TCP has one')
  assert.is(held.find('udp', '127.0.0.1:0', 1)?.number, 1)
  assert.is(held.find('udp', '127.0.0.1:0', 2), undefined)
  held.forget(first)
  held.forget(second)
  held.close()
})

test('a socket from a predecessor is used instead of a new one', () => {
  const before = new HeldSockets(calls)
  const given = before.obtain('udp', loopback)
  const held = new HeldSockets(calls)
  held.adopt([{ kind: 'udp', wanted: '127.0.0.1:0', number: 0, fd: given.fd }])
  const mine = held.obtain('udp', loopback)
  assert.is(openOn(mine.fd), openOn(given.fd))
  assert.is(mine.address.port, given.address.port)
  const tcp = held.obtain('tcp', loopback)
  assert.is.not(openOn(tcp.fd), openOn(given.fd), 'of another kind')
  held.forget({ mine, tcp })
  held.close()
  before.close()
})

test('a changed configuration closes the sockets that it no longer names; the admin address counts separately', () => {
  const held = new HeldSockets(calls)
  const opened = {
    one: held.obtain('udp', loopback),
    two: held.obtain('udp', other),
    admin: held.obtain('admin', loopback),
  }
  held.forget(opened)
  const left = () => held.all.map(({ kind, wanted }) => `${kind} ${wanted}`)
  held.keepFor({ listen: [loopback], admin: { listen: [loopback] } })
  assert.equal(left(), ['udp 127.0.0.1:0', 'admin 127.0.0.1:0'])
  held.keepFor({ listen: [loopback], admin: { listen: [] } })
  assert.equal(left(), ['udp 127.0.0.1:0'])
  held.keepFor({ listen: [], admin: { listen: [loopback] } })
  assert.equal(left(), [])
})

test.run()
