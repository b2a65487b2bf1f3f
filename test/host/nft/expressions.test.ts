/**
 * Goal: a rule is the very program of expressions that nft would make of its text, in tables of one family and of both.
 * Method: expressions made and read again; the bytes are compared with nft's own by nftables.test.ts, on a kernel.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nested, readNumber32, readText } from '../../../src/host/nft/attributes.ts'
import { Attribute, Expression } from '../../../src/host/nft/constants.ts'
import { type ExpressionFact, readRule, readValue } from '../../../src/host/nft/decode.ts'
import { expressionsOf, userDataOf, wordOf } from '../../../src/host/nft/expressions.ts'
import type { NftFamily, NftMatch, NftVerdict } from '../../../src/host/nft/model.ts'

const test = suite('host/nft/expressions')

/** A rule as the kernel would show it. */
function factsOf(
  matches: readonly NftMatch[],
  verdict: NftVerdict = { kind: 'notrack' },
  family: NftFamily = 'inet',
): readonly ExpressionFact[] {
  const made = nested(Attribute.ruleExpressions, ...expressionsOf({ matches, verdict }, family))
  return readRule({ type: 0, body: Buffer.concat([Buffer.alloc(4), made]) }).expressions
}

const namesOf = (facts: readonly ExpressionFact[]) => facts.map(({ name }) => name).join(' ')
/** What is loaded and compared, in words that can be read. */
const programOf = (facts: readonly ExpressionFact[]) =>
  facts.map(({ name, data }) => {
    const number = (type: number) => readNumber32(data.get(type))
    const { payload, compare, meta } = Expression
    if (name === 'payload')
      return `payload ${number(payload.base)} ${number(payload.offset)}+${number(payload.length)}`
    if (name === 'meta') return `meta ${number(meta.key)}`
    if (name !== 'cmp') return name
    const value = readValue(data.get(compare.data))?.toString('hex')
    return `cmp ${number(compare.operator)} ${value}`
  })

const address = (family: 4 | 6, side: 'source' | 'destination'): NftMatch => ({
  kind: 'address',
  family,
  side,
  address: family === 4 ? '169.254.20.10' : 'fd00::10',
})

test('a port is looked up in the header of its protocol, whose number is asked for first', () => {
  const port = { kind: 'port', protocol: 'udp', side: 'destination', ports: 53 } as const
  assert.equal(programOf(factsOf([port])).slice(0, 4), [
    'meta 16',
    'cmp 0 11',
    'payload 2 2+2',
    'cmp 0 0035',
  ])
  const source = programOf(factsOf([{ ...port, protocol: 'tcp', side: 'source' }]))
  assert.equal(source.slice(1, 3), ['cmp 0 06', 'payload 2 0+2'])
})

test('a range of ports is two comparisons, the ends within it', () => {
  const ports = [512, 1023] as const
  const match = { kind: 'port', protocol: 'udp', side: 'source', ports } as const
  assert.equal(programOf(factsOf([match])).slice(3, 5), ['cmp 5 0200', 'cmp 3 03ff'])
})

test('an address is at its place in the header, and in a table of both families its family is asked for', () => {
  const load = (family: 4 | 6, side: 'source' | 'destination', table: NftFamily) =>
    programOf(factsOf([address(family, side)], { kind: 'notrack' }, table))
  assert.equal(load(4, 'destination', 'inet').slice(0, 4), [
    'meta 15',
    'cmp 0 02',
    'payload 1 16+4',
    'cmp 0 a9fe140a',
  ])
  assert.equal(load(4, 'source', 'ip').slice(0, 2), ['payload 1 12+4', 'cmp 0 a9fe140a'])
  const v6 = `cmp 0 fd${'0'.repeat(28)}10`
  assert.equal(load(6, 'source', 'ip6').slice(0, 2), ['payload 1 8+16', v6])
  assert.equal(load(6, 'destination', 'inet').slice(1, 4), ['cmp 0 0a', 'payload 1 24+16', v6])
})

test('a set is looked up by its name, without a register to write to', () => {
  const match = { kind: 'set', family: 4, side: 'destination', set: 'live4' } as const
  const lookup = factsOf([match]).find(({ name }) => name === 'lookup')
  assert.is(readText(lookup?.data.get(Expression.lookup.set)), 'live4')
  assert.not.ok(lookup?.data.has(Expression.lookup.destination))
})

test('a chance of one in three is a random number below three that is zero', () => {
  const [numgen, zero] = factsOf([{ kind: 'oneIn', count: 3 }])
  assert.is(readNumber32(numgen?.data.get(Expression.numgen.modulus)), 3)
  assert.equal(zero && programOf([zero]), ['cmp 0 00000000'])
})

test('a translated connection is one whose status has the bit IPS_DST_NAT, in the byte order of the machine', () => {
  const facts = factsOf([{ kind: 'translated' }])
  assert.is(namesOf(facts), 'ct bitwise cmp notrack')
  const mask = readValue(facts[1]?.data.get(Expression.bitwise.mask))
  assert.is(mask?.toString('hex'), '20000000')
})

test('a translation loads address and port into two registers that do not lie over each other', () => {
  const verdict = { kind: 'dnat', family: 6, address: 'fd00:244::2', port: 5353 } as const
  const facts = factsOf([], verdict)
  assert.is(namesOf(facts), 'immediate immediate nat')
  const words = facts.slice(0, 2).map(({ data }) => {
    const register = readNumber32(data.get(Expression.immediate.destination)) ?? 0
    return wordOf(register)
  })
  assert.equal(words, [0, 4], 'an IPv6 address is four words')
  assert.is(readValue(facts[1]?.data.get(Expression.immediate.data))?.toString('hex'), '14e9')
  const familyOf = (one: NftVerdict) =>
    readNumber32(factsOf([], one).at(-1)?.data.get(Expression.nat.family))
  assert.is(familyOf(verdict), 10)
  assert.is(familyOf({ kind: 'dnat', family: 4, address: '10.244.0.2', port: 53 }), 2)
})

test('verdicts of one word are their expressions', () => {
  assert.is(namesOf(factsOf([], { kind: 'notrack' })), 'notrack')
  assert.is(namesOf(factsOf([], { kind: 'masquerade' })), 'masq')
  assert.is(namesOf(factsOf([], { kind: 'accept' })), 'immediate')
})

test('matches stand before the verdict, in their order', () => {
  const facts = factsOf(
    [
      { kind: 'port', protocol: 'udp', side: 'destination', ports: 53 },
      address(6, 'destination'),
      { kind: 'oneIn', count: 3 },
    ],
    { kind: 'dnat', family: 6, address: 'fd00:244::2', port: 5353 },
  )
  assert.is(
    namesOf(facts),
    'meta cmp payload cmp meta cmp payload cmp numgen cmp immediate immediate nat',
  )
})

test('a comment is type, length and text with its NUL; without one there is no user data', () => {
  const verdict = { kind: 'accept' } as const
  const made = userDataOf({ matches: [], verdict, comment: 'a' })
  assert.is(made?.toString('hex'), '00026100')
  assert.is(userDataOf({ matches: [], verdict }), undefined)
})

test('registers of 16 bytes lie over four words each, and those of 4 bytes begin at 8', () => {
  assert.equal([1, 2, 4].map(wordOf), [0, 4, 12])
  assert.equal([8, 9, 23].map(wordOf), [0, 1, 15])
})

test.run()
