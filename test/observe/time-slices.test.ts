/** Goal: long work neither holds packets up nor starves behind them. Method: a clock of the test's own, turns of a given length. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inOneGo, type Pieces, TimeSlices } from '../../src/observe/time-slices.ts'

const test = suite('observe/time-slices')

/** @returns how often 20 ms of work, in pieces of 0.05 ms, let others in when each of their turns takes `turnMs` */
async function turnsFor(turnMs: number): Promise<number> {
  const pieceMs = 0.05
  let nowMs = 1000
  let turns = 0
  const next = async () => {
    nowMs += turnMs
    turns++
  }
  const slices = new TimeSlices({ now: () => nowMs, next })
  for (let doneMs = 0; doneMs < 20; doneMs += pieceMs) {
    nowMs += pieceMs
    await slices.giveWay()
  }
  return turns
}

function assertWithin(value: number, [from, to]: readonly [number, number]): void {
  assert.ok(value >= from && value <= to, `${value} is not within ${from}-${to}`)
}

test('others get their turn each 0.1 ms while their turns are short', async () => {
  for (const turnMs of [0, 0.05, 1]) assertWithin(await turnsFor(turnMs), [130, 200])
})

test('when others take long, the work gets a tenth of what they took', async () => {
  assertWithin(await turnsFor(10), [18, 21])
  assertWithin(await turnsFor(50), [4, 5])
})

test('however long others took, a slice ends after 5 ms', async () => {
  assertWithin(await turnsFor(60_000), [4, 5])
})

test('without a clock of its own it lets the event loop run', async () => {
  let ran = 0
  const work = async () => {
    const slices = new TimeSlices()
    const endMs = performance.now() + 5000
    while (ran < 10 && performance.now() < endMs) await slices.giveWay()
  }
  const count = () => {
    ran++
    again = setImmediate(count)
  }
  let again = setImmediate(count)
  await work()
  clearImmediate(again)
  assert.is(ran, 10)
})

function* counting(pieces: number, onPiece: () => void): Pieces<string> {
  for (let n = 0; n < pieces; n++) {
    onPiece()
    yield
  }
  return 'done'
}

test('work in pieces is done to its end, with turns for others, and gives its result', async () => {
  let nowMs = 0
  let turns = 0
  const next = async () => {
    turns++
  }
  const slices = new TimeSlices({ now: () => nowMs, next })
  const result = await slices.run(
    counting(20, () => {
      nowMs += 0.06
    }),
  )
  assert.is(result, 'done')
  // Two pieces use up a slice of 0.1 ms.
  assert.is(turns, 10)
})

test('work that throws rejects', async () => {
  const work = counting(3, () => {
    throw new Error('broken')
  })
  try {
    await new TimeSlices().run(work)
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'broken')
  }
})

test('in one go, nobody else has a turn', () => {
  let pieces = 0
  const result = inOneGo(
    counting(5, () => {
      pieces++
    }),
  )
  assert.equal([result, pieces], ['done', 5])
})

test.run()
