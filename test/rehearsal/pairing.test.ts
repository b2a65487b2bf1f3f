// Goal: each reply finds the query that it answers. Method: datagrams of one pod and one server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Datagram, readPacket } from '../../src/rehearsal/packet.ts'
import { Pairing } from '../../src/rehearsal/pairing.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { replyTo, toPod, toServer, udp } from './support.ts'

const test = suite('rehearsal/pairing')

function datagram(ends: typeof toServer, payload: Buffer): Datagram {
  const read = readPacket(udp(ends, payload))
  if (read?.kind !== 'udp') throw new Error('no datagram')
  return read
}

const query = writeQuery('Www.example.com', 'A', { id: 7 })
const reply = datagram(toPod, replyTo(query, { addresses: ['192.0.2.1'] }))

test('a reply is paired by client, port, server, ID and question', () => {
  const pairing = new Pairing()
  pairing.takeQuery(datagram(toServer, query), 1000)
  const others = [
    datagram({ ...toPod, toPort: 40_001 }, reply.payload),
    datagram({ ...toPod, from: '10.96.0.10' }, reply.payload),
    datagram(toPod, replyTo(writeQuery('www.example.com', 'A', { id: 8 }))),
    datagram(toPod, replyTo(writeQuery('www.example.com', 'AAAA', { id: 7 }))),
    datagram(toPod, replyTo(writeQuery('www.example.org', 'A', { id: 7 }))),
  ]
  for (const other of others) assert.is(pairing.takeReply(other, 1001).kind, 'late')
  const paired = pairing.takeReply(reply, 1002)
  assert.ok(paired.kind === 'reply')
  assert.equal([paired.query.atMs, paired.query.repliedMs, pairing.waiting], [1000, 1002, 0])
  assert.is(pairing.takeReply(reply, 1003).kind, 'late', 'one query, one reply')
})

test('of a query that was sent twice each has its own reply, in order', () => {
  const pairing = new Pairing()
  for (const atMs of [1000, 6000]) pairing.takeQuery(datagram(toServer, query), atMs)
  const queries = [6001, 6002].map((atMs) => {
    const paired = pairing.takeReply(reply, atMs)
    return paired.kind === 'reply' ? paired.query.atMs : 0
  })
  assert.equal(queries, [1000, 6000])
})

test('two questions with one ID and port are told apart by their names', () => {
  const pairing = new Pairing()
  const other = writeQuery('other.example.com', 'A', { id: 7 })
  pairing.takeQuery(datagram(toServer, query), 1000)
  pairing.takeQuery(datagram(toServer, other), 1000)
  const paired = pairing.takeReply(datagram(toPod, replyTo(other)), 1001)
  assert.ok(paired.kind === 'reply' && paired.query.bytes.equals(other))
})

test('an error without a question is taken by its ID', () => {
  const pairing = new Pairing()
  pairing.takeQuery(datagram(toServer, query), 1000)
  const bare = Buffer.from(reply.payload.subarray(0, 12))
  bare.writeUInt16BE(0, 4)
  assert.is(pairing.takeReply(datagram(toPod, bare), 1001).kind, 'reply')
})

test('a query that has waited too long is given up', () => {
  const pairing = new Pairing()
  pairing.takeQuery(datagram(toServer, query), 1000)
  pairing.forget(1000)
  assert.is(pairing.waiting, 1)
  pairing.forget(1001)
  assert.equal([pairing.waiting, pairing.takeReply(reply, 1002).kind], [0, 'late'])
})

test('junk is neither', () => {
  const pairing = new Pairing()
  assert.is(pairing.takeQuery(datagram(toServer, Buffer.from('junk')), 1).kind, 'malformed')
  assert.is(pairing.takeReply(datagram(toPod, query), 1).kind, 'malformed', 'no response')
})

test.run()
