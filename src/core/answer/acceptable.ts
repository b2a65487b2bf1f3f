/**
 * Which records of an upstream's response are passed on. From the cluster's own CoreDNS: all. From other upstreams: the alias
 * chain of the question, the SOA of a negative answer, and for clients that validate the proofs. Never NS, never glue: messages
 * are cached by question, so nothing else could use them, and a stub must not see them. Also their order in the answer.
 */
import { u16 } from '../../wire/bytes.ts'
import { RrType } from '../../wire/constants.ts'
import type { ResponseScan } from '../../wire/scan.ts'
import { type AliasChain, coveredType } from './alias-chain.ts'

const keep = new Uint8Array(6_000)

/** Records of the answer that belong to no link of the chain come last: CoreDNS has put them there, and its answers are not judged. */
const stranger = 255

/** @returns a number per record, as `makeImage` takes them; valid until the next call */
export function keepAll(reply: Uint8Array, scan: ResponseScan, chain: AliasChain): Uint8Array {
  keep.fill(1, 0, scan.records)
  for (let i = 0; i < scan.answers; i++) {
    keep[i] = chain.reached[i] === 0 ? stranger : placeInChain(reply, scan, chain, i)
  }
  return keep
}

/**
 * @param chain followed through this same response
 * @param dnssecOk the question had DO set
 * @returns a number per record, as `makeImage` takes them; valid until the next call
 */
export function keepAnswerOnly(
  reply: Uint8Array,
  scan: ResponseScan,
  chain: AliasChain,
  dnssecOk: boolean,
): Uint8Array {
  keep.fill(0, 0, scan.records)
  for (let i = 0; i < scan.answers; i++) {
    const type = u16(reply, scan.typeAt[i] as number)
    const isProof = type === RrType.rrsig || type === RrType.dname
    const isKept = chain.reached[i] !== 0 && (!isProof || dnssecOk || isAsked(reply, scan, type))
    keep[i] = isKept ? placeInChain(reply, scan, chain, i) : 0
  }
  if (chain.isForeign) return keep
  for (let i = scan.answers; i < scan.answers + scan.authorities; i++) {
    const type = u16(reply, scan.typeAt[i] as number)
    keep[i] = i === scan.soaIndex || (dnssecOk && isDenialProof(type)) ? 1 : 0
  }
  return keep
}

/** More than the places within one link. */
const placesPerLink = 8

/**
 * glibc reads the answer section once and follows aliases as they come, so an address before its CNAME is lost (RFC 1034 4.3.2 builds
 * the section in chain order). Within a link: DNAME, the CNAME made from it (RFC 6672 3.1), data; each set before its signatures.
 * ANY keeps its upstream's order.
 */
function placeInChain(
  reply: Uint8Array,
  scan: ResponseScan,
  chain: AliasChain,
  index: number,
): number {
  const link = chain.reached[index] as number
  if (u16(reply, scan.questionEnd - 4) === RrType.any) return link
  const isSignature = u16(reply, scan.typeAt[index] as number) === RrType.rrsig
  const of = coveredType(reply, scan, index)
  const kind = of === RrType.dname ? 0 : of === RrType.cname ? 1 : 2
  return (link - 1) * placesPerLink + 2 * kind + (isSignature ? 2 : 1)
}

function isAsked(reply: Uint8Array, scan: ResponseScan, type: number): boolean {
  const qtype = u16(reply, scan.questionEnd - 4)
  return qtype === type || qtype === RrType.any
}

/** RFC 4035 3.1.3, RFC 5155 7.2. */
function isDenialProof(type: number): boolean {
  return type === RrType.nsec || type === RrType.nsec3 || type === RrType.rrsig
}
