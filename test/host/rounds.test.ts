/** Goal: no work runs twice at once or after the stop, and no failure is lost. Method: work that ends when the test says so. */
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Rounds } from '../../src/host/rounds.ts'

const test = suite('host/rounds')

/** Work that counts its starts, and ends when told. */
function heldWork() {
  const ends: (() => void)[] = []
  return {
    work: () => new Promise<string>((resolve) => ends.push(() => resolve('done'))),
    get starts() {
      return ends.length
    },
    end: () => ends.at(-1)?.(),
  }
}

function rig() {
  const failures: string[] = []
  return { rounds: new Rounds((error) => failures.push(String(error))), failures }
}

test('work is not started again while it runs, and is once it has ended', async () => {
  const { rounds } = rig()
  const held = heldWork()
  const round = rounds.alone(held.work)
  const first = round()
  assert.is(await round(), undefined)
  assert.is(held.starts, 1)
  held.end()
  assert.is(await first, 'done')
  const second = round()
  assert.is(held.starts, 2)
  held.end()
  assert.is(await second, 'done')
})

test('two pieces of work do not keep each other waiting', async () => {
  const { rounds } = rig()
  const slow = heldWork()
  const renewals: number[] = []
  const maintain = rounds.alone(slow.work)
  const round = rounds.alone(async () => renewals.push(1))
  const maintained = maintain()
  await round()
  await round()
  assert.is(renewals.length, 2)
  slow.end()
  await maintained
})

test('work that has failed is started again, and its failure is reported each time', async () => {
  const { rounds, failures } = rig()
  const round = rounds.alone(async () => {
    throw new Error('no permission')
  })
  rounds.run(round)
  await delay(1)
  rounds.run(round)
  await delay(1)
  assert.equal(failures, ['Error: no permission', 'Error: no permission'])
})

test('at each interval all of the works are started, until the stop', async () => {
  const { rounds } = rig()
  const done = Promise.withResolvers<void>()
  let rounded = 0
  let maintained = 0
  rounds.every(
    1,
    async () => {
      rounded += 1
    },
    async () => {
      maintained += 1
      if (maintained === 3) done.resolve()
    },
  )
  await done.promise
  rounds.stop()
  assert.is(maintained, 3)
  assert.is(rounded, 3)
  await delay(10)
  assert.is(maintained, 3)
})

test('after the stop nothing starts, whoever asks; what runs already ends', async () => {
  const { rounds, failures } = rig()
  const held = heldWork()
  const round = rounds.alone(held.work)
  const running = round()
  rounds.stop()
  assert.ok(rounds.isStopped)
  held.end()
  assert.is(await running, 'done')
  assert.is(await round(), undefined)
  rounds.every(1, round)
  await delay(10)
  assert.is(held.starts, 1)
  assert.equal(failures, [])
})

test.run()
