/**
 * Goal: a record of any type comes to the client well-formed and with the meaning it had, and never does a malformed reply. Method: one
 * upstream that sends every type of the IANA registry in full, compressed and damaged, neardns and a real unbound in front of it,
 * and two readers of the replies: dns-packet and the tests' own.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage } from '../../src/wire/message.ts'
import { header, labels, name, octets, pointer, rr } from '../fixtures/packets/octets.ts'
import { damagedData, type RecordType, recordTypes } from '../fixtures/packets/record-types.ts'
import { UdpClient } from '../support/client/dns-client.ts'
import { type ReadMessage, readMessage, writeQuery } from '../support/client/dns-message.ts'
import { freePort } from '../support/free-port.ts'
import { needing } from '../support/needs.ts'
import { type FakeQuery, FakeUpstream } from '../upstream/fake-upstream.ts'
import { neardns } from './resolvers/servers/neardns.ts'
import type { Running, Server } from './resolvers/servers/server.ts'
import { unbound } from './resolvers/servers/unbound.ts'

export const testTimeoutMs = 240_000

const test = needing(suite('real/record-types'), 'unbound')

const zone = 'corp.example'
const hostInFull = octets(labels('Mail'), name(zone))
/** `c12345.corp.example`: every question has as many bytes, so that one pointer leads to the zone in all of them. */
const host = octets(labels('Mail'), pointer(12 + 7))

interface Case {
  readonly of: RecordType
  readonly data: Buffer
  readonly kind: 'in full' | 'compressed' | 'damaged'
}

const cases: readonly Case[] = recordTypes.flatMap((of) => [
  { of, data: of.data(hostInFull), kind: 'in full' },
  { of, data: of.data(host), kind: 'compressed' },
  ...some(damagedData(of, hostInFull)).map((data) => ({ of, data, kind: 'damaged' as const })),
])

/** Every fifth, and the last ones: names that are wrong. */
function some(damaged: readonly Buffer[]): Buffer[] {
  return damaged.filter((_, index) => index % 5 === 0 || index >= damaged.length - 8)
}

const nameOf = (index: number) => `c${String(index).padStart(5, '0')}.${zone}`
const indexOf = (qname: string) => Number(/^c(\d{5})\./i.exec(qname)?.[1] ?? '-1')

function reply(query: FakeQuery): void {
  const one = cases[indexOf(query.qname)]
  const answers =
    one === undefined
      ? []
      : [rr({ owner: pointer(12), type: one.of.type, ttl: 77, data: one.data })]
  const head = header({ id: query.id, flags: 0x8180, counts: [1, answers.length, 0, 0] })
  query.send(octets(head, query.message.subarray(12, query.questionEnd), answers))
}

interface Seen {
  readonly octets: Buffer
  readonly message: ReadMessage | undefined
}

let upstream: FakeUpstream
let directory: string
const running: Running[] = []
const seen: Record<'neardns' | 'unbound', Seen[]> = { neardns: [], unbound: [] }

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'neardns-types-'))
  upstream = await FakeUpstream.start(reply)
  for (const server of [neardns, unbound]) {
    const port = await started(server)
    seen[server.name === 'neardns' ? 'neardns' : 'unbound'] = await askAll(port)
  }
})

test.after(async () => {
  for (const one of running) await one.stop()
  await upstream?.stop()
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
})

async function started(server: Server): Promise<number> {
  const port = await freePort()
  const to = { host: upstream.host, port: upstream.port }
  const routes = [{ zone: '.', upstreams: [to], overTcp: false, isCluster: false }]
  const plain = { resolvConf: undefined, serveStale: false, settings: {} }
  running.push(await server.start({ host: '127.0.0.1', port, directory, routes, ...plain }))
  return port
}

/** Clients with EDNS ask side by side, each one question at a time; the second time neardns answers from memory. */
async function askAll(port: number): Promise<Seen[]> {
  const all: Seen[] = []
  const queue = cases.entries()
  const client = async () => {
    const socket = await UdpClient.open({ host: '127.0.0.1', port })
    for (const [index, { of }] of queue) {
      for (let time = 0; time < 2; time++) {
        socket.send(writeQuery(nameOf(index), of.type, { id: index, ednsBytes: 4096 }))
        const got = (await socket.next(10_000)) ?? Buffer.alloc(0)
        all[index] = { octets: got, message: read(got) }
        if (all[index].message === undefined) break
      }
    }
    await socket.close()
  }
  await Promise.all(Array.from({ length: 16 }, client))
  return all
}

