/**
 * Goal: a flood of random names costs no more memory than the settings say. Method: names in process, one after another, each
 * answered; the cache's own account is checked after each, the heap when the cache is full and at the end.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cacheSettings } from './bench.ts'
import { chooseSeed, packetCount } from './campaign.ts'
import { NamesTarget } from './names-target.ts'
import { Random } from './random.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Heap and Buffers in use. The memory of dead Buffers is given back some time after the collection that found them dead. */
async function usedBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collect()
    await delay(20)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const test = suite('fuzz/names')

test('random names stay within the bounds of the cache, and cost nothing once it is full', async () => {
  const seed = chooseSeed()
  const count = packetCount(30_000)
  const target = new NamesTarget(new Random(seed))
  for (let number = 0; number < count / 5; number++) target.next()
  const fullBytes = await usedBytes()
  for (let number = 0; number < count; number++) target.next()
  const grownBytes = (await usedBytes()) - fullBytes
  const mib = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`
  process.stdout.write(
    ` [${count} names, seed ${seed}, ${target.entriesPeak} entries of ${mib(target.bytesPeak)} at most, heap grew by ${mib(grownBytes)} since it was full] `,
  )
  assert.ok(target.entriesPeak > cacheSettings.entriesMax / 3, 'the cache was never full')
  // At 20 octets a name the flood would show.
  assert.ok(grownBytes < Math.max(20 * count, 1_048_576), mib(grownBytes))
})

test.run()
