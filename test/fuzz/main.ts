/**
 * A long run: `npm run fuzz -- [packets] [seed]`, a million by default for each target. Prints the seed first, so that
 * a run that is interrupted or crashes can be repeated.
 */
import { readPackets } from '../support/client/packets.ts'
import { runCampaign } from './campaign.ts'
import { NamesTarget } from './names-target.ts'
import { PipelineTarget } from './pipeline-target.ts'
import { PoisonedPair } from './poisoned.ts'
import { Random } from './random.ts'
import { WireTarget } from './wire-target.ts'

const packets = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 0x7fff_ffff))
const fixtures = readPackets('queries')
const queries = fixtures.map(({ packet }) => packet)
const good = fixtures.filter(({ expect }) => expect === 'ask').map(({ packet }) => packet)
const responses = readPackets('responses').map(({ packet }) => packet)

const pair = new PoisonedPair(65535)
const wire = new WireTarget()
run('wire', [...queries, ...responses], (packet, packetBytes) => {
  pair.set(packet, packetBytes)
  wire.check(pair, packetBytes)
})

const pipeline = new PipelineTarget(new Random(seed + 1), responses)
run('pipeline', [...queries, ...good, ...good, ...good], (packet, packetBytes) =>
  pipeline.check(packet, packetBytes),
)
console.log(`pipeline: ${JSON.stringify(pipeline.seen)}`)

console.log(`names: ${packets} random names, seed ${seed}`)
const names = new NamesTarget(new Random(seed))
for (let number = 0; number < packets; number++) names.next()
console.log(`names: fine, at most ${names.entriesPeak} entries of ${names.bytesPeak} octets`)

function run(
  name: string,
  corpus: readonly Buffer[],
  target: (packet: Buffer, packetBytes: number) => void,
): void {
  console.log(`${name}: ${packets} packets, seed ${seed}`)
  const { tookMs, slowestMs } = runCampaign({ seed, packets, corpus, target })
  const each = ((tookMs * 1000) / packets).toFixed(1)
  console.log(`${name}: fine, ${each} us each, slowest ${slowestMs.toFixed(2)} ms`)
}
