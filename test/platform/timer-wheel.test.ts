/*
 * Goal: every timer fires once, never early, soon after its time, and an empty wheel sleeps. Method: real time for what
 * the event loop does, and a model (a sorted list) for thousands of random armings.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TimerWheel, WheelTimer } from '../../src/platform/timer-wheel.ts'

const test = suite('platform/timer-wheel')

/** A timer that notes when it fired. */
function probe(wheel: TimerWheel, onFire: (nowMs: number) => void = () => {}) {
  const firedMs: number[] = []
  const timer = new WheelTimer({
    onTimer: (nowMs) => {
      firedMs.push(nowMs)
      onFire(wheel.nowMs())
    },
  })
  return { timer, firedMs }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

test('a timer fires once, not before its time and soon after', async () => {
  const wheel = new TimerWheel()
  const { timer, firedMs } = probe(wheel)
  const dueMs = wheel.nowMs() + 33
  wheel.arm(timer, dueMs)
  assert.ok(timer.isArmed)
  await pause(120)
  assert.is(firedMs.length, 1)
  assert.ok(
    (firedMs[0] ?? 0) >= dueMs && (firedMs[0] ?? 0) < dueMs + 60,
    `${firedMs[0]} for ${dueMs}`,
  )
  assert.is(wheel.pending, 0)
})

test('a disarmed timer does not fire, and its neighbours in the slot do', async () => {
  const wheel = new TimerWheel()
  const all = Array.from({ length: 5 }, () => probe(wheel))
  const dueMs = wheel.nowMs() + 20
  for (const { timer } of all) wheel.arm(timer, dueMs)
  for (const i of [0, 2, 4]) {
    const timer = all[i]?.timer
    if (timer !== undefined) wheel.disarm(timer)
  }
  await pause(80)
  assert.equal(
    all.map(({ firedMs }) => firedMs.length),
    [0, 1, 0, 1, 0],
  )
})

test('arming again moves a timer, forwards and back', async () => {
  const wheel = new TimerWheel()
  const later = probe(wheel)
  const sooner = probe(wheel)
  const startMs = wheel.nowMs()
  wheel.arm(later.timer, startMs + 20)
  wheel.arm(later.timer, startMs + 100)
  wheel.arm(sooner.timer, startMs + 5000)
  wheel.arm(sooner.timer, startMs + 20)
  await pause(70)
  assert.is(later.firedMs.length, 0)
  assert.is(sooner.firedMs.length, 1)
  await pause(80)
  assert.is(later.firedMs.length, 1)
})

test('a task may arm its own timer and disarm others while timers fire', async () => {
  const wheel = new TimerWheel()
  const victim = probe(wheel)
  const killer = probe(wheel, () => wheel.disarm(victim.timer))
  let rounds = 0
  const repeating: { timer: WheelTimer } = probe(wheel, (nowMs) => {
    if (++rounds < 3) wheel.arm(repeating.timer, nowMs)
  })
  const dueMs = wheel.nowMs() + 15
  // The last armed fires first in a slot.
  wheel.arm(victim.timer, dueMs)
  wheel.arm(killer.timer, dueMs)
  wheel.arm(repeating.timer, dueMs)
  await pause(100)
  assert.is(killer.firedMs.length, 1)
  assert.is(victim.firedMs.length, 0)
  assert.is(rounds, 3)
})

test('a wheel with nothing armed keeps no process alive', () => {
  const countTimers = () =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = countTimers()
  const wheel = new TimerWheel()
  const { timer } = probe(wheel)
  wheel.arm(timer, wheel.nowMs() + 1000)
  assert.is(countTimers(), before + 1)
  wheel.disarm(timer)
  assert.is(countTimers(), before)
})

test('an answer that lies in the kernel is read before a deadline that has passed fires', async () => {
  const wheel = new TimerWheel()
  const order: string[] = []
  const { timer } = probe(wheel, () => order.push('deadline'))
  const { port1, port2 } = new MessageChannel()
  port2.on('message', () => {
    order.push('answer')
    port2.close()
  })
  wheel.arm(timer, wheel.nowMs() + 20)
  setTimeout(() => {
    port1.postMessage('answer')
    const untilMs = performance.now() + 60
    while (performance.now() < untilMs);
  }, 5)
  await pause(120)
  assert.equal(order, ['answer', 'deadline'])
})

test('5,000 timers, armed, moved and disarmed at random, fire as a sorted list would', async () => {
  const wheel = new TimerWheel()
  const startMs = wheel.nowMs()
  let seed = 12345
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  const all = Array.from({ length: 5000 }, () => ({ ...probe(wheel), dueMs: Number.NaN }))
  for (let step = 0; step < 15_000; step++) {
    const one = all[random(all.length)]
    if (one === undefined) continue
    if (random(4) === 0) {
      wheel.disarm(one.timer)
      one.dueMs = Number.NaN
    } else {
      one.dueMs = startMs + 200 + random(400)
      wheel.arm(one.timer, one.dueMs)
    }
  }
  const expected = all.filter(({ dueMs }) => !Number.isNaN(dueMs))
  assert.is(wheel.pending, expected.length)
  assert.ok(wheel.nowMs() < startMs + 200, 'this machine is too slow for the test')
  await pause(700)
  assert.is(wheel.pending, 0)
  const wrong = all.filter(({ firedMs, dueMs }) => firedMs.length !== (Number.isNaN(dueMs) ? 0 : 1))
  assert.is(wrong.length, 0)
  const early = expected.filter(({ firedMs, dueMs }) => (firedMs[0] ?? 0) < dueMs)
  assert.is(early.length, 0)
})

test('a timer further off than a lap of the wheel waits for its own lap', () => {
  let nowMs = 1000
  const wheel = new TimerWheel(() => nowMs)
  const { timer, firedMs } = probe(wheel)
  const far = probe(wheel)
  wheel.arm(timer, 1100)
  wheel.arm(far.timer, 1100 + 2 * 5120)
  nowMs = 1100
  const { advance } = wheel as unknown as { advance: () => void }
  advance.call(wheel)
  assert.is(firedMs.length, 1)
  nowMs = 1100 + 5120
  advance.call(wheel)
  assert.is(far.firedMs.length, 0)
  nowMs = 1100 + 2 * 5120
  advance.call(wheel)
  assert.is(far.firedMs.length, 1)
})

test.run()
