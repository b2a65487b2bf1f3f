/**
 * Goal: what is sent to the kernel about nftables is what is meant: frames, flags, order.
 * Method: messages made and their headers read, without a kernel; the real one has nftables.test.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readAttributes, readNumber32, readText } from '../../../src/host/nft/attributes.ts'
import { Attribute, Family, Message } from '../../../src/host/nft/constants.ts'
import { readRule } from '../../../src/host/nft/decode.ts'
import { encodeChanges, question } from '../../../src/host/nft/encode.ts'
import type { NftChange, NftRule, NftTable } from '../../../src/host/nft/model.ts'

const test = suite('host/nft/encode')

const headerBytes = 16
const generalBytes = 4
const [flagRequest, flagAck, flagCreate, flagAppend, flagDump] = [0x1, 0x4, 0x400, 0x800, 0x300]
const rule: NftRule = {
  matches: [{ kind: 'port', protocol: 'udp', side: 'destination', ports: 53 }],
  verdict: { kind: 'accept' },
  comment: 'neardns: a test',
}
const at = { family: 'ip', table: 'fw', chain: 'in' } as const
const set = { name: 'live4', family: 4 } as const
const table: NftTable = {
  name: 'neardns-0a0b0c0d',
  isOwned: true,
  sets: [set],
  chains: [{ name: 'output', type: 'filter', hook: 'output', priority: -300, rules: [rule, rule] }],
}

const typeOf = (message: Buffer) => message.readUInt16LE(4)
const flagsOf = (message: Buffer) => message.readUInt16LE(6)
const attributesOf = (message: Buffer | undefined) =>
  readAttributes((message ?? Buffer.alloc(0)).subarray(headerBytes + generalBytes))
/** The changes' own messages, by the number of their kind in nf_tables. */
const kindsOf = (...changes: readonly NftChange[]) =>
  encodeChanges(changes)
    .slice(1, -1)
    .map((message) => typeOf(message) & 0xff)

test('changes are one transaction: between a begin and an end, each with a request for its acknowledgement', () => {
  const messages = encodeChanges([
    { kind: 'deleteTable', family: 'inet', name: 'x' },
    { kind: 'insertRule', at, rule },
  ])
  assert.equal(messages.map(typeOf), [0x10, 0xa02, 0xa06, 0x11])
  for (const one of messages) assert.is(one.readUInt32LE(0), one.length)
  for (const one of messages) assert.is(flagsOf(one) & flagRequest, flagRequest)
  const isAcknowledged = messages.map((one) => (flagsOf(one) & flagAck) !== 0)
  assert.equal(isAcknowledged, [false, true, true, false])
})

test('begin and end name nf_tables in network byte order, as nfnetlink wants it', () => {
  const [begin, end] = encodeChanges([])
  for (const one of [begin, end]) assert.is(one?.readUInt16BE(headerBytes + 2), 10)
})

test('a table is made before its sets, these before the chains whose rules look them up', () => {
  const { newTable, newSet, newChain, newRule } = Message
  assert.equal(kindsOf({ kind: 'addTable', table }), [newTable, newSet, newChain, newRule, newRule])
})

test('a table that is replaced is made, removed and made: it may be there or not', () => {
  const { newTable, deleteTable } = Message
  const bare = { ...table, sets: [], chains: [] }
  assert.equal(kindsOf({ kind: 'replaceTable', table: bare }), [newTable, deleteTable, newTable])
  const [, first, , last] = encodeChanges([{ kind: 'replaceTable', table: bare }])
  const flags = (message: Buffer | undefined) =>
    readNumber32(attributesOf(message).get(Attribute.tableFlags))
  assert.is(flags(first), undefined, 'one that is there without an owner could not get one')
  assert.is(flags(last), 2)
})

test('rules of our own chains are appended in their order, those for others go to the head', () => {
  const ours = encodeChanges([{ kind: 'addTable', table }]).filter(
    (one) => (typeOf(one) & 0xff) === Message.newRule,
  )
  const [, theirs] = encodeChanges([{ kind: 'insertRule', at, rule }])
  for (const one of ours) assert.is(flagsOf(one) & (flagAppend | flagCreate), 0xc00)
  assert.is(flagsOf(theirs ?? Buffer.alloc(8)) & (flagAppend | flagCreate), flagCreate)
})

