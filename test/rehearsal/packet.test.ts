// Goal: a packet is what its headers say, whatever else it holds. Method: packets put together octet by octet.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readPacket } from '../../src/rehearsal/packet.ts'
import { octets } from '../fixtures/packets/octets.ts'
import { ip, toServer, udp } from './support.ts'

const test = suite('rehearsal/packet')

const v6 = { from: 'fd77::2', fromPort: 40_000, to: 'fd00:20::10', toPort: 53 }

test('a datagram over IPv4 and over IPv6 has both ends and its payload', () => {
  for (const [family, ends] of [
    [4, toServer],
    [6, v6],
  ] as const) {
    const read = readPacket(udp(ends, Buffer.from('question')))
    assert.ok(read?.kind === 'udp')
    const { payload, kind, ...rest } = read
    assert.equal(rest, { family, ...ends })
    assert.is(`${kind} ${payload}`, 'udp question')
  }
})

test('what a link has added behind the datagram is not its payload', () => {
  const read = readPacket(octets(udp(toServer, Buffer.from('short')), Buffer.alloc(13)))
  assert.is(read?.kind === 'udp' && read.payload.toString(), 'short')
})

test('options of IPv4 are stepped over', () => {
  const plain = udp(toServer, Buffer.from('x'))
  const packet = octets(0x46, plain.subarray(1, 20), Buffer.alloc(4), plain.subarray(20))
  const read = readPacket(packet)
  assert.is(read?.kind === 'udp' && read.toPort, 53)
})

test('fragments, cut packets and TCP are told apart', () => {
  const first = udp(toServer, Buffer.from('x'))
  first.writeUInt16BE(0x2000, 6)
  const later = udp(toServer, Buffer.from('x'))
  later.writeUInt16BE(185, 6)
  const sixth = ip(v6, 44, Buffer.alloc(16))
  const kinds = [first, later, sixth].map((packet) => readPacket(packet)?.kind)
  assert.equal(kinds, ['fragment', 'fragment', 'fragment'])
  const whole = udp(toServer, Buffer.from('x'))
  assert.is(readPacket(whole, whole.length + 1)?.kind, 'cut')
  for (const ends of [toServer, v6])
    assert.equal(readPacket(ip(ends, 6, Buffer.alloc(20))), {
      kind: 'tcp',
      from: ends.from,
      to: ends.to,
    })
})

test('what is no IP packet, another protocol, or shorter than it says is nothing', () => {
  const wrong = udp(toServer, Buffer.from('x'))
  wrong.writeUInt16BE(100, 24)
  const short = udp(toServer, Buffer.from('x'))
  short[0] = 0x44
  const none = [Buffer.alloc(0), Buffer.alloc(40), ip(toServer, 1, Buffer.alloc(8)), wrong, short]
  for (const packet of none) assert.is(readPacket(packet), undefined)
  const whole = udp(v6, Buffer.from('x'))
  for (let length = 0; length < whole.length; length++)
    assert.is(readPacket(whole.subarray(0, length)), undefined, `${length} bytes`)
})

test.run()
