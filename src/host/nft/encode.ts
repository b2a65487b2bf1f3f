/** Netlink messages for changes of nftables and for questions about it. Pure. */
import { addressBytes } from '../../address/ip-address.ts'
import { MessageFlag, messageHeaderBytes } from '../../system/netlink.ts'
import { attribute, nested, number32, number64, text } from './attributes.ts'
import {
  Attribute,
  batchBegin,
  batchEnd,
  Family,
  keyType,
  Message,
  setFlagTimeout,
  subsystem,
  tableFlagOwner,
} from './constants.ts'
import { expressionsOf, userDataOf } from './expressions.ts'
import type { NftChain, NftChange, NftFamily, NftRule, NftSet, NftTable, Place } from './model.ts'

const familyNumber: Readonly<Record<NftFamily, number>> = Family
/** NF_INET_*. */
const hookNumber = { prerouting: 0, output: 3, postrouting: 4 } as const
const acceptPolicy = 1

/** One transaction; the kernel answers each message of it. */
export function encodeChanges(changes: readonly NftChange[]): Buffer[] {
  return [
    message({ type: batchBegin, flags: 0, family: 0, resource: subsystem }),
    ...changes.flatMap(encodeChange),
    message({ type: batchEnd, flags: 0, family: 0, resource: subsystem }),
  ]
}

function encodeChange(change: NftChange): Buffer[] {
  switch (change.kind) {
    case 'addTable':
      return encodeTable(change.table)
    case 'replaceTable': {
      const { name } = change.table
      // The first message creates an absent table, so that the second can always remove it.
      return [
        newTable({ ...change.table, isOwned: false }),
        deleteTable('inet', name),
        ...encodeTable(change.table),
      ]
    }
    case 'deleteTable':
      return [deleteTable(change.family, change.name)]
    case 'fillSet':
      return fillSet(change)
    case 'insertRule':
      return [newRule(change.at, change.rule, 0)]
    case 'deleteRule':
      return [
        order(Message.deleteRule, change.at.family, 0, [
          ...placeAttributes(change.at),
          number64(Attribute.ruleHandle, change.handle),
        ]),
      ]
  }
}

function encodeTable(table: NftTable): Buffer[] {
  const chains = table.chains.flatMap((chain) => [
    newChain(table.name, chain),
    ...chain.rules.map((rule) =>
      newRule({ family: 'inet', table: table.name, chain: chain.name }, rule, MessageFlag.append),
    ),
  ])
  return [newTable(table), ...table.sets.map((set, i) => newSet(table.name, set, i + 1)), ...chains]
}

function newTable({ name, isOwned }: NftTable): Buffer {
  const flags = isOwned ? [number32(Attribute.tableFlags, tableFlagOwner)] : []
  return order(Message.newTable, 'inet', MessageFlag.create, [
    text(Attribute.tableName, name),
    ...flags,
  ])
}

function deleteTable(family: NftFamily, name: string): Buffer {
  return order(Message.deleteTable, family, 0, [text(Attribute.tableName, name)])
}

/** Without the user data in which newer versions of nft describe a key: older ones abort with an assertion when they read it. */
function newSet(table: string, { name, family }: NftSet, id: number): Buffer {
  return order(Message.newSet, 'inet', MessageFlag.create, [
    text(Attribute.setTable, table),
    text(Attribute.setName, name),
    number32(Attribute.setFlags, setFlagTimeout),
    number32(Attribute.setKeyType, keyType[family]),
    number32(Attribute.setKeyLength, family === 4 ? 4 : 16),
    number32(Attribute.setId, id),
  ])
}

function newChain(table: string, { name, type, hook, priority }: NftChain): Buffer {
  return order(Message.newChain, 'inet', MessageFlag.create, [
    text(Attribute.chainTable, table),
    text(Attribute.chainName, name),
    nested(
      Attribute.chainHook,
      number32(Attribute.hookNumber, hookNumber[hook]),
      number32(Attribute.hookPriority, priority),
    ),
    number32(Attribute.chainPolicy, acceptPolicy),
    text(Attribute.chainType, type),
  ])
}

/** @param position `append`, or 0 for the head of the chain */
function newRule(at: Place, rule: NftRule, position: number): Buffer {
  const userData = userDataOf(rule)
  return order(Message.newRule, at.family, MessageFlag.create | position, [
    ...placeAttributes(at),
    nested(Attribute.ruleExpressions, ...expressionsOf(rule, at.family)),
    ...(userData === undefined ? [] : [attribute(Attribute.ruleUserData, userData)]),
  ])
}

function placeAttributes({ table, chain }: Place): Buffer[] {
  return [text(Attribute.ruleTable, table), text(Attribute.ruleChain, chain)]
}

function fillSet(change: Extract<NftChange, { kind: 'fillSet' }>): Buffer[] {
  const { table, set, addresses, timeoutMs } = change
  const place = [text(Attribute.elementsTable, table), text(Attribute.elementsSet, set.name)]
  const flush = order(Message.deleteElement, 'inet', 0, place)
  if (addresses.length === 0) return [flush]
  const elements = addresses.map((address) =>
    nested(
      Attribute.listElement,
      nested(Attribute.elementKey, attribute(Attribute.dataValue, addressBytes(address))),
      number64(Attribute.elementTimeout, BigInt(timeoutMs)),
    ),
  )
  const add = [...place, nested(Attribute.elements, ...elements)]
  return [flush, order(Message.newElement, 'inet', MessageFlag.create, add)]
}

/** A message of a transaction. */
function order(
  type: number,
  family: NftFamily,
  flags: number,
  attributes: readonly Buffer[],
): Buffer {
  return message({
    type: (subsystem << 8) | type,
    flags: flags | MessageFlag.ack,
    family: familyNumber[family],
    attributes,
  })
}

/** A question outside of any transaction. @param flags `dump` for all of a kind, 0 for one thing */
export function question(
  type: number,
  family: NftFamily | 'any',
  flags: number,
  attributes: readonly Buffer[] = [],
): Buffer {
  return message({
    type: (subsystem << 8) | type,
    flags,
    family: family === 'any' ? Family.unspecified : familyNumber[family],
    attributes,
  })
}

interface Frame {
  readonly type: number
  readonly flags: number
  readonly family: number
  /** `res_id` of nfgenmsg. */
  readonly resource?: number
  readonly attributes?: readonly Buffer[]
}

/** nlmsghdr, nfgenmsg, attributes. */
function message({ type, flags, family, resource = 0, attributes = [] }: Frame): Buffer {
  const head = Buffer.alloc(messageHeaderBytes + 4)
  const made = Buffer.concat([head, ...attributes])
  made.writeUInt32LE(made.length, 0)
  made.writeUInt16LE(type, 4)
  made.writeUInt16LE(flags | MessageFlag.request, 6)
  made.writeUInt8(family, messageHeaderBytes)
  made.writeUInt16BE(resource, messageHeaderBytes + 2)
  return made
}