test('each message says the family of its table', () => {
  const familyOf = (change: NftChange) => encodeChanges([change])[1]?.[headerBytes]
  assert.is(familyOf({ kind: 'insertRule', at, rule }), Family.ip)
  assert.is(familyOf({ kind: 'deleteRule', at: { ...at, family: 'ip6' }, handle: 3n }), Family.ip6)
  assert.is(familyOf({ kind: 'addTable', table }), Family.inet)
  assert.is(familyOf({ kind: 'deleteTable', family: 'ip', name: 'raw' }), Family.ip)
})

test('a chain has its hook, its priority and a policy that accepts', () => {
  const made = encodeChanges([{ kind: 'addTable', table }]).find(
    (one) => (typeOf(one) & 0xff) === Message.newChain,
  )
  const attributes = attributesOf(made)
  const hook = readAttributes(attributes.get(Attribute.chainHook) ?? Buffer.alloc(0))
  assert.equal(
    [
      readText(attributes.get(Attribute.chainType)),
      readNumber32(hook.get(Attribute.hookNumber)),
      readNumber32(hook.get(Attribute.hookPriority)),
      readNumber32(attributes.get(Attribute.chainPolicy)),
    ],
    ['filter', 3, -300, 1],
  )
})

test('a set has the key of its family, times for its elements and a number of its own', () => {
  const sets = [set, { name: 'live6', family: 6 }] as const
  const made = encodeChanges([{ kind: 'addTable', table: { ...table, sets, chains: [] } }])
    .filter((one) => (typeOf(one) & 0xff) === Message.newSet)
    .map(attributesOf)
  const { setFlags, setKeyType, setKeyLength, setId } = Attribute
  const numbers = made.map((one) =>
    [setFlags, setKeyType, setKeyLength, setId].map((type) => readNumber32(one.get(type))),
  )
  // NFT_SET_TIMEOUT; ipv4_addr and ipv6_addr are nft's types 7 and 8.
  assert.equal(numbers, [
    [0x10, 7, 4, 1],
    [0x10, 8, 16, 2],
  ])
})

test('a set is emptied before it is filled, and only emptied when nothing is to be in it', () => {
  const fill = { kind: 'fillSet', table: 't', set, timeoutMs: 2500 } as const
  const { deleteElement, newElement } = Message
  assert.equal(kindsOf({ ...fill, addresses: ['192.0.2.1'] }), [deleteElement, newElement])
  assert.equal(kindsOf({ ...fill, addresses: [] }), [deleteElement])
})

test('an element is its address and its time in milliseconds', () => {
  const fill = {
    kind: 'fillSet',
    table: 't',
    set,
    addresses: ['192.0.2.1'],
    timeoutMs: 2500,
  } as const
  const [, , add] = encodeChanges([fill])
  const elements = attributesOf(add).get(Attribute.elements)?.toString('hex')
  // Attribute 1: nested key with the address as its value; attribute 4: the time in 64 bits.
  assert.is(elements, '1c0001800c00018008000100c00002010c00040000000000000009c4')
})

test('a rule comes back with its comment, and a rule to delete is named by its handle', () => {
  const [, message] = encodeChanges([{ kind: 'insertRule', at, rule }])
  const body = message?.subarray(headerBytes) ?? Buffer.alloc(0)
  assert.is(readRule({ type: 0xa06, body }).comment, 'neardns: a test')
  const [, deletion] = encodeChanges([{ kind: 'deleteRule', at, handle: 2n ** 40n }])
  const deleted = readRule({ type: 0xa08, body: deletion?.subarray(headerBytes) ?? body })
  assert.is(deleted.handle, 2n ** 40n)
})

test('a question about anything has no family, one for a list asks for a dump', () => {
  const asked = question(Message.getTable, 'any', flagDump)
  // nlmsghdr: length, type, flags, then sequence number and port, which the socket fills in; nfgenmsg.
  assert.is(asked.toString('hex'), '14000000010a0103000000000000000000000000')
  const one = question(Message.getElement, 'ip6', 0)
  assert.equal([flagsOf(one), one[headerBytes]], [flagRequest, Family.ip6])
})

test.run()
