// Goal: the kernel hands on DNS packets and no others. Method: the program run by an interpreter of classic BPF (bpf(4)) over packets put together here.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dnsFilter } from '../../src/system/packet-filter.ts'
import { octets, u16 } from '../fixtures/packets/octets.ts'
import { ip, toPod, toServer, udp } from '../rehearsal/support.ts'

const test = suite('system/packet-filter')

const v6 = { from: 'fd77::2', fromPort: 40_000, to: 'fd00::10', toPort: 53 }
const protocolAt = 0xffff_f000

interface Machine {
  a: number
  x: number
  /** Of the next instruction. */
  next: number
  /** Bytes that are taken; undefined while the program runs. */
  result: number | undefined
}

type Step = (machine: Machine, k: number, jump: number) => void

/** @returns whether the program takes the packet. Reading outside of it ends a program with 0. */
function takes(packet: Buffer, linkProtocol = packet[0] === 0x60 ? 0x86dd : 0x0800): boolean {
  const program = dnsFilter()
  const load = (machine: Machine, value: number | undefined) => {
    if (value === undefined) machine.result = 0
    else machine.a = value
  }
  const half = (at: number) => (at + 2 <= packet.length ? packet.readUInt16BE(at) : undefined)
  const steps: Readonly<Record<number, Step>> = {
    40: (machine, k) => load(machine, k === protocolAt ? linkProtocol : half(k)),
    48: (machine, k) => load(machine, packet[k]),
    72: (machine, k) => load(machine, half(machine.x + k)),
    80: (machine, k) => load(machine, packet[machine.x + k]),
    177: (machine, k) => {
      machine.x = 4 * ((packet[k] ?? 0) & 15)
    },
    84: (machine, k) => {
      machine.a &= k
    },
    21: (machine, k, jump) => {
      machine.next += machine.a === k ? jump : 0
    },
    69: (machine, k, jump) => {
      machine.next += (machine.a & k) === 0 ? 0 : jump
    },
    6: (machine, k) => {
      machine.result = k
    },
  }
  const machine: Machine = { a: 0, x: 0, next: 0, result: undefined }
  while (machine.result === undefined) {
    const at = machine.next * 8
    machine.next += 1
    const step = steps[program.readUInt16LE(at)]
    if (step === undefined) throw new Error('an unknown instruction')
    step(machine, program.readUInt32LE(at + 4), program[at + 2] as number)
  }
  return machine.result > 0
}

function tcp(ends: Pick<typeof toServer, 'from' | 'to'>, toPort: number, flags: number): Buffer {
  return ip(ends, 6, octets(u16(40_000), u16(toPort), Buffer.alloc(9), flags, Buffer.alloc(6)))
}

test('UDP from and to port 53 is taken, over IPv4 and IPv6, with IPv4 options as well', () => {
  const plain = udp(toServer, Buffer.from('x'))
  const withOptions = octets(0x46, plain.subarray(1, 20), Buffer.alloc(4), plain.subarray(20))
  const reply = { from: v6.to, fromPort: 53, to: v6.from, toPort: 40_000 }
  for (const packet of [plain, withOptions, udp(toPod, Buffer.alloc(9))]) assert.ok(takes(packet))
  for (const ends of [v6, reply]) assert.ok(takes(udp(ends, Buffer.alloc(1))))
})

test('other ports and protocols are not', () => {
  const others = [
    udp({ ...toServer, toPort: 5353 }, Buffer.alloc(1)),
    udp({ ...v6, toPort: 5353 }, Buffer.alloc(1)),
    ip(toServer, 1, Buffer.alloc(30)),
    ip(v6, 58, Buffer.alloc(30)),
  ]
  for (const packet of others) assert.not(takes(packet))
  assert.not(takes(udp(toServer, Buffer.alloc(1)), 0x0806))
})

test('of TCP only the first packet of a connection is', () => {
  for (const ends of [toServer, v6]) {
    assert.ok(takes(tcp(ends, 53, 0x02)))
    assert.not(takes(tcp(ends, 53, 0x12)), 'the other end answers')
    assert.not(takes(tcp(ends, 53, 0x18)), 'data')
    assert.not(takes(tcp(ends, 80, 0x02)))
  }
})

test('the first fragment is taken, and later ones, which have no ports, are not', () => {
  const first = udp(toServer, Buffer.alloc(8))
  first.writeUInt16BE(0x2000, 6)
  assert.ok(takes(first))
  first.writeUInt16BE(0x2001, 6)
  assert.not(takes(first))
  const datagram = octets(u16(53), u16(40_000), u16(9), u16(0), 0)
  const sixth = (offset: number, protocol = 17) =>
    ip(v6, 44, octets(protocol, 0, u16(offset), Buffer.alloc(4), datagram))
  assert.ok(takes(sixth(1)))
  assert.not(takes(sixth(8)))
  assert.not(takes(sixth(1, 6)))
})

test('packets that are cut anywhere end the program', () => {
  for (const packet of [udp(toServer, Buffer.alloc(1)), udp(v6, Buffer.alloc(1))])
    for (let length = 1; length < packet.length; length++) takes(packet.subarray(0, length))
})

test.run()
