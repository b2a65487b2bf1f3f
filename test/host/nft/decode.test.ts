/**
 * Goal: what the kernel says about its nftables is read for what it means, whoever made the rules and however damaged a message is.
 * Method: messages of a real kernel about kube-proxy, firewalld and ufw (test/host/captures), and some made by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nested, number32, text } from '../../../src/host/nft/attributes.ts'
import { Attribute, verdictCode } from '../../../src/host/nft/constants.ts'
import {
  chainOf,
  destinationWord,
  isAcceptance,
  isRefusal,
  readBaseChain,
  readElements,
  readGeneration,
  readRule,
  readTable,
  readValue,
  stableBytes,
  valueIn,
} from '../../../src/host/nft/decode.ts'
import type { KernelMessage } from '../../../src/system/netlink.ts'
import { jumpTo, verdictFact } from '../made-rules.ts'
import { readCapture } from '../replayed-nftables.ts'

const test = suite('host/nft/decode')

const firewalld = readCapture('firewalld-2.3.1')
const kubeProxy = readCapture('kube-proxy-nftables-1.37.2')
const iptables = readCapture('kube-proxy-iptables-1.37.2-trixie')

function answerTo(capture: typeof firewalld, question: string): readonly KernelMessage[] {
  const messages = capture.get(question)
  if (messages === undefined || messages.length === 0) throw new Error(question)
  return messages
}

/** A message as the kernel frames it: family, version, resource, attributes. */
function framed(family: number, ...attributes: readonly Buffer[]): KernelMessage {
  return { type: 0xa00, body: Buffer.concat([Buffer.from([family, 0, 0, 0]), ...attributes]) }
}

test('the generation is a number, or nothing where the message has none', () => {
  const [message] = answerTo(kubeProxy, 'generation')
  assert.ok(Number(message && readGeneration(message)) > 0)
  assert.is(readGeneration(framed(0)), undefined)
})

test("tables of kube-proxy are found in both families, those of iptables-nft beside them; none has an owner's flag", () => {
  const tables = answerTo(kubeProxy, 'tables').map(readTable)
  const proxies = tables.filter((one) => one?.name === 'kube-proxy')
  assert.equal(
    proxies.map((one) => one?.family),
    ['ip', 'ip6'],
  )
  assert.ok(tables.every((one) => one?.isOwned === false))
})

test('a table with an owner has the flag among others', () => {
  const flagged = (flags: number) =>
    readTable(framed(1, text(Attribute.tableName, 't'), number32(Attribute.tableFlags, flags)))
  assert.is(flagged(2)?.isOwned, true)
  // `dormant` and `persist`.
  assert.is(flagged(1 | 2 | 4)?.isOwned, true)
  assert.is(flagged(1)?.isOwned, false)
})

test('tables and chains of bridges and devices are none of ours', () => {
  const [bridge, netdev] = [7, 5]
  const hook = nested(Attribute.chainHook, number32(Attribute.hookNumber, 1))
  for (const family of [bridge, netdev]) {
    assert.is(readTable(framed(family, text(Attribute.tableName, 't'))), undefined)
    assert.is(readBaseChain(framed(family, hook)), undefined)
  }
})

test("firewalld's base chains have hook, priority and policy; its other chains are none", () => {
  const chains = answerTo(firewalld, 'baseChains')
  const bases = chains.flatMap((message) => readBaseChain(message) ?? [])
  assert.ok(bases.length > 0 && bases.length < chains.length)
  assert.equal(
    bases.find(({ chain }) => chain === 'filter_INPUT'),
    {
      family: 'inet',
      table: 'firewalld',
      chain: 'filter_INPUT',
      hook: 1,
      priority: 10,
      type: 'filter',
      dropsByPolicy: false,
    },
  )
})

test('a policy that drops is seen', () => {
  const bases = answerTo(readCapture('ufw-0.36.2'), 'baseChains').flatMap(
    (message) => readBaseChain(message) ?? [],
  )
  assert.equal(
    bases
      .filter(({ dropsByPolicy }) => dropsByPolicy)
      .map(({ family, chain }) => `${family} ${chain}`),
    ['ip INPUT', 'ip6 INPUT'],
  )
})

test('a chain without a policy does not drop', () => {
  const hook = nested(Attribute.chainHook, number32(Attribute.hookNumber, 1))
  assert.is(readBaseChain(framed(1, hook))?.dropsByPolicy, false)
})

test("firewalld's input chain accepts first, jumps, and refuses at its end", () => {
  const rules = answerTo(firewalld, 'rules inet firewalld filter_INPUT').map(readRule)
  assert.ok(rules[0]?.expressions.some(isAcceptance))
  assert.ok(rules.at(-1)?.expressions.some(isRefusal))
  assert.not.ok(rules.at(-1)?.expressions.some(isAcceptance))
  const jumps = rules.flatMap(({ expressions }) => expressions.flatMap((one) => chainOf(one) ?? []))
  assert.equal(jumps, ['filter_INPUT_POLICIES'])
  const handles = rules.map(({ handle }) => handle)
  assert.equal(new Set(handles).size, rules.length)
  assert.ok(handles.every((handle) => handle > 0n))
})

