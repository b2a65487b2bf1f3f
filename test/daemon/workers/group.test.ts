/*
 * Goal: a worker that ends is followed at once if it had served, later and later if it had not, and by nobody at the end; meanwhile a
 * colleague reads its socket. Method: child processes that the test kills, pauses under a clock that is wound by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WorkerGroup } from '../../../src/daemon/workers/group.ts'
import type { RestoredCache } from '../../../src/daemon/workers/plan.ts'
import type { WorkerProcess } from '../../../src/daemon/workers/process.ts'
import { until } from '../../support/process.ts'
import { KeptLog, whenTrue, withHandClock } from '../support.ts'
import { commandOf, plainWorker, toldIn } from './scripted-worker.ts'

const test = suite('daemon/workers/group')

interface World {
  readonly group: WorkerGroup
  readonly log: KeptLog
  /** What each worker has told, as `number: text`. */
  readonly told: string[]
  readonly lost: WorkerProcess[]
  readonly restored: RestoredCache[]
  /** What `command` was told of the one before. */
  readonly healthy: boolean[]
  /** Script of those that are started from now on. */
  script: string | undefined
}

const groups: WorkerGroup[] = []

function worldOf(count: number, script?: string): World {
  const log = new KeptLog()
  const told: string[] = []
  const lost: WorkerProcess[] = []
  const restored: RestoredCache[] = []
  const healthy: boolean[] = []
  const group = new WorkerGroup({
    count,
    log,
    command: (isHealthy) => {
      healthy.push(isHealthy)
      const { argv, sockets, environment, dump } = commandOf(plainWorker(world.script))
      return { argv, sockets, environment, dump }
    },
    onReady: (_worker, cache) => restored.push(cache),
    onMessage: (worker, message) => {
      told.push(...toldIn(message).map((text) => `${worker.number}: ${text}`))
    },
    onLost: (worker) => lost.push(worker),
  })
  const world: World = { group, log, told, lost, restored, healthy, script }
  groups.push(group)
  return world
}

test.after.each(async () => {
  for (const group of groups.splice(0)) {
    group.isLeaving = true
    group.kill('SIGKILL')
    await group.untilGone(1000)
  }
})

/** A group whose workers serve. */
async function startedOf(count: number, script?: string): Promise<World> {
  const world = worldOf(count, script)
  await world.group.start()
  return world
}

function workerOf({ group }: World, number: number): WorkerProcess {
  const worker = group.all.find((one) => one.number === number)
  if (worker === undefined) throw new Error(`there is no worker ${number}`)
  return worker
}

/** Kills the only worker, and waits until the group knows. @returns after how long another is started */
async function killOnly(world: World): Promise<number> {
  const before = world.lost.length
  const [worker] = world.group.ready
  worker?.kill('SIGKILL')
  await whenTrue('lost', () => world.lost.length > before)
  return Number(
    world.log.lines.findLast(({ message }) => message === 'worker lost')?.fields['againInMs'],
  )
}

function untilServing({ group }: World): Promise<void> {
  return whenTrue('another serves', () => group.ready.length > 0)
}

test('the start is done when all workers serve, one of each number', async () => {
  const { group, restored, healthy } = await startedOf(3)
  assert.equal(
    group.ready.map(({ number }) => number),
    [0, 1, 2],
  )
  assert.equal([restored.length, healthy], [3, [true, true, true]])
})

test('a worker that ends by itself while it starts ends the start: what it said is the reason', async () => {
  const { group } = worldOf(2, 'if (plan.number === 1) process.exit(2); else ready()')
  let why = ''
  await group.start().catch((error: unknown) => {
    why = String(error)
  })
  assert.match(why, /a worker has ended while it was starting/)
})

test('one that dies before it has served for a second is followed after 100 ms, then twice as long, up to 5 s', async () => {
  const world = await startedOf(1)
  await withHandClock(async (clock) => {
    const pauses: number[] = []
    for (let death = 0; death < 8; death++) {
      const pauseMs = await killOnly(world)
      pauses.push(pauseMs)
      assert.is(world.group.all.length, 0, 'somebody was started at once')
      clock.wind(pauseMs - 1)
      assert.is(world.group.all.length, 0, 'somebody was started early')
      clock.wind(1)
      await untilServing(world)
    }
    assert.equal(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000])
    assert.equal(world.healthy, [true, ...new Array<boolean>(8).fill(false)])
    assert.equal(world.group.restarts, { ended: 0, killed: 8, hung: 0 })
  })
})

