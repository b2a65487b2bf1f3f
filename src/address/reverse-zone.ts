/** Names below in-addr.arpa (RFC 1035 3.5) and ip6.arpa (RFC 3596 2.5). Pure. */
import { addressBytes, type Network } from './ip-address.ts'

/** The zones of all reverse names, of IPv4 and of IPv6. */
export const reverseRoots = ['in-addr.arpa', 'ip6.arpa'] as const

/**
 * @param digits leading ones of an address, from `reverseDigits`
 * @returns the zone of all addresses that begin with them, without a trailing dot
 */
export function reverseZone(digits: readonly number[], family: 4 | 6): string {
  const [radix, suffix] = family === 4 ? [10, reverseRoots[0]] : [16, reverseRoots[1]]
  return [...digits.map((digit) => digit.toString(radix)).reverse(), suffix].join('.')
}

/** Bits of one label of a reverse name: a byte of IPv4, a nibble of IPv6. */
export function digitBitsOf(family: 4 | 6): number {
  return family === 4 ? 8 : 4
}

/** @returns the address as 4 bytes or 32 nibbles, the most significant first */
export function reverseDigits(address: string): number[] {
  const bytes = [...addressBytes(address)]
  return bytes.length === 4 ? bytes : bytes.flatMap((byte) => [byte >>> 4, byte & 0x0f])
}

/** @returns the zones that hold the reverse names of a network's addresses: at most 128, as a network may end inside a label */
export function reverseZonesOf({ address, family, prefixBits }: Network): string[] {
  const digitBits = digitBitsOf(family)
  const digits = reverseDigits(address)
  const whole = Math.floor(prefixBits / digitBits)
  const open = prefixBits % digitBits
  if (open === 0) return [reverseZone(digits.slice(0, whole), family)]
  const size = 1 << (digitBits - open)
  const first = ((digits[whole] ?? 0) / size) | 0
  return Array.from({ length: size }, (_, i) =>
    reverseZone([...digits.slice(0, whole), first * size + i], family),
  )
}
