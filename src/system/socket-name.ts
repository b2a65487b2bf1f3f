/**
 * Socket addresses as the kernel has them: `struct sockaddr_in` and `sockaddr_in6` (ip(7), ipv6(7)). Pure.
 */
import type { Endpoint } from '../address/endpoint.ts'
import { addressBytes, addressTextAt } from '../address/ip-address.ts'
import { putU16, u16 } from '../wire/bytes.ts'

const portAt = 2
const v4At = 4
const v6At = 8
const scopeAt = 24
/** fe80::/10 (RFC 4291 2.5.6), in the first 16 bits. */
const linkLocalPrefix = 0xfe80
const linkLocalMask = 0xffc0

/** Bytes of a name: 16 for IPv4, 28 for IPv6. */
export function nameBytesOf(family: 4 | 6): number {
  return family === 4 ? 16 : 28
}

/**
 * @param address IP literal without a zone, checked before
 * @param familyNumber AF_INET or AF_INET6 of the system
 */
export function encodeName({ address, port, family }: Endpoint, familyNumber: number): Buffer {
  const name = Buffer.alloc(nameBytesOf(family))
  name.writeUInt16LE(familyNumber, 0)
  putU16(name, portAt, port)
  name.set(addressBytes(address), family === 4 ? v4At : v6At)
  return name
}

export function portOf(name: Uint8Array, at: number): number {
  return u16(name, at + portAt)
}

/** The address in text: IPv6 compressed (RFC 5952), link-local with its zone as a number. */
export function addressOf(name: Uint8Array, at: number, family: 4 | 6): string {
  if (family === 4) return addressTextAt(name, at + v4At, 4)
  const text = addressTextAt(name, at + v6At, 6)
  if ((u16(name, at + v6At) & linkLocalMask) !== linkLocalPrefix) return text
  const view = new DataView(name.buffer, name.byteOffset + at + scopeAt, 4)
  return `${text}%${view.getUint32(0, true)}`
}
