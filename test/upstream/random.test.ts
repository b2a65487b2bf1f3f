/*
 * Goal: IDs cover their whole range without a pattern, and a port that was used is refused for the next 1,024. Method: as many numbers
 * as tell a biased generator from a fair one; ports beside a list.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RandomPool, RecentPorts } from '../../src/upstream/random.ts'

const test = suite('upstream/random')

const draws = 65_536

test('IDs fill their range evenly', () => {
  const random = new RandomPool()
  const counts = new Float64Array(256)
  const low = new Float64Array(256)
  for (let i = 0; i < draws; i++) {
    const id = random.id()
    assert.ok(Number.isInteger(id) && id >= 0 && id <= 65_535)
    counts[id >>> 8] = (counts[id >>> 8] as number) + 1
    low[id & 255] = (low[id & 255] as number) + 1
  }
  // 256 each, standard deviation 16: seven of them are one in 10^12.
  for (const count of [...counts, ...low]) assert.ok(count > 144 && count < 368, `${count}`)
})

test('no pool is drawn twice, nor do two processes share one', () => {
  const [one, other] = [new RandomPool(), new RandomPool()]
  const first = Array.from({ length: 4096 }, () => one.id())
  const second = Array.from({ length: 4096 }, () => one.id())
  const others = Array.from({ length: 4096 }, () => other.id())
  const same = (a: readonly number[], b: readonly number[]) =>
    a.filter((id, i) => id === b[i]).length
  for (const pair of [same(first, second), same(first, others)]) assert.ok(pair < 10, `${pair}`)
})

test('a fraction is below 1, in steps of an ID', () => {
  const random = new RandomPool()
  let sum = 0
  for (let i = 0; i < draws; i++) {
    const fraction = random.fraction()
    assert.ok(fraction >= 0 && fraction < 1 && Number.isInteger(fraction * 65_536))
    sum += fraction
  }
  assert.ok(Math.abs(sum / draws - 0.5) < 0.01, `${sum / draws}`)
})

test('a port is refused while 1,024 others have not come since', () => {
  const ports = new RecentPorts()
  assert.is(ports.note(40_000), true)
  for (let port = 1; port < 1024; port++) assert.is(ports.note(port), true)
  assert.is(ports.note(40_000), false, 'of the last 1,024')
  assert.is(ports.note(1024), true, 'what was refused was not noted again')
  assert.is(ports.note(40_000), true)
  assert.is(ports.note(1), true, 'and so the next one is free, too')
  assert.is(ports.note(3), false)
})

test('any port may be noted, the highest as well', () => {
  const ports = new RecentPorts()
  assert.equal([ports.note(65_535), ports.note(65_535)], [true, false])
})

test('whatever ports come, none is taken twice among 1,024 in a row', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1100 }), { maxLength: 4000, size: 'max' }),
      (all) => {
        const ports = new RecentPorts()
        const taken: number[] = []
        for (const port of all) {
          const isRecent = taken.slice(-1024).includes(port)
          assert.is(ports.note(port), !isRecent)
          if (!isRecent) taken.push(port)
        }
      },
    ),
    { numRuns: 20 },
  )
})

test.run()