function read(octetsGot: Buffer): ReadMessage | undefined {
  try {
    return readMessage(octetsGot)
  } catch {
    return undefined
  }
}

/** The answer as the tests' reader has it when nothing is compressed. */
function wanted(index: number, { of }: Case): string {
  const qname = nameOf(index)
  const whole = octets(
    header({ flags: 0x8180, counts: [1, 1, 0, 0] }),
    writeQuery(qname, of.type).subarray(12),
    rr({ owner: name(qname), type: of.type, ttl: 77, data: of.data(hostInFull) }),
  )
  return readMessage(whole).answers[0]?.data ?? 'none'
}

/** dns-packet refuses values, and takes a length from a value, in well-formed messages. */
function isQuirk({ of }: Case, why: string): boolean {
  return of.mnemonic === 'SSHFP' || (of.mnemonic === 'DNSKEY' && why === 'Protocol must be 3')
}

test('sound data of every type mean the same, compressed or not', () => {
  for (const [index, one] of cases.entries()) {
    if (one.kind === 'damaged') continue
    const got = seen.neardns[index]?.message
    const what = `${one.of.mnemonic} ${one.kind}`
    assert.equal([got?.rcode, got?.answers.length], [0, 1], what)
    assert.is(got?.answers[0]?.data, wanted(index, one), what)
  }
})

/** Types that unbound does not know: a pointer in their data goes on as it came, to a place in another message. */
const opaqueToUnbound = ['NSAP-PTR compressed', 'DSYNC compressed']

test('where unbound answers, it says the same', () => {
  let same = 0
  const others = new Set<string>()
  for (const [index, one] of cases.entries()) {
    const [ours, theirs] = [seen.neardns[index]?.message, seen.unbound[index]?.message]
    const [data, other] = [ours?.answers[0]?.data, theirs?.answers[0]?.data]
    if (data === undefined || other === undefined || one.kind === 'damaged') continue
    if (data === other) same += 1
    else others.add(`${one.of.mnemonic} ${one.kind}`)
  }
  assert.equal(
    [...others].filter((one) => !opaqueToUnbound.includes(one)),
    [],
  )
  assert.ok(same > recordTypes.length, `${same} compared`)
})

test('no reply is malformed, and damaged data are passed on as they were or not at all', () => {
  const counts = { refused: 0, passedOn: 0, passedOnByUnbound: 0, malformedByUnbound: 0 }
  for (const [index, one] of cases.entries()) {
    const { octets: bytes = Buffer.alloc(0), message } = seen.neardns[index] ?? {}
    const what = `${one.of.mnemonic} ${one.kind} ${one.data.toString('hex')}`
    assert.ok(message !== undefined, `${what}: ${bytes.toString('hex')}`)
    const decoded = decodeMessage(bytes)
    assert.ok(decoded.ok || isQuirk(one, decoded.why), what)
    if (one.kind !== 'damaged') continue
    const theirs = seen.unbound[index]
    if ((theirs?.message?.answers.length ?? 0) > 0) counts.passedOnByUnbound += 1
    if (theirs !== undefined && theirs.message === undefined) counts.malformedByUnbound += 1
    const [answer] = message.answers
    if (answer === undefined) {
      assert.is(message.rcode, 2, what)
      counts.refused += 1
    } else {
      assert.is(one.of.names === 'packed' || answer.data === readable(one), true, what)
      counts.passedOn += 1
    }
  }
  console.log(`  ${cases.length} questions, damaged: ${JSON.stringify(counts)}`)
  assert.ok(counts.refused > counts.passedOn)
})

/** Data as the tests' reader shows those of types that it does not know, or an address. */
function readable({ of, data }: Case): string {
  if (of.mnemonic === 'A' || of.mnemonic === 'AAAA') return 'an address of another length'
  return data.toString('hex')
}

test.run()
