/**
 * A flood of names that nobody asks twice: each a miss, each answered and stored. What must hold is that memory stays where
 * its settings put it.
 */

import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { header, labels, name, octets, pointer, question, rr } from '../fixtures/packets/octets.ts'
import { Bench, cacheSettings } from './bench.ts'
import type { Random } from './random.ts'
import { must } from './wire-target.ts'

const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789-']

export class NamesTarget {
  readonly bench = new Bench(0)
  bytesPeak = 0
  entriesPeak = 0
  private readonly random: Random
  private readonly scan = new ResponseScan()

  constructor(random: Random) {
    this.random = random
  }

  /** Asks one new name and answers it. */
  next(): void {
    const { bench } = this
    const asked = question(this.randomName(), 1)
    const query = octets(header({}), asked)
    bench.nowMs += 1
    bench.handle(query, query.length)
    for (const { ticket, sink } of bench.asked.splice(0)) {
      const reply = this.answer(asked)
      must(scanResponse(reply, reply.length, this.scan), 'the answer of this test is malformed')
      sink.onOutcome(ticket, { kind: 'answer', reply, scan: this.scan, upstream: '127.0.0.1:53' })
    }
    must(bench.replies.length === 1, `${bench.replies.length} replies`)
    this.checkBounds()
  }

  private checkBounds(): void {
    const { cache } = this.bench
    this.bytesPeak = Math.max(this.bytesPeak, cache.bytes)
    const { entriesSuccess, entriesDenial } = cache.stats
    this.entriesPeak = Math.max(this.entriesPeak, entriesSuccess + entriesDenial)
    must(cache.bytes <= cacheSettings.bytesMax, `${cache.bytes} octets in the cache`)
    must(this.entriesPeak <= cacheSettings.entriesMax, `${this.entriesPeak} entries in the cache`)
  }

  private randomName(): Buffer {
    const { random } = this
    const label = Array.from({ length: 8 + random.below(40) }, () => random.pick(letters))
    return octets(
      labels(label.join('')),
      random.below(2) === 0 ? name('cluster.local') : name('example'),
    )
  }

  /** One to twenty addresses: entries of very different size. */
  private answer(asked: Buffer): Buffer {
    const records = Array.from({ length: 1 + this.random.below(20) }, () =>
      rr({ owner: pointer(12), type: 1, data: octets(192, 0, 2, this.random.below(256)) }),
    )
    return octets(header({ flags: 0x8580, counts: [1, records.length, 0, 0] }), asked, ...records)
  }
}
