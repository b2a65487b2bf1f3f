/** What one server is quick at, and what it is slow at: for names, and in milliseconds. Pure. */
import { AnswerTimes } from './answer-times.ts'
import { Pauses } from './pauses.ts'
import { type NotedQuestion, SlowNames } from './slow-names.ts'

export interface SpeedSettings {
  /** From here on an answer of a server nearby is slow. */
  readonly slowAfterMs: number
  /** Names, parents and types remembered as slow. */
  readonly slowNamesMax: number
}

export class ServerSpeed {
  settings: SpeedSettings
  private readonly names: SlowNames
  private readonly times = new AnswerTimes()
  private readonly pauses = new Pauses()

  constructor(settings: SpeedSettings) {
    this.settings = settings
    this.names = new SlowNames(settings.slowNamesMax)
  }

  get slowAfterMs(): number {
    return this.times.slowAfterMs(this.settings.slowAfterMs)
  }

  /** When the answer to a slow question is late. */
  get lateAfterMs(): number {
    return this.times.lateAfterMs
  }

  expectsSlow(question: NotedQuestion): boolean {
    return this.names.isSlow(question)
  }

  /** An answer came. @param silentMs since the one before, to whatever question, while questions were open */
  noteSilence(tookMs: number, silentMs: number, nowMs: number): void {
    if (Math.min(tookMs, silentMs) >= this.slowAfterMs) this.pauses.note(tookMs, silentMs, nowMs)
  }

  /**
   * Whether a head is slow, and not the server. Both the head and the answers of others had half the time: a server that stalls has
   * stopped answering all.
   * @param sinceMs when the head came up
   */
  isPassed(sinceMs: number, lastAnswerMs: number, nowMs: number): boolean {
    const { pauses, slowAfterMs } = this
    const leastMs = Math.max(slowAfterMs / 2, pauses.graceMs(nowMs))
    return (
      lastAnswerMs >= pauses.workedSince(sinceMs) + leastMs ||
      lastAnswerMs >= Math.max(pauses.slowFrom(sinceMs), sinceMs + slowAfterMs)
    )
  }

  /** Whether a question of that time has just waited for the end of a pause: then what was slow meanwhile tells nothing about it. */
  wasPaused(sinceMs: number, nowMs: number): boolean {
    return this.pauses.wasWaiting(sinceMs, nowMs)
  }

  noteDial(tookMs: number): void {
    this.times.noteDial(tookMs)
  }

  /** @param tookMs of a question that waited for no other */
  noteRoundTrip(tookMs: number): void {
    this.times.note(tookMs)
  }

  /** The server answers others, and this question it has not answered for a while. */
  noteSlow(question: NotedQuestion): void {
    this.names.note(question, true)
  }

  /** An answer came to a question that waited for no other. */
  noteApart(question: NotedQuestion, tookMs: number): void {
    if (tookMs >= this.slowAfterMs) this.noteSlow(question)
    this.noteAnswer(question, tookMs, true)
  }

  /**
   * An answer came.
   * @param isBySlowness false when the server may have been silent for all: then a long time tells nothing
   */
  noteAnswer(question: NotedQuestion, tookMs: number, isBySlowness: boolean): void {
    if (tookMs < this.slowAfterMs) this.names.note(question, false)
    else if (isBySlowness) this.times.noteSlow(tookMs)
  }
}
