/** Goal: messages are protobuf of dnstap.proto. Method: one message by hand; real readers in tap.test.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { queryMessage, replyMessage } from '../../../src/daemon/dnstap/message.ts'

const test = suite('daemon/dnstap/message')

const query = {
  identity: Buffer.from('n'),
  version: Buffer.from('v'),
  isTcp: false,
  clientAddress: Uint8Array.of(10, 0, 0, 1),
  clientPort: 300,
  serverAddress: Uint8Array.of(10, 0, 0, 2),
  serverPort: 53,
  queryMs: 1500,
  query: Buffer.from('q'),
}

test('a query, byte for byte', () => {
  const message = [
    '0805', // type CLIENT_QUERY
    '1001', // INET
    '1801', // UDP
    '22040a000001',
    '2a040a000002',
    '30ac02',
    '3835',
    '4001', // a second
    '4d0065cd1d', // 500,000,000 ns
    '520171',
  ].join('')
  const bytes = (message.length / 2).toString(16)
  assert.is(queryMessage(query).toString('hex'), `0a016e12017672${bytes}${message}7801`)
})

test('without messages the rest is the same', () => {
  const { query: _, ...bare } = query
  const hex = queryMessage(bare).toString('hex')
  assert.is(hex.includes('520171'), false)
  assert.ok(hex.includes('4d0065cd1d7801'), hex)
  const reply = replyMessage({ ...bare, replyMs: 2000 }).toString('hex')
  assert.ok(reply.endsWith('6d000000007801'), reply)
})

test('a reply has both times, and its family and transport', () => {
  const six = { ...query, isTcp: true, clientAddress: new Uint8Array(16) }
  const hex = replyMessage({ ...six, replyMs: 2000, reply: Buffer.from('r') }).toString('hex')
  for (const part of ['0806', '1002', '1802', '6002', '6d00000000', '720172'])
    assert.ok(hex.includes(part), part)
})

test.run()
