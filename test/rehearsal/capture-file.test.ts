// Goal: a file of tcpdump gives the packets that it holds, and another file says what is wrong with it. Method: files put together here.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCapture } from '../../src/rehearsal/capture-file.ts'
import type { CapturedPacket } from '../../src/rehearsal/packet.ts'
import { captureFile } from './capture-file.ts'
import { toServer, udp } from './support.ts'

const test = suite('rehearsal/capture-file')

const packet = udp(toServer, Buffer.from('question'))

function read(file: Buffer): CapturedPacket[] | string {
  const packets: CapturedPacket[] = []
  const why = readCapture(file, (one) => packets.push({ ...one, bytes: Buffer.from(one.bytes) }))
  return why ?? packets
}

test('packets of all links have their time, their place and their bytes', () => {
  const file = captureFile([
    { atMs: 1_700_000_000_000.25, place: 9, bytes: packet },
    { atMs: 1_700_000_001_000, place: 12, bytes: packet },
  ])
  const packets = read(file)
  assert.ok(typeof packets !== 'string')
  assert.equal(
    packets.map(({ atMs, place, wholeBytes }) => [atMs, place, wholeBytes]),
    [
      [1_700_000_000_000.25, 9, packet.length],
      [1_700_000_001_000, 12, packet.length],
    ],
  )
  assert.ok(packets.every(({ bytes }) => bytes.equals(packet)))
})

test('the older form of all links, one Ethernet link and bare packets are read, too', () => {
  for (const [linkType, header] of [
    [1, 14],
    [101, 0],
    [113, 16],
    [228, 0],
    [229, 0],
  ] as const) {
    const file = captureFile([{ atMs: 5, place: 0, bytes: packet }], { linkType, header })
    const [first] = read(file)
    assert.ok(typeof first === 'object' && first.bytes.equals(packet), `link type ${linkType}`)
  }
})

test('nanoseconds and the other byte order are read as they are meant', () => {
  const file = captureFile([{ atMs: 2000.5, place: 8, bytes: packet }], { isNano: true })
  const [first] = read(file)
  assert.is(typeof first === 'object' && first.atMs, 2000.5)
  const big = captureFile([{ atMs: 2000.5, place: 8, bytes: packet }], { isBig: true })
  const [other] = read(big)
  assert.is(typeof other === 'object' && other.atMs, 2000.5)
})

test('a file that ends in the middle gives what is whole', () => {
  const file = captureFile([
    { atMs: 1, place: 8, bytes: packet },
    { atMs: 2, place: 8, bytes: packet },
  ])
  assert.is(read(file.subarray(0, -1)).length, 1)
})

test('another file says what it is not', () => {
  assert.match(String(read(Buffer.from('x'))), /no capture file/)
  assert.match(String(read(Buffer.alloc(100))), /pcapng/)
  assert.match(String(read(captureFile([], { linkType: 147 }))), /link type 147/)
})

test.run()
