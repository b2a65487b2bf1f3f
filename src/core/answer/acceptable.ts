/**
 * Which records of an upstream's response are passed on. From the cluster's own CoreDNS: all. From other upstreams: the alias
 * chain of the question, the SOA of a negative answer, and for clients that validate the proofs. Never NS, never glue: messages
 * are cached by question, so nothing else could use them, and a stub must not see them.
 */
import { u16 } from '../../wire/bytes.ts'
import { RrType } from '../../wire/constants.ts'
import type { ResponseScan } from '../../wire/scan.ts'
import type { AliasChain } from './alias-chain.ts'

const keep = new Uint8Array(6_000)

/** @returns one byte per record, nonzero to keep; valid until the next call */
export function keepAll(scan: ResponseScan): Uint8Array {
  keep.fill(1, 0, scan.records)
  return keep
}

/**
 * @param chain followed through this same response
 * @param dnssecOk the question had DO set
 * @returns one byte per record, nonzero to keep; valid until the next call
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
    keep[i] = chain.reached[i] !== 0 && (!isProof || dnssecOk || isAsked(reply, scan, type)) ? 1 : 0
  }
  if (chain.isForeign) return keep
  for (let i = scan.answers; i < scan.answers + scan.authorities; i++) {
    const type = u16(reply, scan.typeAt[i] as number)
    keep[i] = i === scan.soaIndex || (dnssecOk && isDenialProof(type)) ? 1 : 0
  }
  return keep
}

function isAsked(reply: Uint8Array, scan: ResponseScan, type: number): boolean {
  const qtype = u16(reply, scan.questionEnd - 4)
  return qtype === type || qtype === RrType.any
}

/** RFC 4035 3.1.3, RFC 5155 7.2. */
function isDenialProof(type: number): boolean {
  return type === RrType.nsec || type === RrType.nsec3 || type === RrType.rrsig
}
