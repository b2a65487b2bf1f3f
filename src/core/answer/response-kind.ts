/**
 * Classifies a response (RFC 2308 2, RFC 9499): what it says about the question, and whether its form may be cached. Looks at
 * types, owners and SOA only.
 */
import { u16 } from '../../wire/bytes.ts'
import { nameBytesMax, Rcode, RrType } from '../../wire/constants.ts'
import { copyFoldedName, isAtOrBelow } from '../../wire/name.ts'
import { isEmptyHanded, isReferral } from '../../wire/referral.ts'
import type { ResponseScan } from '../../wire/scan.ts'
import type { AliasChain } from './alias-chain.ts'

export type ResponseKind =
  /** Data of the requested type, or any data for ANY. */
  | 'answer'
  /** The name exists, the type does not; with an SOA. */
  | 'nodata'
  /** The name does not exist; with an SOA. */
  | 'nxdomain'
  /** No data, and no SOA of an enclosing zone says for how long (RFC 2308 5). Records of other names do not count as data. */
  | 'bare-denial'
  /** SERVFAIL, REFUSED and the like, and referrals: say nothing about the name. */
  | 'failure'

/** @param chain followed through this same response */
export function classify(reply: Uint8Array, scan: ResponseScan, chain: AliasChain): ResponseKind {
  const isNegative = scan.rcode === Rcode.nxdomain
  if (!isNegative && scan.rcode !== Rcode.noerror) return 'failure'
  if (isReferral(reply, scan) && !isEmptyHanded(scan)) return 'failure'
  if (!isNegative && hasWantedType(reply, scan, chain)) return 'answer'
  if (hasEnclosingSoa(reply, scan, chain)) return isNegative ? 'nxdomain' : 'nodata'
  return 'bare-denial'
}

/**
 * Whether the server has told an alias and not looked at the name that it leads to: no data, no SOA that denies them, and no NXDOMAIN
 * (RFC 6604 3). Servers say so that do not ask others, and a name behind such an alias may well exist. CoreDNS looks at the targets of
 * the cluster's aliases itself.
 */
export function isUnfollowed(scan: ResponseScan, kind: ResponseKind, chain: AliasChain): boolean {
  const { rcode, soaIndex, tc } = scan
  const isBare = kind === 'bare-denial' && rcode === Rcode.noerror && soaIndex < 0
  return isBare && chain.aliases > 0 && !tc
}

function hasWantedType(reply: Uint8Array, scan: ResponseScan, chain: AliasChain): boolean {
  const qtype = u16(reply, scan.questionEnd - 4)
  for (let i = 0; i < scan.answers; i++) {
    if (chain.reached[i] === 0) continue
    if (qtype === RrType.any || u16(reply, scan.typeAt[i] as number) === qtype) return true
  }
  return false
}

const soaOwner = new Uint8Array(nameBytesMax)

/** An SOA that does not enclose the name proves nothing about it. */
function hasEnclosingSoa(reply: Uint8Array, scan: ResponseScan, chain: AliasChain): boolean {
  if (scan.soaIndex < 0) return false
  const ownerAt = scan.ownerAt[scan.soaIndex] as number
  const ownerBytes = copyFoldedName(reply, ownerAt, scan.end, soaOwner)
  return ownerBytes > 0 && isAtOrBelow(chain.name, chain.nameBytes, soaOwner, ownerBytes)
}
