/**
 * Goal: a collector that is slow, dead or refusing costs bounded memory and few requests, and what is lost is counted. Method: a collector that the
 * test plays, a clock wound by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ExporterSettings, SpanExporter } from '../../../src/daemon/traces/exporter.ts'
import type { PostResult } from '../../../src/daemon/traces/retry.ts'
import { withHandClock } from '../support.ts'
import { flightOf } from './flights.ts'

const test = suite('daemon/traces/exporter')

const taken: PostResult = { kind: 'taken', spansRejected: 0 }
const away: PostResult = { kind: 'later', why: 'connect ECONNREFUSED' }
const refused: PostResult = { kind: 'refused', why: 'HTTP status 401' }

/** A collector, and what the exporter says of it. */
class Played {
  readonly batches: (readonly string[])[] = []
  readonly said: string[] = []
  answer: PostResult | undefined = taken
  /** Of a request that is not answered yet. */
  settle: (result: PostResult) => void = () => undefined
  readonly exporter: SpanExporter<string>

  constructor(settings: Partial<ExporterSettings> = {}) {
    const usual = { sampleOneIn: 1, everyMs: 5000, queueMax: 8, batchMax: 4 }
    this.exporter = new SpanExporter(
      { ...usual, ...settings },
      {
        keep: ({ name }, serverIndex) => `${name}${serverIndex}`,
        post: (batch) => {
          this.batches.push([...batch])
          if (this.answer !== undefined) return Promise.resolve(this.answer)
          return new Promise((resolve) => {
            this.settle = resolve
          })
        },
        onTrouble: (why) => this.said.push(why),
        onTaken: (lost) => this.said.push(`taken again, ${lost} lost`),
      },
    )
  }

  offer(queries: number): void {
    for (let i = 0; i < queries; i++)
      if (this.exporter.wants()) this.exporter.take(flightOf({ name: `${i}.` }), 0)
  }
}

/** What has been promised happens. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

test('queries are collected, then go in batches, one request after another', async () => {
  await withHandClock(async ({ wind }) => {
    const played = new Played()
    played.answer = undefined
    played.offer(6)
    wind(4999)
    assert.equal(played.batches, [])
    wind(1)
    assert.equal(played.batches, [['0.0', '1.0', '2.0', '3.0']])
    wind(60_000)
    assert.is(played.batches.length, 1)
    played.settle(taken)
    await settled()
    assert.is(played.exporter.stats.sent, 4)
    wind(5000)
    assert.equal(played.batches[1], ['4.0', '5.0'])
    played.settle({ kind: 'taken', spansRejected: 2 })
    await settled()
    assert.equal(played.exporter.stats, { sent: 6, dropped: 0, refused: 0, spansRejected: 2 })
    wind(600_000)
    assert.is(played.batches.length, 2)
  })
})

test('a whole batch that waits goes as soon as the one before is taken', async () => {
  await withHandClock(async ({ wind }) => {
    const played = new Played()
    played.offer(8)
    wind(5000)
    await settled()
    wind(1)
    assert.is(played.batches.length, 2)
  })
})

test('one in so many is taken', () => {
  const played = new Played({ sampleOneIn: 3, queueMax: 100 })
  const wanted = Array.from({ length: 9 }, () => played.exporter.wants())
  assert.is(wanted.filter((is) => is).length, 3)
  played.exporter.stop()
})

test('what does not fit is dropped and counted, that under way included', async () => {
  await withHandClock(({ wind }) => {
    const played = new Played()
    played.answer = undefined
    played.offer(4)
    wind(5000)
    played.offer(10)
    assert.is(played.exporter.stats.dropped, 6)
  })
})

test('a dead collector is asked ever less often, is told once, and gets no old queries when it is back', async () => {
  await withHandClock(async ({ wind }) => {
    const played = new Played({ queueMax: 1000 })
    played.answer = away
    const asked: number[] = []
    for (let second = 0; second < 600; second++) {
      played.offer(1)
      wind(1000)
      await settled()
      asked.push(played.batches.length)
    }
    // Half of the delays at the least: 1 + 2 + 4 + ... + 60 + 60 s.
    assert.ok((asked.at(-1) ?? 0) <= 26, `${asked.at(-1)} requests`)
    assert.ok((asked.at(-1) ?? 0) >= 10, `${asked.at(-1)} requests`)
    assert.equal(played.said, ['connect ECONNREFUSED'])
    const { dropped } = played.exporter.stats
    assert.ok(dropped >= 535 && dropped <= 600, `${dropped}`)
    played.answer = taken
    wind(61_000)
    await settled()
    assert.equal(played.said.slice(1), [`taken again, ${dropped} lost`])
    assert.is(played.batches.at(-1)?.length, 4)
  })
})

test('the same batch comes again while the collector is short of time, and only then', async () => {
  await withHandClock(async ({ wind }) => {
    const played = new Played()
    played.answer = { kind: 'later', why: 'HTTP status 429', afterMs: 20_000 }
    played.offer(2)
    wind(5000)
    await settled()
    wind(19_999)
    assert.is(played.batches.length, 1)
    played.answer = taken
    wind(1)
    assert.equal(played.batches[1], played.batches[0])
    await settled()
    assert.is(played.exporter.stats.sent, 2)
  })
})

test('what is refused does not come again, and others wait longer', async () => {
  await withHandClock(async ({ wind }) => {
    const played = new Played()
    played.answer = refused
    played.offer(6)
    wind(5000)
    await settled()
    assert.is(played.exporter.stats.refused, 4)
    wind(4999)
    assert.is(played.batches.length, 1)
    wind(1)
    assert.equal(played.batches[1], ['4.0', '5.0'])
    await settled()
    assert.equal(played.said, ['HTTP status 401'])
  })
})

test('a request that throws is refused', async () => {
  await withHandClock(async ({ wind }) => {
    const played = new Played()
    Object.defineProperty(played, 'answer', { value: Promise.reject(new Error('a defect')) })
    played.offer(1)
    wind(5000)
    await settled()
    assert.equal([played.exporter.stats.refused, played.said], [1, ['Error: a defect']])
  })
})

test('at the end what waits goes once more, unless the collector is away', async () => {
  await withHandClock(async ({ wind }) => {
    const played = new Played()
    played.offer(6)
    played.exporter.stop()
    assert.is(played.batches[0]?.length, 6)
    wind(600_000)
    assert.is(played.batches.length, 1)
    const dead = new Played()
    dead.answer = away
    dead.offer(1)
    wind(5000)
    await settled()
    dead.exporter.stop()
    wind(600_000)
    assert.is(dead.batches.length, 1)
  })
})

test.run()
