// Goal: what is due happens in the order of its times, and at the times. Method: tasks that note when they ran.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WheelTimer } from '../../src/platform/timer-wheel.ts'
import { Timetable } from '../../src/rehearsal/timetable.ts'

const test = suite('rehearsal/timetable')

test('tasks run in the order of their times, those of one time in the order of entry', () => {
  const timetable = new Timetable()
  const ran: string[] = []
  const times = [5, 3, 9, 3, 1, 7, 3, 5]
  for (const [i, atMs] of times.entries())
    timetable.at(atMs, () => ran.push(`${timetable.nowMs()}/${i}`))
  timetable.runTo(7)
  assert.equal(ran, ['1/4', '3/1', '3/3', '3/6', '5/0', '5/7', '7/5'])
  assert.is(timetable.nowMs(), 7)
  timetable.runTo(100)
  assert.equal([ran.at(-1), timetable.nowMs()], ['9/2', 100])
})

test('a task may enter others, for later and for times that have passed', () => {
  const timetable = new Timetable()
  const ran: number[] = []
  timetable.at(10, () => {
    timetable.at(4, () => ran.push(timetable.nowMs()))
    timetable.at(20, () => ran.push(timetable.nowMs()))
    timetable.at(200, () => ran.push(timetable.nowMs()))
  })
  timetable.runTo(100)
  assert.equal(ran, [10, 20])
})

test('thousands of tasks keep their order', () => {
  const timetable = new Timetable()
  const ran: number[] = []
  for (let i = 0; i < 5000; i++) timetable.at((i * 7919) % 4999, () => ran.push(timetable.nowMs()))
  timetable.runTo(5000)
  assert.is(ran.length, 5000)
  assert.equal(
    ran,
    ran.toSorted((a, b) => a - b),
  )
})

test('a timer fires at its time, once, and not after it was disarmed or moved', () => {
  const timetable = new Timetable()
  const fired: number[] = []
  const timer = new WheelTimer({ onTimer: (nowMs) => fired.push(nowMs) })
  timetable.arm(timer, 10)
  timetable.arm(timer, 25)
  timetable.runTo(20)
  assert.equal(fired, [])
  timetable.runTo(30)
  assert.equal(fired, [25])
  timetable.arm(timer, 40)
  timetable.disarm(timer)
  timetable.disarm(timer)
  timetable.runTo(50)
  assert.equal(fired, [25])
})

test.run()
