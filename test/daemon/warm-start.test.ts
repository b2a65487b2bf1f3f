/*
 * Goal: a cache from another process is used whole or not at all, each answer as old as it is; without one the start goes on. Method: dumps of
 * one data path read by another, and damaged ones.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { QuestionKey } from '../../src/core/cache/key.ts'
import { restoreDump, restoreFrom } from '../../src/daemon/warm-start.ts'
import { WorkerLink } from '../../src/daemon/workers/link.ts'
import type { RestoredCache } from '../../src/daemon/workers/plan.ts'
import { dumpCache } from '../../src/handover/cache-file.ts'
import { parseName } from '../../src/wire/name.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { aRecord, responseTo, scanned } from '../core/support.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { dataPathOf, KeptLog } from './support.ts'

const test = suite('daemon/warm-start')

type Path = ReturnType<typeof dataPathOf>

const external = { external: { upstreams: ['127.0.0.1:9'] } }
const paths: Path[] = []

function pathOf(settings: object = external): Path {
  const path = dataPathOf(settings, { nowMs: () => 10_000_000 })
  paths.push(path)
  return path
}

test.after(() => {
  for (const path of paths) path.exchange.stop()
})

/** Stores an answer that was given `ageMs` ago. */
function store({ cache, router }: Path, name: string, ageMs = 0): void {
  const query = writeQuery(name, 'A')
  const question = new Question()
  readQuestion(query, query.length, question)
  const key = new QuestionKey().read(query, question)
  const image = responseTo(name, 'A', { answers: [aRecord(name, '10.0.0.1', 300)] })
  const wire = Buffer.from(parseName(name) ?? [])
  cache.put({
    key: key.text(),
    hash: key.nameHash,
    image,
    scan: scanned(image),
    isDenial: false,
    lifetimeSeconds: 300,
    route: router.route(wire, wire.length),
    routeGeneration: router.generation,
    nowMs: 10_000_000 - ageMs,
  })
}

async function dumpOf(path: Path, wallMs = Date.now()): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of dumpCache(path.cache, () => 10_000_000, wallMs)) pieces.push(piece)
  return Buffer.concat(pieces)
}

function entries({ cache }: Path): number {
  return [...cache.all()].length
}

async function filledDump(wallMs?: number): Promise<Buffer> {
  const path = pathOf()
  for (let i = 0; i < 20; i++) store(path, `n${i}.example`, 5000)
  return dumpOf(path, wallMs)
}

test('what one process had, the next has, as old as it is', async () => {
  const path = pathOf()
  assert.equal(restoreDump(await filledDump(), path, 20_000_000), { entries: 20, skipped: 0 })
  const [entry] = [...path.cache.all()]
  const ageMs = 20_000_000 - (entry?.storedMs ?? 0)
  assert.ok(ageMs >= 5000 && ageMs < 6000, `${ageMs} ms old`)
})

test('the time that the dump lay there counts: its answers have aged', async () => {
  const path = pathOf()
  restoreDump(await filledDump(Date.now() - 60_000), path, 20_000_000)
  const [entry] = [...path.cache.all()]
  const ageMs = 20_000_000 - (entry?.storedMs ?? 0)
  assert.ok(ageMs >= 65_000 && ageMs < 67_000, `${ageMs} ms old`)
})

test('an answer whose zone goes elsewhere now is left out, the others are taken', async () => {
  const from = pathOf()
  store(from, 'a.corp.example')
  store(from, 'b.example')
  const path = pathOf({
    ...external,
    zones: [{ name: 'corp.example', upstreams: ['127.0.0.1:9'] }],
  })
  assert.equal(restoreDump(await dumpOf(from), path, 10_000_000), { entries: 1, skipped: 1 })
})

test('any damage, at the end too, and nothing of the dump is in the cache', async () => {
  const dump = await filledDump()
  const flipped = Buffer.from(dump)
  flipped.writeUInt8(flipped.readUInt8(flipped.length - 40) ^ 1, flipped.length - 40)
  for (const [what, damaged, why] of [
    ['one bit', flipped, /checksum/],
    ['cut off', dump.subarray(0, -1), /checksum/],
    ['empty', Buffer.alloc(0), /cut off after 0/],
    ['foreign', Buffer.alloc(200, 'x'), /not of neardns/],
  ] as const) {
    const path = pathOf()
    assert.throws(() => restoreDump(damaged, path, 10_000_000), why, what)
    assert.is(entries(path), 0, what)
  }
})

/** A worker's link whose supervisor hands over `dump`. */
function linkWith(dump: Buffer | undefined): { link: WorkerLink; noted: RestoredCache[] } {
  const link = new WorkerLink({ number: 0, count: 1, sockets: [], hasDump: dump !== undefined })
  const noted: RestoredCache[] = []
  link.readDump = async () => dump
  link.noteRestored = (restored) => noted.push(restored)
  return { link, noted }
}

test('a worker without a dump starts with an empty cache and says nothing', async () => {
  const log = new KeptLog()
  const { link, noted } = linkWith(undefined)
  await restoreFrom(link, pathOf(), 10_000_000, log)
  assert.equal([noted, log.lines], [[], []])
})

test('a worker tells its supervisor how much it has taken over', async () => {
  const log = new KeptLog()
  const path = pathOf()
  const { link, noted } = linkWith(await filledDump())
  await restoreFrom(link, path, 10_000_000, log)
  assert.equal([noted, entries(path)], [[{ entries: 20, isRefused: false }], 20])
  assert.equal(log.lines[0]?.fields, { entries: 20, skipped: 0 })
})

test('a damaged dump is no reason not to start: it is logged, told and left', async () => {
  const log = new KeptLog()
  const path = pathOf()
  const { link, noted } = linkWith((await filledDump()).subarray(0, 100))
  await restoreFrom(link, path, 10_000_000, log)
  assert.equal([noted, entries(path)], [[{ entries: 0, isRefused: true }], 0])
  assert.equal(
    [log.lines[0]?.level, log.lines[0]?.fields['why']],
    ['warn', 'its checksum does not fit'],
  )
})

test.run()
