/*
 * Goal: only the SOA that the kubernetes plugin makes for the zone counts as its own. Method: that SOA, and others that differ from it
 * in one field each; then cut-off messages.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SoaReader } from '../../../src/core/search/soa.ts'
import { ResponseScan, scanResponse } from '../../../src/wire/scan.ts'
import { name, octets, pointer, rr, u32 } from '../../fixtures/packets/octets.ts'
import { responseTo, scanned } from '../support.ts'

const test = suite('core/search/soa')

interface Soa {
  readonly owner: string
  readonly ttl: number
  readonly mname: Uint8Array
  readonly rname: Uint8Array
  readonly serial: number
  readonly timers: readonly number[]
  readonly minimum: number
}

const plugin: Soa = {
  owner: 'cluster.local',
  ttl: 5,
  mname: name('ns.dns.cluster.local'),
  rname: name('hostmaster.cluster.local'),
  serial: 1_700_000_000,
  timers: [7200, 1800, 86_400],
  minimum: 5,
}

function denial(changes: Partial<Soa> = {}): Buffer {
  const { owner, ttl, mname, rname, serial, timers, minimum } = { ...plugin, ...changes }
  const data = octets(mname, rname, u32(serial), timers.map(u32), u32(minimum))
  const soa = rr({ owner: name(owner), type: 6, ttl, data })
  return responseTo('a.b.cluster.local', 'A', { rcode: 3, authorities: [soa] })
}

const reader = () => new SoaReader(name('cluster.local'))
const read = (reply: Buffer, by = reader()) => by.read(reply, scanned(reply))

test("the plugin's SOA is known, and kept for denials of our own", () => {
  const soa = read(denial())
  assert.is(soa?.isKubernetes, true)
  assert.is(soa?.record?.ttlSeconds, 5)
  assert.equal(Buffer.from(soa?.record?.owner ?? []), name('cluster.local'))
  const { mname, rname, serial, timers, minimum } = plugin
  assert.equal(
    Buffer.from(soa?.record?.data ?? []),
    octets(mname, rname, u32(serial), timers.map(u32), u32(minimum)),
  )
})

test('letter case and compression make no difference', () => {
  assert.is(
    read(denial({ owner: 'CLUSTER.local', mname: name('NS.dns.Cluster.LOCAL') }))?.isKubernetes,
    true,
  )
  // `cluster.local` of the question stands behind `\x01a\x01b`, at 16.
  const mname = octets([2], 'ns', [3], 'dns', pointer(16))
  const rname = octets([10], 'hostmaster', pointer(16))
  const soa = read(denial({ mname, rname }))
  assert.is(soa?.isKubernetes, true)
  const expected = octets(plugin.mname, plugin.rname, u32(plugin.serial))
  assert.equal(Buffer.from(soa?.record?.data ?? []).subarray(0, expected.length), expected)
})

const strangers: Readonly<Record<string, Partial<Soa>>> = {
  'another MNAME': { mname: name('ns.example.com') },
  'an MNAME of a longer zone': { mname: name('ns.dns.cluster.local.example') },
  'another RNAME': { rname: name('root.cluster.local') },
  'a REFRESH of a second more': { timers: [7201, 1800, 86_400] },
  'a RETRY of a second less': { timers: [7200, 1799, 86_400] },
  'another EXPIRE': { timers: [7200, 1800, 86_401] },
  'the timers of kube-dns': { timers: [28_800, 7200, 604_800] },
}

for (const [what, changes] of Object.entries(strangers)) {
  test(`${what} is a stranger's, and gives no record`, () => {
    assert.equal(read(denial(changes)), { isKubernetes: false, record: undefined })
  })
}

test('serial, TTL and MINIMUM may be whatever they are', () => {
  for (const changes of [{ serial: 0 }, { ttl: 30 }, { minimum: 4_294_967_295 }])
    assert.is(read(denial(changes))?.isKubernetes, true)
})

test('an SOA of another zone, or none, says nothing', () => {
  for (const owner of ['local', 'svc.cluster.local', 'example.com', '.'])
    assert.is(read(denial({ owner })), undefined, owner)
  assert.is(read(responseTo('a.cluster.local', 'A', { rcode: 3 })), undefined)
})

test('the same SOA again is the same object, a new serial or TTL another', () => {
  const by = reader()
  const first = read(denial(), by)
  assert.is(read(denial(), by), first)
  const next = read(denial({ serial: plugin.serial + 1 }), by)
  assert.is.not(next, first)
  assert.is(
    Buffer.from(next?.record?.data ?? []).readUInt32BE(plugin.mname.length + plugin.rname.length),
    plugin.serial + 1,
  )
  const longer = read(denial({ serial: plugin.serial + 1, ttl: 30, minimum: 30 }), by)
  assert.is(longer?.record?.ttlSeconds, 30)
  assert.is(read(denial(), by)?.record?.ttlSeconds, 5)
})

test('a record is not overwritten by the next message in the same buffer', () => {
  const reply = denial()
  const record = read(reply)?.record
  const before = Buffer.from(record?.data ?? [])
  reply.fill(0xff)
  assert.equal(Buffer.from(record?.data ?? []), before)
})

test('a message cut short anywhere gives no SOA of the plugin', () => {
  const reply = denial()
  const scan = new ResponseScan()
  assert.ok(scanResponse(reply, reply.length, scan))
  const by = reader()
  const wholeEnd = scan.end
  // Behind the SOA there is an OPT record of 11 octets.
  for (let end = 12; end < wholeEnd - 11; end++) {
    scan.end = end
    assert.is(by.read(reply, scan)?.isKubernetes ?? false, false, `cut at ${end}`)
  }
  scan.end = wholeEnd - 11
  assert.is(by.read(reply, scan)?.isKubernetes, true)
})

test.run()
