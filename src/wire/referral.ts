/**
 * Tells a lame reply from NODATA: a server that neither answers for the name nor asks others sends the client elsewhere, or says
 * nothing at all (RFC 2308 2.2, RFC 9499 "lame delegation"). Looks at flags and types only.
 */
import { u8, u16 } from './bytes.ts'
import { Flag2, Rcode, RrType } from './constants.ts'
import type { ResponseScan } from './scan.ts'

/**
 * Whether the reply says nothing about the name: NOERROR without answer, AA and SOA, from a server that offers no recursion (glibc
 * asks the next one for the same form), or with NS records that name other servers. A resolver's empty answer without SOA has RA
 * and no NS records, and stays NODATA. Of a truncated reply the answer may be what was cut off.
 */
export function isReferral(reply: Uint8Array, scan: ResponseScan): boolean {
  const { rcode, answers, aa, tc, soaIndex } = scan
  if (rcode !== Rcode.noerror || answers > 0 || aa || tc || soaIndex >= 0) return false
  return (u8(reply, 3) & Flag2.ra) === 0 || namesOtherServers(reply, scan)
}

/**
 * Whether there is no record in it at all. Small servers of a single zone say so about a type that they do not have, without AA
 * and RA; where no other upstream says more, it is an empty answer and not a referral.
 */
export function isEmptyHanded({ rcode, records, optIndex }: ResponseScan): boolean {
  return rcode === Rcode.noerror && records === (optIndex < 0 ? 0 : 1)
}

function namesOtherServers(reply: Uint8Array, scan: ResponseScan): boolean {
  for (let i = 0; i < scan.authorities; i++)
    if (u16(reply, scan.typeAt[i] as number) === RrType.ns) return true
  return false
}
