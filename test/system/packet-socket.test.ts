/**
 * Goal: a packet socket sees the DNS packets of the machine, all of them and no others, and says what the kernel dropped. Method: datagrams
 * between loopback addresses of this test, with the real kernel and its real filter; failures with system calls that fail.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Linux } from '../../src/system/linux.ts'
import { PacketSocket, type SeenPacket } from '../../src/system/packet-socket.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'

const test = needing(suite('system/packet-socket'), 'root')

/** Nobody else's on this machine: tests run side by side. */
const host = `127.${(process.pid >>> 8) & 255 || 1}.${process.pid & 255}.53`

/** Packets of this test. */
async function seen(body: (packets: readonly Seen[]) => Promise<void>): Promise<PacketSocket> {
  const socket = new PacketSocket(loadSystemCalls())
  const packets: Seen[] = []
  socket.start((packet) => {
    const text = packet.bytes.toString('latin1')
    const isOurs = text.includes(addressText(host)) || text.includes(mark)
    if (isOurs) packets.push({ ...packet, bytes: Buffer.from(packet.bytes) })
  })
  try {
    await body(packets)
  } finally {
    await socket.close()
  }
  return socket
}

type Seen = SeenPacket

const mark = `packet-socket of ${process.pid}`

function addressText(address: string): string {
  return Buffer.from(address.split('.').map(Number)).toString('latin1')
}

async function send(text: string, port: number, to = host): Promise<void> {
  const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4')
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.send(`${mark} ${text}`, port, to, resolve))
  socket.close()
}

test('datagrams to port 53 are seen when they come and when they go, with the time of the kernel', async () => {
  await seen(async (packets) => {
    const before = Date.now()
    await send('one', 53)
    await send('no', 5353)
    await send('two', 53, '::1')
    await until('both are seen', () => packets.length >= 4)
    const texts = packets.map(({ bytes }) => bytes.toString('latin1'))
    assert.is(texts.filter((text) => text.includes('no')).length, 0)
    const versions = packets.map(({ bytes }) => (bytes[0] as number) >>> 4)
    assert.equal(versions, [4, 4, 6, 6])
    const places = new Set(packets.map(({ place }) => place))
    assert.is(places.size, 2, 'loopback, out and in')
    for (const { atMs, bytes, wholeBytes } of packets) {
      assert.ok(Math.abs(atMs - before) < 30_000, `${atMs}`)
      assert.is(wholeBytes, bytes.length)
    }
  })
})

test('of TCP a connection is one packet, seen at both places', async () => {
  await seen(async (packets) => {
    const connection = createConnection({ host, port: 53 })
    await once(connection, 'error')
    await send('end', 53)
    await until('the datagram is seen', () => packets.length >= 4)
    const protocols = packets.map(({ bytes }) => bytes[9])
    assert.equal(protocols, [6, 6, 17, 17])
  })
})

test('a packet that is longer than the buffer is known to be cut', async () => {
  await seen(async (packets) => {
    await send('x'.repeat(20_000), 53)
    await until('it is seen', () => packets.length > 0)
    const [first] = packets
    assert.ok(first !== undefined && first.wholeBytes > first.bytes.length)
  })
})

test('what was not read in time is counted', async () => {
  const calls = loadSystemCalls()
  const socket = new PacketSocket({
    ...calls,
    setOption: (fd, level, option, value) =>
      option === Linux.soRcvBuf || option === Linux.soRcvBufForce
        ? calls.setOption(fd, level, Linux.soRcvBuf, new Uint8Array(Int32Array.of(2304).buffer))
        : calls.setOption(fd, level, option, value),
  })
  for (let i = 0; i < 50; i++) await send(`${i}`, 53)
  const { packets, dropped } = socket.counts()
  let read = 0
  socket.drain(() => {
    read += 1
  })
  await socket.close()
  assert.ok(packets >= 100, `${packets} packets`)
  assert.ok(dropped > 0, `${dropped} dropped`)
  assert.ok(read <= packets - dropped, `${read} read`)
})

test('a refusal at each step closes the socket and says which', () => {
  const calls = loadSystemCalls()
  const closed: number[] = []
  const refusing = (changes: Partial<typeof calls>) => () =>
    new PacketSocket({
      ...calls,
      socket: () => 1_000_000,
      setOption: () => 0,
      bind: () => 0,
      closeDescriptor: (fd) => {
        closed.push(fd)
        return 0
      },
      ...changes,
    })
  assert.throws(refusing({ socket: () => -1 }), /AF_PACKET.*EPERM/)
  assert.equal(closed, [])
  assert.throws(refusing({ bind: () => -1 }), /bind.*EPERM/)
  const setOption = (_fd: number, _level: number, option: number) =>
    option === Linux.soAttachFilter ? -22 : 0
  assert.throws(refusing({ setOption }), /SO_ATTACH_FILTER.*EINVAL/)
  assert.equal(closed, [1_000_000, 1_000_000])
})

test.run()
