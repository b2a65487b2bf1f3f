/** The name under which an address is looked up (RFC 1035 3.5, RFC 3596 2.5). */
import type { Endpoint } from '../config/address.ts'

/** @param at canonical address, IPv6 without a dotted part */
export function reverseName(at: Pick<Endpoint, 'address' | 'family'>): string {
  if (at.family === 4) return `${at.address.split('.').reverse().join('.')}.in-addr.arpa`
  const nibbles = groups(at.address)
    .map((group) => group.padStart(4, '0'))
    .join('')
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`
}

/** All eight groups: `::` stands for the zeros that are missing. */
function groups(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left
  const right = tail === '' ? [] : tail.split(':')
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
}
