/**
 * Goal: the kernel finds names, bytes and control data at the addresses in the batch, and a reply goes back the way its question came.
 * Method: the layout read as C would, and datagrams between real sockets of both families.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Linux } from '../../src/system/linux.ts'
import { batchSlots, localAddressOption, MessageBatch } from '../../src/system/message-batch.ts'
import { boundPort, openUdpSocket } from '../../src/system/open-socket.ts'
import { addressOf, nameBytesOf, portOf } from '../../src/system/socket-name.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { messageBytesMax } from '../../src/wire/constants.ts'
import { until } from '../support/process.ts'

const test = suite('system/message-batch')

const calls = loadSystemCalls()
const base = 0x7f00_0000_0000n
const placed = { ...calls, addressOf: () => base }

/** `struct mmsghdr` of a slot. */
function headerOf(batch: MessageBatch, slot: number) {
  const at = slot * 64
  const { headers, memory } = batch
  const iovecAt = Number(headers.readBigUInt64LE(at + 16) - base)
  return {
    nameAt: Number(headers.readBigUInt64LE(at) - base),
    nameBytes: headers.readUInt32LE(at + 8),
    iovecs: headers.readBigUInt64LE(at + 24),
    control: headers.readBigUInt64LE(at + 32),
    controlBytes: headers.readUInt32LE(at + 40),
    dataAt: Number(memory.readBigUInt64LE(iovecAt) - base),
    dataBytes: memory.readBigUInt64LE(iovecAt + 8),
  }
}

test('each slot has its own room for name, bytes and control data, within the memory', () => {
  const batch = new MessageBatch(placed, 28, true)
  const places = Array.from({ length: batchSlots }, (_, slot) => {
    const header = headerOf(batch, slot)
    assert.is(header.nameAt, batch.nameAt(slot))
    assert.is(batch.slots[slot]?.byteOffset, header.dataAt)
    assert.equal([header.iovecs, header.dataBytes], [1n, BigInt(messageBytesMax)])
    return [
      { at: header.nameAt, bytes: 28 },
      { at: Number(header.control - base), bytes: header.controlBytes },
      { at: header.dataAt, bytes: messageBytesMax },
    ]
  }).flat()
  const sorted = places.toSorted((a, b) => a.at - b.at)
  for (const [i, { at, bytes }] of sorted.entries()) {
    const end = sorted[i + 1]?.at ?? batch.memory.length
    assert.ok(at + bytes <= end, `${at} + ${bytes} > ${end}`)
  }
  assert.ok((sorted[0]?.at ?? 0) >= batchSlots * 64)
})

test('control data has the room of its family, and none where the socket has an address of its own', () => {
  assert.is(headerOf(new MessageBatch(placed, 16, true), 3).controlBytes, 32)
  assert.is(headerOf(new MessageBatch(placed, 28, true), 3).controlBytes, 40)
  const without = headerOf(new MessageBatch(placed, 28, false), 3)
  assert.equal([without.control, without.controlBytes], [0n, 0])
})

test('slots are not a power of two apart: their first lines would share the same sets of the cache', () => {
  const { slots } = new MessageBatch(placed, 16, false)
  const stride = (slots[1]?.byteOffset ?? 0) - (slots[0]?.byteOffset ?? 0)
  assert.ok(stride % 4096 !== 0, `${stride}`)
  assert.is(stride % 64, 0, 'whole lines')
})

test('headers from a slot on are those of the rest', () => {
  const batch = new MessageBatch(placed, 16, false)
  assert.is(batch.headersFrom(0), batch.headers)
  const rest = batch.headersFrom(60)
  assert.equal([rest.length, rest.byteOffset - batch.headers.byteOffset], [4 * 64, 60 * 64])
})

test('rearm() restores the lengths that the kernel shortened', () => {
  const batch = new MessageBatch(placed, 16, true)
  batch.headers.writeUInt32LE(0, 5 * 64 + 40)
  batch.rearm()
  assert.is(headerOf(batch, 5).controlBytes, 32)
})

