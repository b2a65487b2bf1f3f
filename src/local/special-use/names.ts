/** Names with a meaning of their own, and what a caching server says of each: RFC 6761 6, RFC 6762 22.1, RFC 7686 2, RFC 6303 4. */
import { isAtOrBelow, wireName } from '../../wire/name.ts'

/** Settings by which they are switched, in the order of the documents. */
export const specialUses = ['localhost', 'invalid', 'onion', 'local', 'test'] as const
export type SpecialUse = (typeof specialUses)[number]

/**
 * - loopback: the name and all below it have the addresses of the loopback (RFC 6761 6.3).
 * - pointer: the name has a PTR record to localhost, the names below it do not exist.
 * - denied: the name and all below it do not exist.
 */
type Saying = 'loopback' | 'pointer' | 'denied'

export interface SpecialName {
  readonly use: SpecialUse
  /** Folded wire form. */
  readonly name: Uint8Array
  readonly saying: Saying
  readonly why: string
}

/** The longer of two names that lie in one another comes first. */
export const specialNames: readonly SpecialName[] = [
  special('localhost', 'localhost.', 'loopback', 'localhost is this host (RFC 6761 6.3)'),
  special('localhost', '1.0.0.127.in-addr.arpa.', 'pointer', 'the loopback (RFC 6761 6.3)'),
  special('localhost', '127.in-addr.arpa.', 'denied', 'no more than the loopback (RFC 6303 4.2)'),
  special('localhost', `1.${'0.'.repeat(31)}ip6.arpa.`, 'pointer', 'the loopback (RFC 6303 4.3)'),
  special('invalid', 'invalid.', 'denied', 'invalid never exists (RFC 6761 6.4)'),
  special('onion', 'onion.', 'denied', 'onion is not in the DNS (RFC 7686)'),
  special('local', 'local.', 'denied', 'local is for multicast DNS (RFC 6762)'),
  special('test', 'test.', 'denied', 'test is for tests (RFC 6761 6.2)'),
]

/** @param name folded wire form */
export function findSpecial(
  among: readonly SpecialName[],
  name: Uint8Array,
  nameBytes: number,
): SpecialName | undefined {
  for (const each of among) {
    if (isAtOrBelow(name, nameBytes, each.name, each.name.length)) return each
  }
  return undefined
}

function special(use: SpecialUse, text: string, saying: Saying, why: string): SpecialName {
  return { use, name: wireName(text), saying, why }
}
