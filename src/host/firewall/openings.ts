/**
 * Whether a firewall that only its owner may change lets pods' DNS in already: reads its rules, and leaves out those that can only be
 * meant for other packets. Firewalld's table belongs to its process since 2.2 (`NftablesTableOwner`). Pure but for the reading.
 */
import { type Attributes, readNumber32 } from '../nft/attributes.ts'
import { Expression, metaKey, payloadBase } from '../nft/constants.ts'
import {
  chainOf,
  type ExpressionFact,
  isAcceptance,
  type RuleFact,
  readValue,
} from '../nft/decode.ts'
import type { Place } from '../nft/model.ts'
import type { Nftables } from '../nft/nftables.ts'

/** A zone of firewalld has about eight chains. */
const chainsMax = 500
/** Place of the destination port in the transport header. */
const [portOffset, portBytes] = [2, 2] as const
const equal = 0

/** Follows all jumps from a base chain. @returns whether any rule on the way may accept packets to this port */
export async function hasOpening(nftables: Nftables, base: Place, port: number): Promise<boolean> {
  const seen = new Set([base.chain])
  for (const chain of seen) {
    const rules = await nftables.rules({ ...base, chain })
    if (rules.some((rule) => mayAccept(rule, port))) return true
    const next = rules.flatMap(({ expressions }) => expressions.map(chainOf))
    for (const one of next) if (one !== undefined && seen.size < chainsMax) seen.add(one)
  }
  return false
}

/** No query of a pod is of a tracked connection, from the loopback, ICMP, or for another port. */
function mayAccept({ expressions }: RuleFact, port: number): boolean {
  if (!expressions.some(isAcceptance)) return false
  if (expressions.some(({ name }) => name === 'ct')) return false
  if (expressions.some(isLoopback)) return false
  const at = expressions.findIndex(isDestinationPort)
  if (at >= 0) return !isAnotherPort(expressions[at + 1], port)
  // A match of a protocol or a header field without a port is not about UDP or TCP.
  return !expressions.some(
    (one) => isMeta(one, metaKey.transportProtocol) || isPayload(one, payloadBase.transport),
  )
}

function isLoopback({ name, data }: ExpressionFact): boolean {
  return name === 'cmp' && comparedWith(data)?.toString('latin1').startsWith('lo\0') === true
}

function isDestinationPort(one: ExpressionFact): boolean {
  const { offset, length } = Expression.payload
  return (
    isPayload(one, payloadBase.transport) &&
    readNumber32(one.data.get(offset)) === portOffset &&
    readNumber32(one.data.get(length)) === portBytes
  )
}

/** Ranges and sets of ports count as containing the daemon's port. */
function isAnotherPort(next: ExpressionFact | undefined, port: number): boolean {
  if (next?.name !== 'cmp') return false
  if (readNumber32(next.data.get(Expression.compare.operator)) !== equal) return false
  return comparedWith(next.data)?.readUInt16BE(0) !== port
}

function comparedWith(data: Attributes): Buffer | undefined {
  return readValue(data.get(Expression.compare.data))
}

function isPayload({ name, data }: ExpressionFact, base: number): boolean {
  return name === 'payload' && readNumber32(data.get(Expression.payload.base)) === base
}

function isMeta({ name, data }: ExpressionFact, key: number): boolean {
  return name === 'meta' && readNumber32(data.get(Expression.meta.key)) === key
}
