/**
 * One timer for all deadlines of questions in flight. A hashed wheel (Varghese and Lauck, scheme 6): arming and
 * disarming are a few pointer writes, against a `setTimeout` per question, and one native timer sleeps until
 * the next slot that is not empty. With nothing pending there is no timer and no wake-up. Never fires early; up to one tick late.
 */

// Not the global `performance`: reading it runs a lazy getter each time.
import { performance } from 'node:perf_hooks'

const tickMs = 10
/** One lap is 5.12 s, longer than any deadline of a question; a later deadline takes more laps. */
const slotCount = 512

export interface WheelTask {
  onTimer(nowMs: number): void
}

/** A place in the wheel. Belongs to one task, which may arm it repeatedly. */
export class WheelTimer {
  readonly task: WheelTask
  /** @internal tick at which it fires; -1 while not armed */
  dueTick = -1
  /** @internal */
  next: WheelTimer | undefined
  /** @internal */
  previous: WheelTimer | undefined

  constructor(task: WheelTask) {
    this.task = task
  }

  get isArmed(): boolean {
    return this.dueTick >= 0
  }
}

export class TimerWheel {
  readonly nowMs: () => number
  private readonly slots: (WheelTimer | undefined)[] = new Array(slotCount).fill(undefined)
  private readonly fireDue = () => this.advance()
  /**
   * Fires after the sockets have been read: after a stall of the event loop the awaited answers may lie in the kernel, and
   * the stall must not count as a slow upstream.
   */
  private readonly wakeUp = () => {
    this.native = undefined
    this.immediate = setImmediate(this.fireDue)
  }
  private armed = 0
  /** All ticks up to this one have fired. */
  private doneTick = 0
  private wakeTick = Number.POSITIVE_INFINITY
  private native: NodeJS.Timeout | undefined
  private immediate: NodeJS.Immediate | undefined
  private firing = false

  /** @param nowMs monotonic clock; all times given to the wheel are of this clock */
  constructor(nowMs: () => number = () => performance.now()) {
    this.nowMs = nowMs
  }

  get pending(): number {
    return this.armed
  }

  /** Arms `timer`, or moves it when it is armed. A time that has passed fires at the next tick. */
  arm(timer: WheelTimer, dueMs: number): void {
    if (timer.isArmed) this.disarm(timer)
    if (this.armed === 0 && !this.firing) this.doneTick = Math.floor(this.nowMs() / tickMs)
    const tick = Math.max(Math.ceil(dueMs / tickMs), this.doneTick + 1)
    timer.dueTick = tick
    const slot = tick % slotCount
    timer.next = this.slots[slot]
    if (timer.next !== undefined) timer.next.previous = timer
    this.slots[slot] = timer
    this.armed++
    if (tick < this.wakeTick && !this.firing) this.sleepUntil(tick)
  }

  disarm(timer: WheelTimer): void {
    if (!timer.isArmed) return
    if (timer.previous === undefined) this.slots[timer.dueTick % slotCount] = timer.next
    else timer.previous.next = timer.next
    if (timer.next !== undefined) timer.next.previous = timer.previous
    timer.next = undefined
    timer.previous = undefined
    timer.dueTick = -1
    this.armed--
    if (this.armed === 0 && !this.firing) this.sleepForGood()
  }

  private advance(): void {
    this.immediate = undefined
    this.wakeTick = Number.POSITIVE_INFINITY
    const nowMs = this.nowMs()
    const nowTick = Math.floor(nowMs / tickMs)
    this.firing = true
    try {
      // After a long stall one lap visits every slot; more would visit them again.
      const from = Math.max(this.doneTick + 1, nowTick - slotCount + 1)
      // Before the tasks run, because the timers that they arm are due later.
      this.doneTick = Math.max(this.doneTick, nowTick)
      for (let tick = from; tick <= nowTick; tick++) this.fireSlot(tick % slotCount, nowTick, nowMs)
    } finally {
      this.firing = false
      if (this.armed > 0) this.sleepUntil(this.nextOccupiedTick())
      else this.sleepForGood()
    }
  }

  private fireSlot(slot: number, nowTick: number, nowMs: number): void {
    for (
      let timer = this.firstDue(slot, nowTick);
      timer !== undefined;
      timer = this.firstDue(slot, nowTick)
    ) {
      this.disarm(timer)
      timer.task.onTimer(nowMs)
    }
  }

  /** Looked up anew each time, because a task may disarm its neighbours. Timers that it arms are due later than `nowTick`. */
  private firstDue(slot: number, nowTick: number): WheelTimer | undefined {
    let timer = this.slots[slot]
    while (timer !== undefined && timer.dueTick > nowTick) timer = timer.next
    return timer
  }

  private nextOccupiedTick(): number {
    for (let tick = this.doneTick + 1; tick < this.doneTick + slotCount; tick++) {
      if (this.slots[tick % slotCount] !== undefined) return tick
    }
    return this.doneTick + slotCount
  }

  private sleepUntil(tick: number): void {
    this.sleepForGood()
    this.wakeTick = tick
    this.native = setTimeout(this.wakeUp, Math.max(1, Math.ceil(tick * tickMs - this.nowMs())))
  }

  private sleepForGood(): void {
    if (this.native !== undefined) clearTimeout(this.native)
    if (this.immediate !== undefined) clearImmediate(this.immediate)
    this.native = undefined
    this.immediate = undefined
    this.wakeTick = Number.POSITIVE_INFINITY
  }
}
