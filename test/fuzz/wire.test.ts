/**
 * Goal: no octets whatever make the wire parsers throw, read behind the end or take long. Method: every truncated prefix
 * of every fixture in an array that throws when read outside, then mutated packets in front of two kinds of poison.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { fixtureFiles } from '../fixtures/packets/make.ts'
import { readPackets } from '../support/client/packets.ts'
import { chooseSeed, packetCount, runCampaign } from './campaign.ts'
import { guarded } from './guarded.ts'
import { PoisonedPair } from './poisoned.ts'
import { verdictName, WireTarget } from './wire-target.ts'

/** Prefixes of longer packets are taken in steps: the inner of 4,000 equal records shows nothing new. */
const wholePrefixBytes = 1200
/** How many prefixes of a longer packet. */
const samples = 60

const queries = readPackets('queries')
const responses = readPackets('responses')
const all = [...queries, ...responses]

const test = suite('fuzz/wire')

test('the fixture files are what make.ts writes', () => {
  const folder = join(import.meta.dirname, '../fixtures/packets')
  const wanted = fixtureFiles()
  const there = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.hex'),
  )
  assert.equal(there.toSorted(), [...wanted.keys()].toSorted())
  for (const [path, text] of wanted) {
    assert.ok(readFileSync(join(folder, path), 'utf8') === text, path)
  }
})

for (const { name, expect, packet } of queries) {
  test(`query ${name} is judged ${expect}`, () => {
    const verdict = readQuestion(guarded(packet), packet.length, new Question())
    assert.is(verdictName(verdict), expect)
  })
}

for (const { name, expect, packet } of responses) {
  test(`response ${name} is ${expect}`, () => {
    const isSound = scanResponse(guarded(packet), packet.length, new ResponseScan())
    assert.is(isSound ? 'sound' : 'malformed', expect)
  })
}

test('no prefix of any fixture is read behind its end', () => {
  const question = new Question()
  const scan = new ResponseScan()
  let prefixes = 0
  for (const { packet } of all) {
    const step = packet.length <= wholePrefixBytes ? 1 : Math.ceil(packet.length / samples)
    for (let length = 0; length <= packet.length; length += step) {
      const prefix = guarded(packet.subarray(0, length))
      readQuestion(prefix, length, question)
      scanResponse(prefix, length, scan)
      prefixes++
    }
  }
  assert.ok(prefixes > 10_000, `${prefixes} prefixes`)
})

test('the guard throws for a read behind the end, so that the test above can fail', () => {
  assert.throws(() => guarded(Buffer.alloc(4))[4], /read at 4 of 4/)
  assert.is(guarded(Buffer.of(7))[0], 7)
})

test('mutated packets are read the same whatever lies behind them, and each in time', () => {
  const seed = chooseSeed()
  const pair = new PoisonedPair(65535)
  const wire = new WireTarget()
  const packets = packetCount(100_000)
  const { slowestMs, tookMs } = runCampaign({
    seed,
    packets,
    corpus: all.map(({ packet }) => packet),
    target: (packet, packetBytes) => {
      pair.set(packet, packetBytes)
      wire.check(pair, packetBytes)
    },
  })
  process.stdout.write(
    ` [${packets} packets, seed ${seed}, ${Math.round(tookMs)} ms, slowest ${slowestMs.toFixed(2)} ms] `,
  )
})

test.run()
