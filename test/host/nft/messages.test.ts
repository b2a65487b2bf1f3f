/**
 * Goal: what is sent to the kernel about nftables is what is meant, and what it sends is read for what it says.
 * Method: messages made and read again without a kernel; the real one has nftables.test.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eachAttribute, readAttributes, text } from '../../../src/host/nft/attributes.ts'
import { readRule } from '../../../src/host/nft/decode.ts'
import { encodeChanges } from '../../../src/host/nft/encode.ts'
import type { NftRule } from '../../../src/host/nft/model.ts'
import { changesText, ruleText } from '../../../src/host/nft/text.ts'

const test = suite('host/nft/messages')
const headerBytes = 16
const rule: NftRule = {
  matches: [
    { kind: 'port', protocol: 'udp', side: 'destination', ports: 53 },
    { kind: 'address', family: 6, side: 'destination', address: 'fd00::10' },
    { kind: 'oneIn', count: 3 },
  ],
  verdict: { kind: 'dnat', family: 6, address: 'fd00:244::2', port: 5353 },
  comment: 'neardns: a test',
}

test('attributes are padded to four bytes, and cut ones end the reading', () => {
  const made = text(3, 'abcd')
  assert.is(made.length, 12)
  assert.is(made.readUInt16LE(0), 9)
  assert.is(readAttributes(made).get(3)?.toString('latin1'), 'abcd\0')
  assert.equal([...eachAttribute(made.subarray(0, 8))], [])
  assert.equal([...eachAttribute(Buffer.from([0, 0, 1, 0]))], [], 'a length below the header')
})

test('changes are one transaction: between a begin and an end, each with a request for its acknowledgement', () => {
  const messages = encodeChanges([
    { kind: 'deleteTable', family: 'inet', name: 'x' },
    { kind: 'insertRule', at: { family: 'ip', table: 'fw', chain: 'in' }, rule },
  ])
  const types = messages.map((one) => one.readUInt16LE(4))
  assert.equal(types, [0x10, 0xa02, 0xa06, 0x11])
  for (const one of messages) assert.is(one.readUInt32LE(0), one.length)
  const isAcknowledged = messages.map((one) => (one.readUInt16LE(6) & 4) !== 0)
  assert.equal(isAcknowledged, [false, true, true, false])
})

test('a table that is replaced is made, removed and made: it may be there or not', () => {
  const table = { name: 'x', isOwned: true, sets: [], chains: [] }
  const messages = encodeChanges([{ kind: 'replaceTable', table }])
  assert.equal(
    messages.map((one) => one.readUInt16LE(4)),
    [0x10, 0xa00, 0xa02, 0xa00, 0x11],
  )
})

test('a rule comes back with its comment and the names of its expressions', () => {
  const at = { family: 'inet', table: 'x', chain: 'y' } as const
  const [, message] = encodeChanges([{ kind: 'insertRule', at, rule }])
  const body = message?.subarray(headerBytes) ?? Buffer.alloc(0)
  const { comment, expressions } = readRule({ type: 0xa06, body })
  assert.is(comment, 'neardns: a test')
  assert.is(
    expressions.map(({ name }) => name).join(' '),
    'meta cmp payload cmp meta cmp payload cmp numgen cmp immediate immediate nat',
  )
})

test('texts are those that nft takes', () => {
  assert.is(
    ruleText(rule),
    'udp dport 53 ip6 daddr fd00::10 numgen random mod 3 0 dnat ip6 to [fd00:244::2]:5353 comment "neardns: a test"',
  )
  const set = { name: 'live4', family: 4 } as const
  const fill = {
    kind: 'fillSet',
    table: 't',
    set,
    addresses: ['192.0.2.1'],
    timeoutMs: 2500,
  } as const
  assert.is(
    changesText([fill, { ...fill, addresses: [] }]),
    'flush set inet t live4\nadd element inet t live4 { 192.0.2.1 timeout 2500ms }\nflush set inet t live4\n',
  )
})

test.run()