test('the length to send is set for each slot alone', () => {
  const batch = new MessageBatch(placed, 16, false)
  batch.setLength(2, 512)
  assert.equal([batch.lengthOf(1), batch.lengthOf(2)], [messageBytesMax, 512])
  assert.is(headerOf(batch, 2).dataBytes, 512n)
})

for (const [family, any, local] of [
  [4, '0.0.0.0', '127.0.0.2'],
  [6, '::', '::1'],
] as const) {
  /** A socket on all addresses, a client, and a batch that has received a question. */
  async function asked(question: string) {
    const fd = openUdpSocket(calls, { address: any, port: 0, family })
    const client = createSocket(family === 4 ? 'udp4' : 'udp6').bind(0, local)
    await once(client, 'listening')
    client.send(question, boundPort(calls, fd, family), local)
    const input = new MessageBatch(calls, nameBytesOf(family), true)
    await until('the question is there', () => {
      input.rearm()
      return calls.receiveMessages(fd, input.headers, batchSlots) === 1
    })
    const close = () => {
      client.close()
      calls.closeDescriptor(fd)
    }
    return { fd, client, input, close }
  }

  test(`a reply over IPv${family} goes back to the client, from the address that was asked`, async () => {
    const { fd, client, input, close } = await asked('question')
    assert.is(input.received(0), 8)
    assert.is(input.slots[0]?.toString('latin1', 0, 8), 'question')
    const name = input.nameAt(0)
    assert.is(addressOf(input.memory, name, family), local)
    assert.is(portOf(input.memory, name), client.address().port)
    const output = new MessageBatch(calls, nameBytesOf(family), true)
    const saved = input.savePeer(0)
    output.copyPeer(0, input, 0)
    output.restorePeer(1, saved)
    for (const slot of [0, 1]) {
      output.slots[slot]?.write(`answer ${slot}`)
      output.setLength(slot, 8)
    }
    const answers: string[] = []
    client.on('message', (message, { address }) => answers.push(`${message} from ${address}`))
    assert.is(calls.sendMessages(fd, output.headers, 2), 2)
    await until('both came', () => answers.length === 2)
    assert.equal(answers, [`answer 0 from ${local}`, `answer 1 from ${local}`])
    close()
  })

  test(`over IPv${family} the interface that a question came in by is not binding for its answer`, async () => {
    const { input, close } = await asked('x')
    const indexOf = (batch: MessageBatch, slot: number) => {
      const at = Number(
        batch.headers.readBigUInt64LE(slot * 64 + 32) - calls.addressOf(batch.memory),
      )
      return batch.memory.readUInt32LE(at + (family === 4 ? 16 : 32))
    }
    assert.ok(indexOf(input, 0) > 0)
    const output = new MessageBatch(calls, nameBytesOf(family), true)
    output.copyPeer(3, input, 0)
    output.restorePeer(4, input.savePeer(0))
    assert.equal([indexOf(output, 3), indexOf(output, 4)], [0, 0])
    close()
  })
}

test('IPv4 peers are compared by a number that is the same for the same address alone', () => {
  const batch = new MessageBatch(placed, 16, false)
  const put = (slot: number, address: readonly number[], port: number) => {
    batch.memory.writeUInt16BE(port, batch.nameAt(slot) + 2)
    batch.memory.set(address, batch.nameAt(slot) + 4)
  }
  put(0, [10, 0, 0, 1], 1000)
  put(1, [10, 0, 0, 1], 2000)
  put(2, [10, 0, 0, 2], 1000)
  assert.is(batch.v4AddressOf(0), batch.v4AddressOf(1))
  assert.is.not(batch.v4AddressOf(0), batch.v4AddressOf(2))
})

test('the local address is told by an option of each family', () => {
  assert.equal(localAddressOption(4), [Linux.solIp, Linux.ipPktInfo])
  assert.equal(localAddressOption(6), [Linux.solIpv6, Linux.ipv6RecvPktInfo])
})

test.run()
