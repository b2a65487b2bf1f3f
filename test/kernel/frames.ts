/** Ethernet frames around DNS messages, made and read apart from src, and a program run on one of them (BPF_PROG_TEST_RUN). */
import type { SystemCalls } from '../../src/system/system-calls.ts'

export interface FrameOptions {
  readonly family: 4 | 6
  readonly dns: Buffer
  readonly port?: number
  readonly to?: number
  /** UDP checksum 0, which IPv4 allows. */
  readonly noSum?: boolean
}

export const clientV4 = Buffer.of(10, 244, 0, 7)
export const serverV4 = Buffer.of(169, 254, 20, 10)
export const clientV6 = Buffer.from('fd000000000000000000000000000007', 'hex')
export const serverV6 = Buffer.from('fd00000000000000000000000000000a', 'hex')
const macs = Buffer.from('020000000001020000000002', 'hex')

const programTestRun = 10
const frameBytesMax = 66_000
/** TC_ACT_UNSPEC and TC_ACT_REDIRECT. */
export const passedUp = 0xffff_ffff
export const redirected = 7

export function frame({ family, dns, port = 40_000, to = 53, noSum }: FrameOptions): Buffer {
  const udp = Buffer.alloc(8 + dns.length)
  udp.writeUInt16BE(port, 0)
  udp.writeUInt16BE(to, 2)
  udp.writeUInt16BE(udp.length, 4)
  dns.copy(udp, 8)
  const ip = family === 4 ? ipv4(udp.length) : ipv6(udp.length)
  if (noSum !== true) {
    const sum = inverted(udpSum(ip, udp))
    udp.writeUInt16BE(sum === 0 ? 0xffff : sum, 6)
  }
  return Buffer.concat([macs, Buffer.from(family === 4 ? '0800' : '86dd', 'hex'), ip, udp])
}

function ipv4(octets: number): Buffer {
  const ip = Buffer.from('4500000012344000401100000000000000000000', 'hex')
  ip.writeUInt16BE(20 + octets, 2)
  clientV4.copy(ip, 12)
  serverV4.copy(ip, 16)
  ip.writeUInt16BE(inverted(sumOf(ip)), 10)
  return ip
}

function ipv6(octets: number): Buffer {
  const ip = Buffer.from('6000000000001140', 'hex')
  ip.writeUInt16BE(octets, 4)
  return Buffer.concat([ip, clientV6, serverV6])
}

export interface ReadFrame {
  readonly dns: Buffer
  /** What is wrong with headers, lengths or sums. */
  readonly faults: readonly string[]
}

/** Reads a reply to `frame`. */
export function readReply(
  wire: Buffer,
  { family, port = 40_000, to = 53, noSum }: FrameOptions,
): ReadFrame {
  const faults: string[] = []
  const expect = (what: string, is: boolean) => void (is || faults.push(what))
  const ipBytes = family === 4 ? 20 : 40
  const ip = wire.subarray(14, 14 + ipBytes)
  const udp = wire.subarray(14 + ipBytes)
  expect(
    'MACs',
    wire.subarray(0, 6).equals(macs.subarray(6)) &&
      wire.subarray(6, 12).equals(macs.subarray(0, 6)),
  )
  if (family === 4) {
    expect('sum of the IP header', sumOf(ip) === 0xffff)
    expect('IP length', ip.readUInt16BE(2) === wire.length - 14)
    expect('TTL', ip[8] === 64)
    expect('addresses', ip.subarray(12, 16).equals(serverV4) && ip.subarray(16).equals(clientV4))
  } else {
    expect('IP length', ip.readUInt16BE(4) === udp.length)
    expect('hop limit', ip[7] === 64)
    expect('addresses', ip.subarray(8, 24).equals(serverV6) && ip.subarray(24).equals(clientV6))
  }
  expect('ports', udp.readUInt16BE(0) === to && udp.readUInt16BE(2) === port)
  expect('UDP length', udp.readUInt16BE(4) === udp.length)
  if (noSum === true) expect('no UDP sum', udp.readUInt16BE(6) === 0)
  else expect('UDP sum', udpSum(ip, udp) === 0xffff && udp.readUInt16BE(6) !== 0)
  return { dns: udp.subarray(8), faults }
}

function udpSum(ip: Buffer, udp: Buffer): number {
  const addresses = ip.length === 20 ? ip.subarray(12) : ip.subarray(8)
  const pseudo = Buffer.alloc(4)
  pseudo.writeUInt16BE(udp.length, 0)
  pseudo.writeUInt16BE(17, 2)
  return sumOf(Buffer.concat([addresses, pseudo, udp]))
}

/** RFC 1071. */
function sumOf(octets: Buffer): number {
  let sum = 0
  for (let i = 0; i < octets.length; i++) sum += (octets[i] as number) << (i % 2 === 0 ? 8 : 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

function inverted(sum: number): number {
  return ~sum & 0xffff
}

/** Runs a program on frames, as the kernel does at tc. */
export class TestRun {
  private readonly calls: SystemCalls
  private readonly attributes = Buffer.alloc(80)
  private readonly input = Buffer.alloc(frameBytesMax)
  private readonly output = Buffer.alloc(frameBytesMax)

  constructor(calls: SystemCalls, program: number) {
    this.calls = calls
    this.attributes.writeUInt32LE(program, 0)
    this.attributes.writeBigUInt64LE(calls.addressOf(this.input), 16)
    this.attributes.writeBigUInt64LE(calls.addressOf(this.output), 24)
  }

  /** @returns the verdict, and the frame as the program left it, a view that the next run overwrites */
  run(wire: Buffer): { readonly verdict: number; readonly wire: Buffer } {
    const { attributes, calls } = this
    wire.copy(this.input)
    attributes.writeUInt32LE(wire.length, 8)
    attributes.writeUInt32LE(this.output.length, 12)
    attributes.writeUInt32LE(1, 32)
    const result = calls.bpf(programTestRun, attributes)
    if (result < 0) throw new Error(`BPF_PROG_TEST_RUN: ${result}`)
    const verdict = attributes.readUInt32LE(4)
    return { verdict, wire: this.output.subarray(0, attributes.readUInt32LE(12)) }
  }
}
