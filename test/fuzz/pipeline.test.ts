/**
 * Goal: no octets from clients or upstreams make the daemon throw, stay silent, answer a response, answer twice, or send
 * anything that is not a sound reply to the query. Method: see pipeline-target.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readPackets } from '../support/client/packets.ts'
import { chooseSeed, packetCount, runCampaign } from './campaign.ts'
import { PipelineTarget } from './pipeline-target.ts'
import { Random } from './random.ts'

const fixtures = readPackets('queries')
const queries = fixtures.map(({ packet }) => packet)
/** Three good ones for each bad one: most mutants are refused at the door, and the rooms behind want visitors too. */
const corpus = [
  ...queries,
  ...fixtures
    .filter(({ expect }) => expect === 'ask')
    .flatMap(({ packet }) => [packet, packet, packet]),
]
const responses = readPackets('responses').map(({ packet }) => packet)

const test = suite('fuzz/pipeline')

test('every truncated prefix of a query gets one sound reply or none', () => {
  const target = new PipelineTarget(new Random(1), responses)
  for (const packet of queries.filter(({ length }) => length < 1000)) {
    for (let length = 0; length <= packet.length; length++) target.check(packet, length)
  }
  assert.ok(target.seen.replies > 1000, JSON.stringify(target.seen))
})

test('mutated queries and responses end in one sound reply to each query', () => {
  const seed = chooseSeed()
  const target = new PipelineTarget(new Random(seed + 1), responses)
  const packets = packetCount(50_000)
  const { slowestMs, tookMs } = runCampaign({
    seed,
    packets,
    corpus,
    changesMax: 2,
    target: (packet, packetBytes) => target.check(packet, packetBytes),
  })
  process.stdout.write(
    ` [${packets} packets, seed ${seed}, ${Math.round(tookMs)} ms, slowest ${slowestMs.toFixed(2)} ms, ${JSON.stringify(target.seen)}] `,
  )
  const { replies, drops, answered, failed } = target.seen
  for (const count of [replies, drops, answered, failed]) assert.ok(count > packets / 100)
})

test.run()
