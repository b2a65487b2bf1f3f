/** Reads facts about the kernel's nftables from netlink messages. Pure; copies what it keeps. */
import type { KernelMessage } from '../../system/netlink.ts'
import {
  type Attributes,
  eachAttribute,
  readAttributes,
  readNumber32,
  readNumber64,
  readText,
} from './attributes.ts'
import {
  Attribute,
  Expression,
  Family,
  policyDrop,
  tableFlagOwner,
  userDataComment,
  verdictCode,
  verdictRegister,
} from './constants.ts'
import { wordOf } from './expressions.ts'
import type { NftFamily, Place } from './model.ts'

/** Length of nfgenmsg, which precedes the attributes. */
const generalBytes = 4

export interface BaseChain extends Place {
  readonly hook: number
  readonly priority: number
  readonly type: string
  readonly dropsByPolicy: boolean
}

export interface RuleFact {
  readonly handle: bigint
  readonly comment: string | undefined
  readonly expressions: readonly ExpressionFact[]
}

export interface ExpressionFact {
  readonly name: string
  readonly data: Attributes
}

/** A verdict that leads to another chain. */
export interface ElementFact {
  readonly value: Buffer | undefined
  readonly chain: string | undefined
}

export function readGeneration({ body }: KernelMessage): number | undefined {
  return readNumber32(attributesOf(body).get(Attribute.generationId))
}

export interface TableFact {
  readonly family: NftFamily
  readonly name: string
  /** The table belongs to a process: no other one can change it. */
  readonly isOwned: boolean
}

export function readTable(message: KernelMessage): TableFact | undefined {
  const family = familyOf(message)
  if (family === undefined) return undefined
  const attributes = attributesOf(message.body)
  const flags = readNumber32(attributes.get(Attribute.tableFlags)) ?? 0
  return {
    family,
    name: readText(attributes.get(Attribute.tableName)),
    isOwned: (flags & tableFlagOwner) !== 0,
  }
}

/** @returns undefined for a chain without a hook, and for tables of bridges and devices */
export function readBaseChain(message: KernelMessage): BaseChain | undefined {
  const family = familyOf(message)
  const attributes = attributesOf(message.body)
  const hook = attributes.get(Attribute.chainHook)
  if (family === undefined || hook === undefined) return undefined
  const at = readAttributes(hook)
  return {
    family,
    table: readText(attributes.get(Attribute.chainTable)),
    chain: readText(attributes.get(Attribute.chainName)),
    hook: readNumber32(at.get(Attribute.hookNumber)) ?? -1,
    priority: readNumber32(at.get(Attribute.hookPriority)) ?? 0,
    type: readText(attributes.get(Attribute.chainType)),
    dropsByPolicy: readNumber32(attributes.get(Attribute.chainPolicy)) === policyDrop,
  }
}

export function readRule({ body }: KernelMessage): RuleFact {
  const copy = attributesOf(Buffer.from(body))
  const expressions = copy.get(Attribute.ruleExpressions)
  return {
    handle: readNumber64(copy.get(Attribute.ruleHandle)) ?? 0n,
    comment: commentIn(copy.get(Attribute.ruleUserData)),
    expressions: expressions === undefined ? [] : readList(expressions).map(readExpression),
  }
}

/** Elements of a set or map. */
export function readElements({ body }: KernelMessage): ElementFact[] {
  const list = attributesOf(Buffer.from(body)).get(Attribute.elements)
  if (list === undefined) return []
  return readList(list).map((element) =>
    readData(readAttributes(element).get(Attribute.elementData)),
  )
}

/** The bytes of a message that stay equal while nothing changes: all but the number of the generation. */
export function stableBytes({ body }: KernelMessage): Buffer {
  return Buffer.from(body.subarray(generalBytes))
}

/** The chain of a jump or goto. */
export function chainOf({ name, data }: ExpressionFact): string | undefined {
  if (name !== 'immediate') return undefined
  return readData(data.get(Expression.immediate.data)).chain
}

/** @returns the first register word that an expression writes; undefined when it names none */
export function destinationWord({ name, data }: ExpressionFact): number | undefined {
  const type = name === 'lookup' ? Expression.lookup.destination : Expression.immediate.destination
  const register = readNumber32(data.get(type))
  return register === undefined || register === verdictRegister ? undefined : wordOf(register)
}

/** The value in a data attribute. */
export function readValue(bytes: Buffer | undefined): Buffer | undefined {
  return readData(bytes).value
}

/** The value of an immediate. */
export function valueIn({ data }: ExpressionFact): Buffer | undefined {
  return readValue(data.get(Expression.immediate.data))
}

/** Whether the expression drops or rejects the packet. */
export function isRefusal({ name, data }: ExpressionFact): boolean {
  if (name === 'reject') return true
  if (name === 'target') return readText(data.get(Expression.xtables.name)) === 'REJECT'
  return verdictOf({ name, data }) === verdictCode.drop
}

/** Whether the expression accepts the packet. */
export function isAcceptance(one: ExpressionFact): boolean {
  return verdictOf(one) === verdictCode.accept
}

function verdictOf({ name, data }: ExpressionFact): number | undefined {
  if (name !== 'immediate') return undefined
  const verdict = verdictIn(data.get(Expression.immediate.data))
  return readNumber32(verdict?.get(Attribute.verdictCode))
}

function readData(bytes: Buffer | undefined): ElementFact {
  if (bytes === undefined) return { value: undefined, chain: undefined }
  const verdict = verdictIn(bytes)
  const chain = verdict?.get(Attribute.verdictChain)
  return {
    value: readAttributes(bytes).get(Attribute.dataValue),
    chain: chain === undefined ? undefined : readText(chain),
  }
}

function verdictIn(bytes: Buffer | undefined): Attributes | undefined {
  const verdict = bytes && readAttributes(bytes).get(Attribute.dataVerdict)
  return verdict && readAttributes(verdict)
}

function readExpression(bytes: Buffer): ExpressionFact {
  const attributes = readAttributes(bytes)
  return {
    name: readText(attributes.get(Attribute.expressionName)),
    data: readAttributes(attributes.get(Attribute.expressionData) ?? Buffer.alloc(0)),
  }
}

function readList(bytes: Buffer): Buffer[] {
  return [...eachAttribute(bytes)].map(([, value]) => value)
}

function attributesOf(body: Buffer): Attributes {
  return readAttributes(body.subarray(generalBytes))
}

function familyOf({ body }: KernelMessage): NftFamily | undefined {
  const number = body[0]
  return (['inet', 'ip', 'ip6'] as const).find((name) => Family[name] === number)
}

/** Type, length and value, each of the first two a byte (libnftnl's `nftnl_udata`). */
function commentIn(userData: Buffer | undefined): string | undefined {
  if (userData === undefined) return undefined
  for (let at = 0; at + 2 <= userData.length; ) {
    const [type = 0, length = 0] = userData.subarray(at, at + 2)
    if (type === userDataComment) return readText(userData.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return undefined
}
