/** Goal: the structures are those of hit.bpf.c. Method: bytes at their places; what the program makes of them is in program.test.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  answerSize,
  keyBytes,
  writeAddress,
  writeAnswer,
  writeKey,
  writeSettings,
} from '../../src/kernel/layout.ts'
import { makeImage } from '../../src/wire/image.ts'
import { aRecord, record, responseTo, scanned } from '../core/support.ts'
import { name, octets } from '../fixtures/packets/octets.ts'

const test = suite('kernel/layout')

const secret = { seed: 1n, multiplier: 3n }

function imageOf(response: Buffer): Buffer {
  const scan = scanned(response)
  const image = makeImage(response, scan, new Uint8Array(scan.records).fill(1), false)
  if (image === undefined) throw new Error('no image')
  return Buffer.from(image)
}

function written(qname: string, response: Buffer): Buffer | undefined {
  const into = Buffer.alloc(answerSize, 0xee)
  const times = { generation: 7n, storedNs: 8n, expiresNs: 9n, slot: 10, agedSeconds: 5, run: 0 }
  const isWritten = writeAnswer(into, { ...times, image: imageOf(response), name: name(qname) })
  return isWritten ? into : undefined
}

test('an answer has its TTLs apart, as they were at storing, and zeros in their places', () => {
  const into = written('a.b', responseTo('a.b', 'A', { answers: [aRecord('a.b', '10.0.0.1', 20)] }))
  assert.ok(into)
  assert.equal([into.readBigUInt64LE(0), into.readBigUInt64LE(944)], [7n, 7n])
  assert.equal([into.readBigUInt64LE(888), into.readBigUInt64LE(896)], [8n, 9n])
  assert.is(into.toString('latin1', 8, 13), '\x01a\x01b\x00')
  assert.is(into.readUInt32LE(904), 10)
  assert.is(into.toString('hex', 908, 916), '8180000100000000'.replace('8180', '8080'))
  assert.equal([into.readUInt16LE(916), into.readUInt16LE(920)], [16, 1])
  assert.equal([into.readUInt32LE(928), into.readUInt16LE(932)], [25, 6])
  assert.is(into.toString('hex', 872, 888), 'c00c000100010000000000040a000001')
  let sum = 0
  for (let at = 872; at < 888; at += 2) sum += into.readUInt16LE(at)
  assert.is(into.readUInt16LE(918), (sum & 0xffff) + (sum >>> 16))
})

test('the third TTL and later ones lie apart', () => {
  const answers = [1, 2, 3, 4].map((n) => aRecord('a.b', `10.0.0.${n}`, 20))
  const into = written('a.b', responseTo('a.b', 'A', { answers }))
  assert.ok(into)
  const ttlAt = (at: number) => [into.readUInt32LE(at), into.readUInt16LE(at + 4)]
  assert.equal(
    [928, 936, 264, 272].map(ttlAt),
    [6, 22, 38, 54].map((at) => [25, at]),
  )
})

test('an answer of more than 512 bytes, or of more than 12 records, is none', () => {
  const text = (n: number) => record('a.b', 'TXT', octets(n, 'x'.repeat(n)), 20)
  assert.ok(written('a.b', responseTo('a.b', 'TXT', { answers: [text(240), text(200)] })))
  assert.is(
    written('a.b', responseTo('a.b', 'TXT', { answers: [text(255), text(254)] })),
    undefined,
  )
  const many = (n: number) => Array.from({ length: n }, (_, i) => aRecord('a.b', `10.0.0.${i}`, 20))
  assert.ok(written('a.b', responseTo('a.b', 'A', { answers: many(12) })))
  assert.is(written('a.b', responseTo('a.b', 'A', { answers: many(13) })), undefined)
})

test('a key has hash, type and length; names that differ anywhere differ in it', () => {
  const keyOf = (qname: string, qtype = 1) => {
    const key = Buffer.alloc(keyBytes)
    writeKey(key, name(qname), qtype, secret)
    return key.toString('hex')
  }
  assert.is(keyOf('a.b', 28).slice(16), '001c050000000000')
  const names = ['a.b', 'b.b', 'a.c', 'aa.b', 'a.b.cccccc', 'a.b.cccccd', '.']
  assert.is(new Set(names.map((qname) => keyOf(qname))).size, names.length)
  assert.is.not(keyOf('a.b', 1), keyOf('a.b', 28))
})

test('addresses are those of IPv6, IPv4 in ::ffff:0:0/96', () => {
  const into = Buffer.alloc(20, 0xee)
  writeAddress(into, '169.254.20.10', 53)
  assert.is(into.toString('hex'), `${'00'.repeat(10)}ffffa9fe140a00350000`)
  writeAddress(into, 'fd00::a', 53)
  assert.is(into.toString('hex'), `fd${'00'.repeat(14)}0a00350000`)
})

test('settings', () => {
  const into = Buffer.alloc(32)
  writeSettings(into, { ...secret, leaseNs: 2n, replyBytesMax: 1232, servers: 4 })
  assert.is(
    into.toString('hex'),
    '02000000000000000100000000000000030000000000000' + '0d004000004000000',
  )
})

test.run()
