/**
 * The clock of a replay, and what happens at its times: a heap of tasks. Time moves from task to task, so the replay gives the same
 * result however fast it runs. Also the timers of the instance, in the place of the wheel that goes by the machine's clock. Pure.
 */
import type { WheelTimer } from '../platform/timer-wheel.ts'

interface Task {
  readonly atMs: number
  /** Tasks of the same time run in the order in which they were entered. */
  readonly number: number
  readonly run: () => void
  isCancelled: boolean
}

export class Timetable {
  private readonly heap: Task[] = []
  private presentMs = 0
  private count = 0
  private readonly timers = new Map<WheelTimer, Task>()

  nowMs(): number {
    return this.presentMs
  }

  /** @param atMs a time that has passed is the present */
  at(atMs: number, run: () => void): void {
    this.enter(atMs, run)
  }

  /** As the wheel's, but never late. */
  arm(timer: WheelTimer, dueMs: number): void {
    this.disarm(timer)
    const task = this.enter(dueMs, () => {
      this.timers.delete(timer)
      timer.task.onTimer(this.presentMs)
    })
    this.timers.set(timer, task)
  }

  disarm(timer: WheelTimer): void {
    const task = this.timers.get(timer)
    if (task === undefined) return
    task.isCancelled = true
    this.timers.delete(timer)
  }

  /** Runs all tasks up to a time, and makes it the present. */
  runTo(untilMs: number): void {
    for (let [task] = this.heap; task !== undefined && task.atMs <= untilMs; [task] = this.heap) {
      this.takeFirst()
      this.presentMs = Math.max(this.presentMs, task.atMs)
      if (!task.isCancelled) task.run()
    }
    this.presentMs = Math.max(this.presentMs, untilMs)
  }

  private enter(atMs: number, run: () => void): Task {
    const at = Math.max(atMs, this.presentMs)
    const task = { atMs: at, number: this.count, run, isCancelled: false }
    this.count += 1
    this.heap.push(task)
    this.rise(this.heap.length - 1)
    return task
  }

  private rise(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >>> 1
      if (!this.isBefore(index, parent)) return
      this.swap(index, parent)
      index = parent
    }
  }

  private takeFirst(): void {
    const last = this.heap.pop()
    if (last === undefined || this.heap.length === 0) return
    this.heap[0] = last
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const right = left + 1
      let first = index
      if (left < this.heap.length && this.isBefore(left, first)) first = left
      if (right < this.heap.length && this.isBefore(right, first)) first = right
      if (first === index) return
      this.swap(index, first)
      index = first
    }
  }

  private isBefore(a: number, b: number): boolean {
    const [one, other] = [this.heap[a] as Task, this.heap[b] as Task]
    return one.atMs === other.atMs ? one.number < other.number : one.atMs < other.atMs
  }

  private swap(a: number, b: number): void {
    const task = this.heap[a] as Task
    this.heap[a] = this.heap[b] as Task
    this.heap[b] = task
  }
}
