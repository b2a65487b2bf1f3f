/**
 * The kernel's filter of a packet socket: which packets a DNS observer gets, as a classic BPF program (socket(7), SO_ATTACH_FILTER). Of UDP
 * those from and to port 53, first fragments included; of TCP the beginnings of connections to it. IPv4, and IPv6 without extension
 * headers but that of a fragment. Offsets count from the IP header, where SOCK_DGRAM packets begin.
 */

/** Of <linux/bpf_common.h>. */
const Op = {
  loadByte: 0x30,
  loadHalf: 0x28,
  loadByteAt: 0x50,
  loadHalfAt: 0x48,
  /** X = 4 * (byte & 15): the length of an IPv4 header. */
  headerLength: 0xb1,
  and: 0x54,
  ifEqual: 0x15,
  ifBits: 0x45,
  give: 0x06,
} as const

/** SKF_AD_OFF + SKF_AD_PROTOCOL: what the link says that the packet is. */
const linkProtocol = 0xffff_f000
const [ipv4, ipv6] = [0x0800, 0x86dd] as const
const [tcp, udp, fragment] = [6, 17, 44] as const
const dnsPort = 53
const offsetBits = 0x1fff
const offsetBits6 = 0xfff8
const [syn, synAndAck] = [0x02, 0x12] as const
/** All of the packet. */
const whole = 0x4_0000

/** Instructions of a part, by name; a jump names the part that it leads to and otherwise goes on. */
type Instruction =
  | readonly [code: number, k: number]
  | readonly [code: number, k: number, part: string]

const parts: Readonly<Record<string, readonly Instruction[]>> = {
  start: [
    [Op.loadHalf, linkProtocol],
    [Op.ifEqual, ipv4, 'v4'],
    [Op.ifEqual, ipv6, 'v6'],
    [Op.give, 0],
  ],
  v4: [
    [Op.loadHalf, 6],
    [Op.ifBits, offsetBits, 'nothing'],
    [Op.headerLength, 0],
    [Op.loadByte, 9],
    [Op.ifEqual, udp, 'v4udp'],
    [Op.ifEqual, tcp, 'v4tcp'],
    [Op.give, 0],
  ],
  v4udp: [
    [Op.loadHalfAt, 0],
    [Op.ifEqual, dnsPort, 'all'],
    [Op.loadHalfAt, 2],
    [Op.ifEqual, dnsPort, 'all'],
    [Op.give, 0],
  ],
  v4tcp: [
    [Op.loadByteAt, 13],
    [Op.and, synAndAck],
    [Op.ifEqual, syn, 'v4syn'],
    [Op.give, 0],
  ],
  v4syn: [
    [Op.loadHalfAt, 2],
    [Op.ifEqual, dnsPort, 'all'],
    [Op.give, 0],
  ],
  v6: [
    [Op.loadByte, 6],
    [Op.ifEqual, udp, 'v6udp'],
    [Op.ifEqual, tcp, 'v6tcp'],
    [Op.ifEqual, fragment, 'v6fragment'],
    [Op.give, 0],
  ],
  v6udp: portsAt(40),
  v6tcp: [
    [Op.loadByte, 53],
    [Op.and, synAndAck],
    [Op.ifEqual, syn, 'v6syn'],
    [Op.give, 0],
  ],
  v6syn: [
    [Op.loadHalf, 42],
    [Op.ifEqual, dnsPort, 'all'],
    [Op.give, 0],
  ],
  v6fragment: [
    [Op.loadHalf, 42],
    [Op.ifBits, offsetBits6, 'nothing'],
    [Op.loadByte, 40],
    [Op.ifEqual, udp, 'v6first'],
    [Op.give, 0],
  ],
  v6first: portsAt(48),
  all: [[Op.give, whole]],
  nothing: [[Op.give, 0]],
}

function portsAt(at: number): readonly Instruction[] {
  return [
    [Op.loadHalf, at],
    [Op.ifEqual, dnsPort, 'all'],
    [Op.loadHalf, at + 2],
    [Op.ifEqual, dnsPort, 'all'],
    [Op.give, 0],
  ]
}

const instructionBytes = 8

/** @returns an array of `struct sock_filter` */
export function dnsFilter(): Buffer {
  const starts = new Map<string, number>()
  let length = 0
  for (const [name, instructions] of Object.entries(parts)) {
    starts.set(name, length)
    length += instructions.length
  }
  const program = Buffer.alloc(length * instructionBytes)
  for (const [index, [code, k, part]] of Object.values(parts).flat().entries()) {
    const at = index * instructionBytes
    program.writeUInt16LE(code, at)
    if (part !== undefined) program[at + 2] = (starts.get(part) ?? 0) - index - 1
    program.writeUInt32LE(k, at + 4)
  }
  return program
}
