/** What one server is quick at, and what it is slow at: for names, and in milliseconds. Pure. */
import { AnswerTimes } from './answer-times.ts'
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
