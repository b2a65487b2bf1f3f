/*
 * Goal: one walk says all that is asked of a response. What is malformed is in fuzz/wire.test.ts, one fixture each; here is
 * what a sound one says, and that the walk is short for hostile ones.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ResponseScan, readTtl, scanResponse } from '../../src/wire/scan.ts'
import {
  header,
  labels,
  name,
  octets,
  opt,
  pointer,
  question,
  rr,
  u32,
} from '../fixtures/packets/octets.ts'

const test = suite('wire/scan')

const qname = name('www.corp.example')
const q = question(qname, 1)
const recordsAt = 12 + q.length
const a = (ttl = 30) => rr({ owner: pointer(12), type: 1, ttl, data: octets(192, 0, 2, 1) })

function soa(ttl: number, minimum: number, data?: Uint8Array): Buffer {
  const whole = octets(
    name('ns.example'),
    name('root.example'),
    [1, 2, 3, 4].map(u32),
    u32(minimum),
  )
  return rr({ owner: name('example'), type: 6, ttl, data: data ?? whole })
}

function response(
  counts: readonly [number, number, number],
  records: readonly Uint8Array[],
  flags = 0x8180,
): Buffer {
  return octets(header({ flags, counts: [1, ...counts] }), q, records)
}

function scan(reply: Buffer): ResponseScan | undefined {
  const into = new ResponseScan()
  return scanResponse(reply, reply.length, into) ? into : undefined
}

test('every record is found: owner, type, and the end of the last', () => {
  const reply = response([2, 1, 2], [a(), a(), soa(9, 9), a(), opt()])
  const found = scan(reply)
  assert.is(found?.answers, 2)
  assert.is(found?.authorities, 1)
  assert.is(found?.records, 5)
  assert.is(found?.questionEnd, recordsAt)
  assert.equal([...(found?.ownerAt.subarray(0, 2) ?? [])], [recordsAt, recordsAt + 16])
  assert.equal([...(found?.typeAt.subarray(0, 2) ?? [])], [recordsAt + 2, recordsAt + 18])
  assert.is(found?.end, reply.length)
  assert.is(found?.ownerAt[5], reply.length)
  assert.is(found?.optIndex, 4)
  assert.is(found?.soaIndex, 2)
})

test('AA and TC are read; octets behind the last record are not part of it', () => {
  const plain = scan(octets(response([1, 0, 0], [a()]), 'trailing'))
  assert.equal([plain?.aa, plain?.tc], [false, false])
  assert.is(plain?.end, recordsAt + 16)
  const flagged = scan(response([0, 0, 0], [], 0x8780))
  assert.equal([flagged?.aa, flagged?.tc], [true, true])
})

test('a response with TC ends with its last whole record, wherever it was cut', () => {
  const reply = response([2, 1, 2], [a(), a(), soa(9, 9), a(), opt()], 0x8380)
  const ends = [0, 16, 32, 32 + soa(9, 9).length, 48 + soa(9, 9).length].map((at) => recordsAt + at)
  for (let bytes = recordsAt; bytes < reply.length; bytes++) {
    const found = scan(reply.subarray(0, bytes))
    const records = ends.findLastIndex((end) => end <= bytes)
    assert.is(found?.tc, true)
    assert.equal(
      [found?.records, found?.answers, found?.authorities, found?.end, found?.ownerAt[records]],
      [records, Math.min(records, 2), records > 2 ? 1 : 0, ends[records], ends[records]],
    )
    assert.equal([found?.soaIndex, found?.optIndex], [records > 2 ? 2 : -1, -1])
  }
  assert.is(scan(reply)?.records, 5)
})

test('counts that TC cannot explain are read as far as records go', () => {
  const found = scan(response([0xffff, 0xffff, 0xffff], [a()], 0x8380))
  assert.equal([found?.answers, found?.authorities, found?.records], [1, 0, 1])
})

test('the response code has twelve bits when there is an OPT record', () => {
  assert.is(scan(response([0, 0, 0], [], 0x8183))?.rcode, 3)
  assert.is(scan(response([0, 0, 1], [opt({ extendedRcode: 1 })], 0x8180))?.rcode, 16)
  assert.is(scan(response([0, 0, 1], [opt({ extendedRcode: 0xff })], 0x818f))?.rcode, 0xfff)
})

test('a TTL with the top bit set is 0', () => {
  assert.is(readTtl(u32(0x7fff_ffff), 0), 0x7fff_ffff)
  assert.is(readTtl(u32(0x8000_0000), 0), 0)
  assert.is(readTtl(u32(0x8000_0005), 0), 0)
  assert.is(readTtl(u32(0xffff_ffff), 0), 0)
  assert.is(readTtl(u32(300), 0), 300)
})

test('a negative answer lives as long as the smaller of SOA TTL and MINIMUM, whose top bit is no sign', () => {
  for (const [ttl, minimum, wanted] of [
    [300, 60, 60],
    [60, 300, 60],
    [0, 300, 0],
    [300, 0, 0],
    [0x8000_0001, 300, 0],
    [300, 0x8000_0000, 300],
    [300, 0xffff_ffff, 300],
  ] as const) {
    assert.is(scan(response([0, 1, 0], [soa(ttl, minimum)], 0x8183))?.soaTtlSeconds, wanted)
  }
})

test('an SOA counts in the authority section only, and the first one there', () => {
  assert.is(scan(response([1, 0, 0], [soa(9, 9)]))?.soaIndex, -1)
  assert.is(scan(response([0, 0, 1], [soa(9, 9)]))?.soaIndex, -1)
  const two = scan(response([0, 2, 0], [soa(9, 9), soa(1, 1)]))
  assert.equal([two?.soaIndex, two?.soaTtlSeconds], [0, 9])
})

test('an SOA whose data are cut, too long or no names makes the message malformed', () => {
  const names = octets(name('ns.example'), name('root.example'))
  for (const data of [
    octets(names, Buffer.alloc(19)),
    octets(names, Buffer.alloc(21)),
    octets(name('ns.example'), Buffer.alloc(8)),
    octets(0x41, Buffer.alloc(40)),
    octets(),
  ]) {
    assert.is(scan(response([0, 1, 0], [soa(9, 9, data)])), undefined, data.toString('hex'))
  }
})

test('an SOA with compressed names is read', () => {
  const data = octets(labels('ns'), pointer(16), pointer(12), [1, 2, 3, 4, 77].map(u32))
  assert.is(scan(response([0, 1, 0], [soa(100, 0, data)]))?.soaTtlSeconds, 77)
})

test('a scan leaves nothing of the message before', () => {
  const into = new ResponseScan()
  const rich = response([1, 1, 1], [a(), soa(9, 9), opt({ extendedRcode: 3 })], 0x8783)
  const plain = response([0, 0, 0], [])
  assert.ok(scanResponse(rich, rich.length, into))
  assert.ok(scanResponse(plain, plain.length, into))
  const { rcode, aa, tc, answers, authorities, records, optIndex, soaIndex, soaTtlSeconds } = into
  assert.equal(
    { rcode, aa, tc, answers, authorities, records, optIndex, soaIndex, soaTtlSeconds },
    {
      rcode: 0,
      aa: false,
      tc: false,
      answers: 0,
      authorities: 0,
      records: 0,
      optIndex: -1,
      soaIndex: -1,
      soaTtlSeconds: 0,
    },
  )
})

test('data of unknown types are not looked at', () => {
  const data = octets(0xc0, 0xff, 0x41, Buffer.alloc(300, 0xff))
  assert.ok(scan(response([1, 0, 0], [rr({ owner: pointer(12), type: 65280, data })])))
})

/** 64 KiB of records that all point at one long name: CVE-2024-8508 and its kin. */
function pointerBomb(): Buffer {
  const long = name('a.'.repeat(126))
  const count = 5400
  const records = Array.from({ length: count }, () =>
    octets(pointer(12), 0, 16, 0, 1, u32(9), 0, 0),
  )
  // The pointer to the qname is known to be sound, so the bomb points one label further.
  for (const record of records) record.writeUInt16BE(0xc00e, 0)
  return octets(
    header({ flags: 0x8180, counts: [1, count, 0, 0] }),
    question(long, 16),
    records,
  ).subarray(0, 65_535)
}

test('no message of 64 KiB takes more than a millisecond or two', () => {
  const into = new ResponseScan()
  const bomb = pointerBomb()
  const lies = octets(header({ flags: 0x8180, counts: [1, 65535, 65535, 65535] }), q)
  const full = octets(lies, Buffer.alloc(65_000))
  for (const [what, reply] of Object.entries({ bomb, lies, full })) {
    const times = Array.from({ length: 40 }, () => {
      const startMs = performance.now()
      assert.not(scanResponse(reply, reply.length, into), what)
      return performance.now() - startMs
    })
    assert.ok(Math.min(...times) < 2, `${what}: ${Math.min(...times)} ms`)
  }
})

test.run()
