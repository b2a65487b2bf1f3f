/** The name under which an address is looked up (RFC 1035 3.5, RFC 3596 2.5). */
import type { IpAddress } from '../address/ip-address.ts'
import { reverseDigits, reverseZone } from '../address/reverse-zone.ts'
import { parseAddress } from '../config/address.ts'

export interface Typed {
  readonly name: string
  readonly type: string
}

/** What is meant by a name and a type at a terminal: an address alone is looked up by its reverse name. */
export function typedQuestion(name: string, type: string | undefined): Typed {
  const address = parseAddress(name)
  return address.ok && type === undefined
    ? { name: reverseName(address.value), type: 'PTR' }
    : { name, type: type ?? 'A' }
}

export function reverseName({ address, family }: IpAddress): string {
  return reverseZone(reverseDigits(address), family)
}
