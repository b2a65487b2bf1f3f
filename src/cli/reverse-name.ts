/** The name under which an address is looked up (RFC 1035 3.5, RFC 3596 2.5). */
import type { IpAddress } from '../address/ip-address.ts'
import { reverseDigits, reverseZone } from '../address/reverse-zone.ts'

export function reverseName({ address, family }: IpAddress): string {
  return reverseZone(reverseDigits(address), family)
}
