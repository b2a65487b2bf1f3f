/**
 * Goal: no sound message, however odd, gives an image that is malformed, says something else, or depends on octets behind it. Method:
 * mutants of messages with every record type, made into images with records kept, left out and put into another order.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { header, labels, name, octets, pointer, question, rr } from '../fixtures/packets/octets.ts'
import { recordTypes } from '../fixtures/packets/record-types.ts'
import { readPackets } from '../support/client/packets.ts'
import { chooseSeed, packetCount, runCampaign } from './campaign.ts'
import { ImageTarget } from './image-target.ts'
import { PoisonedPair } from './poisoned.ts'
import { Random } from './random.ts'

const test = suite('fuzz/image')

/** The tests' own reader, which judges, takes long for larger ones. */
const packetBytesMax = 1500

const qname = name('www.corp.example')
const hosts = [octets(labels('Mail'), pointer(16)), name('mail.corp.example')] as const

/** One type, its names in full and compressed, between addresses. */
function messageWith({ type, data }: (typeof recordTypes)[number]): Buffer {
  const a = (last: number, owner: Buffer) => rr({ owner, type: 1, data: octets(10, 0, 0, last) })
  const records = [
    a(1, pointer(12)),
    rr({ owner: qname, type, data: data(hosts[1]) }),
    rr({ owner: pointer(16), type, data: data(hosts[0]) }),
    a(2, qname),
    a(3, qname),
  ]
  return octets(header({ flags: 0x8180, counts: [1, 5, 0, 0] }), question(qname, type), records)
}

test('mutated messages give images that are sound, say the same and can be turned and cut', () => {
  const seed = chooseSeed()
  const corpus = [
    ...recordTypes.map(messageWith),
    ...readPackets('responses')
      .map(({ packet }) => packet)
      .filter(({ length }) => length <= packetBytesMax),
  ]
  const packets = packetCount(30_000)
  const pair = new PoisonedPair(65_535)
  const target = new ImageTarget()
  const random = new Random(seed)
  const { slowestMs, tookMs } = runCampaign({
    seed,
    packets,
    corpus,
    changesMax: 2,
    target: (packet, packetBytes) => {
      pair.set(packet, packetBytes)
      const spread = 1 + random.below(3)
      target.check(pair, packetBytes, () => random.below(spread + 1))
    },
  })
  process.stdout.write(
    ` [${packets} packets, seed ${seed}, ${Math.round(tookMs)} ms, slowest ${slowestMs.toFixed(2)} ms, ${JSON.stringify(target.seen)}] `,
  )
  assert.ok(target.seen.made > packets / 20 && target.seen.turned > 0, 'hardly any image was made')
})

test.run()
