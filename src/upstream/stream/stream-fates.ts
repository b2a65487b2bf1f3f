/**
 * What becomes of the questions on one server's connections, and what that tells about the server: whether it answers a second
 * question, those that are pipelined, and one while it works on another. Sends nothing.
 */
import type { TimerWheel } from '../../platform/timer-wheel.ts'
import type { Attempt, Upstream } from '../attempt.ts'
import type { ServerSpeed } from '../policy/server-speed.ts'
import { Standing, type StreamHabits } from '../policy/stream-habits.ts'
import { StreamConnection } from './stream-connection.ts'

/** Silence after which a question that is answered at once elsewhere was dropped, in ages of an old head. */
const silentFactor = 4
/** The least time before a question is taken for dropped: no server nearby needs it for what it knows. */
const dropAfterMs = 50

export class StreamFates {
  private readonly habits: StreamHabits
  private readonly speed: ServerSpeed
  private readonly wheel: TimerWheel

  constructor(habits: StreamHabits, speed: ServerSpeed, wheel: TimerWheel) {
    this.habits = habits
    this.speed = speed
    this.wheel = wheel
  }

  /** A connection has brought a reply. @param wasHead no older question was open on it */
  noteReply(attempt: Attempt, wasHead: boolean): void {
    // One that passed an older question may have passed one that was dropped.
    this.habits.noteAnswer(wasHead ? attempt.standing : Standing.reused)
    if (attempt.wasPassed) this.habits.noteConcurrent(this.wheel.nowMs())
  }

  /** Whether the question may have been dropped because of how it was put on a connection. */
  mayBeDropped(attempt: Attempt): boolean {
    return attempt.siblings.all.some(
      ({ sentMs, isAside, standing }) => sentMs > 0 && !isAside && !this.habits.answers(standing),
    )
  }

  /**
   * Gives a connection up on which the server may have dropped what was sent: its questions are asked again on others. Not before
   * it has had time to answer, because then the answer would only be later.
   * @returns whether it was given up
   */
  dropIfSilent(connection: StreamConnection, upstream: Upstream): boolean {
    const { smoothedMs } = upstream.hedgeDelay
    const afterMs = Math.max(dropAfterMs, silentFactor * this.speed.slowAfterMs, 3 * smoothedMs)
    if (this.wheel.nowMs() - connection.quietSinceMs < afterMs) return false
    for (const attempt of connection.unanswered) attempt.wasDropped = true
    connection.close('connection-lost')
    return true
  }

  /** The question was answered, on whatever way: now its earlier sendings tell something. */
  noteAnswered(attempt: Attempt, nowMs: number): void {
    const { slowAfterMs } = this.speed
    if (nowMs - attempt.sentMs >= slowAfterMs) return
    for (const earlier of attempt.siblings.all) {
      if (earlier.wasDropped) this.habits.noteDiscard(earlier.standing, nowMs)
      else if (silenceMs(earlier, nowMs) >= silentFactor * slowAfterMs) {
        this.habits.suspect(earlier.standing, nowMs)
      }
    }
  }
}

/** How long a question has been at the head of its connection. */
function silenceMs(attempt: Attempt, nowMs: number): number {
  const { carrier, isDone } = attempt
  if (isDone || !(carrier instanceof StreamConnection) || carrier.head !== attempt) return 0
  return nowMs - carrier.quietSinceMs
}
