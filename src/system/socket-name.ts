/**
 * Socket addresses as the kernel has them: `struct sockaddr_in` and `sockaddr_in6` (ip(7), ipv6(7)). Pure.
 */
import { putU16, u8, u16 } from '../wire/bytes.ts'
import type { ListenAddress } from './bind.ts'

const portAt = 2
const v4At = 4
const v6At = 8
const scopeAt = 24

/** Octets of a name: 16 for IPv4, 28 for IPv6. */
export function nameBytesOf(family: 4 | 6): number {
  return family === 4 ? 16 : 28
}

/**
 * @param address IP literal without a zone, checked before
 * @param familyNumber AF_INET or AF_INET6 of the system
 */
export function encodeName({ address, port, family }: ListenAddress, familyNumber: number): Buffer {
  const name = Buffer.alloc(nameBytesOf(family))
  name.writeUInt16LE(familyNumber, 0)
  putU16(name, portAt, port)
  if (family === 4) name.set(octetsOfV4(address), v4At)
  else name.set(octetsOfV6(address), v6At)
  return name
}

export function portOf(name: Uint8Array, at: number): number {
  return u16(name, at + portAt)
}

/** The address in text: IPv6 compressed (RFC 5952), link-local with its zone as a number. */
export function addressOf(name: Uint8Array, at: number, family: 4 | 6): string {
  if (family === 4) {
    const from = at + v4At
    return `${u8(name, from)}.${u8(name, from + 1)}.${u8(name, from + 2)}.${u8(name, from + 3)}`
  }
  const groups = Array.from({ length: 8 }, (_, i) => u16(name, at + v6At + 2 * i))
  const text = compressV6(groups)
  const isLinkLocal = ((groups[0] as number) & 0xffc0) === 0xfe80
  const view = new DataView(name.buffer, name.byteOffset + at + scopeAt, 4)
  return isLinkLocal ? `${text}%${view.getUint32(0, true)}` : text
}

function octetsOfV4(text: string): number[] {
  return text.split('.').map(Number)
}

function octetsOfV6(text: string): number[] {
  // The URL parser knows every form (RFC 4291 2.2) and writes the last one, with dots, as groups.
  const literal = new URL(`http://[${text}]/`).hostname.slice(1, -1)
  const [head = '', tail = ''] = literal.split('::')
  const front = groupsOf(head)
  const back = groupsOf(tail)
  const middle = new Array<number>(8 - front.length - back.length).fill(0)
  return [...front, ...middle, ...back].flatMap((group) => [group >>> 8, group & 0xff])
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

/** RFC 5952 4.2: the longest run of two zero groups or more, the first of equals, becomes `::`. */
function compressV6(groups: readonly number[]): string {
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (groups[at + length] === 0) length += 1
    if (length > best.length) best = { at, length }
  }
  const hex = groups.map((group) => group.toString(16))
  if (best.at < 0) return hex.join(':')
  return `${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}`
}