test('one that has served for a second is followed at once, and the next pause is short again', async () => {
  const world = await startedOf(1)
  await withHandClock(async (clock) => {
    const pauses: number[] = []
    for (const servedMs of [0, 1000, 1001, 0]) {
      clock.wind(servedMs)
      const pauseMs = await killOnly(world)
      pauses.push(pauseMs)
      // What waits in its socket waits no longer than it must.
      assert.is(world.group.all.length, pauseMs === 0 ? 1 : 0)
      clock.wind(pauseMs)
      await untilServing(world)
    }
    assert.equal(pauses, [100, 200, 0, 100])
    assert.equal(world.healthy, [true, false, false, true, false])
  })
})

test('a worker that never served counts as one that did not live long', async () => {
  const world = await startedOf(1)
  await withHandClock(async (clock) => {
    world.script = 'process.exit(1)'
    clock.wind(5000)
    assert.is(await killOnly(world), 0)
    await whenTrue('the next has ended', () => world.lost.length === 2)
    const line = world.log.lines.findLast(({ message }) => message === 'worker lost')
    assert.equal(
      [line?.fields['why'], line?.fields['code'], line?.fields['againInMs']],
      ['ended', 1, 100],
    )
  })
})

test('meanwhile a colleague reads the socket of the one that died, and leaves it when another serves', async () => {
  const world = await startedOf(3)
  const orders = () => world.told.filter((text) => /adopt|drop/.test(text))
  // At the start each has told the others that it serves now.
  await until('the start has settled', () => orders().length === 3)
  world.told.length = 0
  const victim = workerOf(world, 1)
  victim.readyMs = performance.now() - 2000
  victim.kill('SIGKILL')
  await until('three again', () => world.group.ready.length === 3, { timeoutMs: 20_000 })
  await until('told', () => orders().length === 3)
  assert.equal(orders().toSorted(), ['0: adopt 1', '0: drop 1', '2: drop 1'])
  assert.equal([world.lost, world.group.has(victim)], [[victim], false])
  assert.is(world.group.has(workerOf(world, 1)), true)
})

test('the last worker leaves its socket to nobody: it waits for the next', async () => {
  const world = await startedOf(1)
  workerOf(world, 0).readyMs = performance.now() - 2000
  workerOf(world, 0).kill('SIGKILL')
  await until('one again', () => world.group.ready.length === 1 && world.lost.length === 1, {
    timeoutMs: 20_000,
  })
  assert.equal(world.told, [])
})

test('a worker that hangs is killed and followed, and counted as hung', async () => {
  const world = await startedOf(1)
  const victim = workerOf(world, 0)
  victim.kill('SIGSTOP')
  await until('lost', () => world.lost.length === 1, { timeoutMs: 10_000 })
  assert.equal(world.group.restarts, { ended: 0, killed: 0, hung: 1 })
  await until('another', () => world.group.ready.length === 1, { timeoutMs: 20_000 })
})

test('at the end nobody is followed, and the deaths are not counted', async () => {
  const world = await startedOf(2)
  world.group.isLeaving = true
  world.group.kill('SIGTERM')
  await world.group.untilGone(5000)
  assert.equal([world.group.all, world.lost.length], [[], 2])
  assert.equal(world.group.restarts, { ended: 0, killed: 0, hung: 0 })
  assert.not.ok(world.log.messages('error').length > 0)
})

test('an end during a pause: the one that was to come does not', async () => {
  const world = await startedOf(1)
  await withHandClock(async (clock) => {
    assert.is(await killOnly(world), 100)
    world.group.isLeaving = true
    clock.wind(10_000)
    assert.equal(world.group.all, [])
  })
})

test('a worker that ignores the end is killed at the deadline, not before', async () => {
  const world = await startedOf(1, `process.on('SIGTERM', () => tell('no')); ready()`)
  world.group.isLeaving = true
  world.group.kill('SIGTERM')
  const startMs = performance.now()
  await world.group.untilGone(300)
  assert.ok(performance.now() - startMs >= 290)
  assert.equal(world.told, ['0: no'])
})

test('a group that has left can start again, when its successor has gone', async () => {
  const world = await startedOf(1)
  world.group.isLeaving = true
  world.group.kill('SIGKILL')
  await world.group.untilGone(1000)
  world.group.isLeaving = false
  await world.group.start()
  assert.is(world.group.ready.length, 1)
})

test('a start that is given up ends at once, not when the workers would have had to be ready', async () => {
  const { group } = worldOf(2, 'setInterval(() => undefined, 1000)')
  const startMs = performance.now()
  const started = group.start().catch(String)
  group.isLeaving = true
  assert.match(String(await started), /given up/)
  assert.ok(performance.now() - startMs < 5000)
})

test.run()
