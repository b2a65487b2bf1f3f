/**
 * Goal: who looks sees queries that fit, the frequent names and clients, and the slowest; when nobody looks any more the watch is off the way.
 * Method: queries made by hand, on a clock of the test.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { QueryWatch, type TailFilter } from '../../../src/observe/live/query-watch.ts'
import { withHandClock } from '../../daemon/support.ts'
import { arrivalOf, factsOf, replyOf } from './support.ts'

const test = suite('observe/live/query-watch')

function watchWith() {
  const set: boolean[] = []
  const watch = new QueryWatch(
    () => performance.now(),
    (watcher) => set.push(watcher !== undefined),
  )
  const see = (name: string, facts = factsOf(), client = '192.0.2.1', upstream?: string) =>
    watch.seen(arrivalOf(name, client), replyOf(facts.source, facts.rcode, upstream), facts)
  return { watch, set, see }
}

test('a viewer gets what has come since the last look', () =>
  withHandClock(() => {
    const { watch, see } = watchWith()
    assert.equal(watch.tail('v', {}), { lines: [], lost: 0 })
    see(
      'a.example',
      factsOf({ source: ReplySource.upstream, tookMs: 3.25 }),
      '192.0.2.7',
      'udp://x',
    )
    const [line, ...more] = watch.tail('v', {})?.lines ?? []
    const { atMs, ...rest } = line ?? { atMs: 0 }
    assert.ok(atMs > 0)
    assert.equal(more, [])
    assert.equal(rest, {
      ...{ client: '192.0.2.7', proto: 'udp', name: 'a.example.', type: 1, rcode: 'NOERROR' },
      ...{ source: 'upstream', tookUs: 3250, upstream: 'udp://x' },
    })
    assert.equal(watch.tail('v', {}), { lines: [], lost: 0 })
    watch.stop()
  }))

const filters: readonly [filter: TailFilter, names: readonly string[]][] = [
  [{ under: 'example.' }, ['a.example.', 'slow.example.', 'bad.example.', 'mx.example.']],
  [{ qtype: 15 }, ['mx.example.']],
  [{ clients: ['192.0.2.8', '192.0.2.9'] }, ['other.test.']],
  [{ rcode: 'SERVFAIL' }, ['bad.example.']],
  [{ source: 'failed' }, ['bad.example.']],
  [{ tookMsMin: 50 }, ['slow.example.']],
  [{ under: 'ample.' }, []],
]
for (const [filter, names] of filters) {
  test(`with ${JSON.stringify(filter)} only what fits is seen`, () =>
    withHandClock(() => {
      const { watch, see } = watchWith()
      watch.tail('v', filter)
      see('a.example')
      see('slow.example', factsOf({ tookMs: 60 }))
      see('bad.example', factsOf({ rcode: 2, source: ReplySource.failed }))
      see('mx.example', factsOf({ qtype: 15 }))
      see('other.test', factsOf(), '192.0.2.9')
      assert.equal(
        watch.tail('v', filter)?.lines.map(({ name }) => name),
        names,
      )
      watch.stop()
    }))
}

test('what is too much to show is counted, and too many viewers are refused', () =>
  withHandClock(() => {
    const { watch, see } = watchWith()
    watch.tail('v', {})
    for (let i = 0; i < 510; i++) see('a.example')
    const page = watch.tail('v', {})
    assert.equal([page?.lines.length, page?.lost], [500, 10])
    for (let i = 0; i < 7; i++) assert.ok(watch.tail(`v${i}`, {}))
    assert.is(watch.tail('one more', {}), undefined)
    watch.stop()
  }))

test('five seconds after the last look nobody is called any more', () =>
  withHandClock(({ wind }) => {
    const { watch, set } = watchWith()
    assert.equal(set, [])
    watch.tail('v', {})
    watch.sketches()
    assert.equal(set, [true])
    wind(4000)
    watch.tail('v', {})
    wind(4000)
    assert.equal(set, [true])
    wind(7000)
    assert.equal(set, [true, false])
    watch.tail('v', {})
    assert.equal(set, [true, false, true])
    watch.stop()
  }))

test('the frequent names and clients have their rates, the slowest their times', () =>
  withHandClock(({ wind }) => {
    const { watch, see } = watchWith()
    watch.sketches()
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 50; i++) see('often.example', factsOf(), '192.0.2.1')
      see('rare.example', factsOf({ tookMs: 40 }), '192.0.2.2')
      wind(1000)
      watch.sketches()
    }
    const { names, clients, slowest } = watch.sketches()
    assert.equal([names[0]?.key, clients[0]?.key], ['often.example.', '192.0.2.1'])
    assert.ok(Math.abs((names[0]?.perSecond ?? 0) - 50) < 5, JSON.stringify(names))
    assert.equal(slowest, [{ key: 'rare.example.', maxMs: 40, meanMs: 40 }])
    watch.stop()
  }))

test('of a large stream one in so many is counted, for all of them', () =>
  withHandClock(({ wind }) => {
    const { watch, see } = watchWith()
    watch.sketches()
    for (let slice = 0; slice < 30; slice++) {
      for (let i = 0; i < 2000; i++) see(i % 2 === 0 ? 'half.example' : `n${i}.example`)
      wind(100)
      watch.sketches()
    }
    const { names } = watch.sketches()
    const rate = names[0]?.perSecond ?? 0
    assert.is(names[0]?.key, 'half.example.')
    assert.ok(rate > 5000 && rate < 20_000, String(rate))
    watch.stop()
  }))

test('after a flood a thin stream is seen at the next look', () =>
  withHandClock(({ wind }) => {
    const { watch, see } = watchWith()
    watch.sketches()
    for (let slice = 0; slice < 20; slice++) {
      for (let i = 0; i < 2000; i++) see('flood.example')
      wind(100)
    }
    for (let second = 0; second < 2; second++) {
      wind(1000)
      watch.sketches()
    }
    see('thin.example')
    assert.ok(watch.sketches().names.some(({ key }) => key === 'thin.example.'))
    watch.stop()
  }))

test.run()
