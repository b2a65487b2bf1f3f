/** Rules as the kernel shows them, for scripted nftables. */
import { attribute, nested, number32, readAttributes, text } from '../../src/host/nft/attributes.ts'
import { Attribute, Expression, verdictCode } from '../../src/host/nft/constants.ts'
import { type ExpressionFact, type RuleFact, readRule } from '../../src/host/nft/decode.ts'
import { expressionsOf } from '../../src/host/nft/expressions.ts'
import type { NftRule } from '../../src/host/nft/model.ts'

export const reject: ExpressionFact = { name: 'reject', data: new Map() }
export const counter: ExpressionFact = { name: 'counter', data: new Map() }

export function rule(...expressions: readonly ExpressionFact[]): RuleFact {
  return { handle: 1n, comment: undefined, expressions }
}

export function jumpTo(chain: string, code: number = verdictCode.jump): RuleFact {
  return rule(verdict(number32(Attribute.verdictCode, code), text(Attribute.verdictChain, chain)))
}

/** `accept`, `drop`, by its number. */
export function verdictFact(code: number): ExpressionFact {
  return verdict(number32(Attribute.verdictCode, code))
}

function verdict(...attributes: readonly Buffer[]): ExpressionFact {
  const made = nested(Expression.immediate.data, nested(Attribute.dataVerdict, ...attributes))
  return { name: 'immediate', data: readAttributes(made) }
}

/** What an expression compares a register with. */
export function comparison(value: Uint8Array): ExpressionFact {
  const made = nested(Expression.compare.data, attribute(Attribute.dataValue, value))
  return { name: 'cmp', data: readAttributes(made) }
}

/** A rule of ours that accepts, as the kernel would show it, behind some other expressions. */
export function accepting(
  matches: NftRule['matches'],
  ...before: readonly ExpressionFact[]
): RuleFact {
  const made = expressionsOf({ matches, verdict: { kind: 'accept' } }, 'inet')
  const body = Buffer.concat([Buffer.alloc(4), nested(Attribute.ruleExpressions, ...made)])
  const { expressions } = readRule({ type: 0, body })
  return rule(...before, ...expressions)
}