test('decoded rules are copies, because the next read overwrites the buffer', () => {
  const [message] = answerTo(firewalld, 'rules inet firewalld filter_INPUT')
  const body = Buffer.from(message?.body ?? [])
  const read = readRule({ type: 0xa06, body })
  const before = read.expressions.map(({ name, data }) => [name, [...data.keys()]])
  const value = read.expressions.map(({ data }) => data.get(1)?.toString('hex'))
  body.fill(0xff)
  assert.equal(
    read.expressions.map(({ name, data }) => [name, [...data.keys()]]),
    before,
  )
  assert.equal(
    read.expressions.map(({ data }) => data.get(1)?.toString('hex')),
    value,
  )
})

test("the map of kube-proxy leads from an address to the Service's chain", () => {
  const question = [...kubeProxy.keys()].find((one) => one.startsWith('element ip '))
  const [element] = answerTo(kubeProxy, question ?? '').flatMap(readElements)
  assert.match(element?.chain ?? '', /^service-\w+-kube-system\/kube-dns\/udp\/dns$/)
  assert.is(element?.value, undefined)
})

test('an anonymous map of kube-proxy has a chain for each pod', () => {
  const elements = answerTo(kubeProxy, 'elements ip kube-proxy __map2').flatMap(readElements)
  assert.is(elements.length, 2)
  assert.ok(elements.every(({ chain, value }) => chain !== undefined || value !== undefined))
})

test("a rule of iptables-nft has no comment of nft's, and its target is no verdict", () => {
  const rules = answerTo(iptables, 'rules ip nat KUBE-SERVICES').map(readRule)
  assert.ok(rules.every(({ comment }) => comment === undefined))
  const jumps = rules.flatMap(({ expressions }) => expressions.flatMap((one) => chainOf(one) ?? []))
  assert.ok(jumps.length > 0 && jumps.every((chain) => chain.startsWith('KUBE-')))
})

test('an immediate is a value or a verdict, never both', () => {
  const [jump] = jumpTo('zone').expressions
  assert.ok(jump !== undefined)
  assert.equal([chainOf(jump), valueIn(jump), isAcceptance(jump)], ['zone', undefined, false])
  const drop = verdictFact(verdictCode.drop)
  assert.equal([isRefusal(drop), chainOf(drop)], [true, undefined])
  assert.is(isRefusal({ name: 'lookup', data: drop.data }), false, 'only an immediate decides')
  assert.is(isRefusal({ name: 'reject', data: new Map() }), true)
})

test('a verdict is in no register that another expression could read', () => {
  const at = (register: number) =>
    destinationWord({ name: 'immediate', data: new Map([[1, number32(1, register).subarray(4)]]) })
  assert.equal([at(0), at(1), at(8)], [undefined, 0, 0])
  assert.is(destinationWord({ name: 'immediate', data: new Map() }), undefined)
})

test('the comment is found behind other user data, and cut user data has none', () => {
  const commentOf = (hex: string) => {
    const userData = Buffer.from(hex, 'hex')
    const length = Buffer.alloc(4)
    length.writeUInt16LE(4 + userData.length)
    length.writeUInt16LE(Attribute.ruleUserData, 2)
    return readRule(framed(1, Buffer.concat([length, userData]))).comment
  }
  assert.is(commentOf('0003616200'), 'ab')
  assert.is(commentOf('0102ffff0003616200'), 'ab')
  assert.is(commentOf('01'), undefined)
  assert.is(commentOf('0102ffff'), undefined)
})

test('stableBytes leaves out the generation, which moves with every change', () => {
  const body = Buffer.from([2, 0, 0x12, 0x34, 5, 6, 7, 8])
  const other = Buffer.from([2, 0, 0x56, 0x78, 5, 6, 7, 8])
  assert.equal(stableBytes({ type: 0, body }), stableBytes({ type: 0, body: other }))
  other[7] = 9
  assert.is.not(
    stableBytes({ type: 0, body }).toString('hex'),
    stableBytes({ type: 0, body: other }).toString('hex'),
  )
})

test('every message cut anywhere is read as far as it goes, and never throws', () => {
  const messages = [...firewalld.values(), ...kubeProxy.values()].flat().slice(0, 200)
  for (const { type, body } of messages) {
    for (let length = 0; length < body.length; length += 7) {
      const cut = { type, body: body.subarray(0, length) }
      readTable(cut)
      readBaseChain(cut)
      for (const { value } of readElements(cut)) assert.ok(value === undefined || value.length >= 0)
      for (const one of readRule(cut).expressions) {
        chainOf(one)
        valueIn(one)
        destinationWord(one)
      }
    }
  }
  assert.is(readValue(undefined), undefined)
})

test.run()
