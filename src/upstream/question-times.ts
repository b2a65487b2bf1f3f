/** When each step of one question on its way upstream is due. Decides nothing else. */
import type { Upstream } from './attempt.ts'
import type { Patience } from './policy/patience.ts'
import type { ExchangeSettings } from './settings.ts'

/** What a question's times depend on. */
export interface TimedGroup {
  readonly patience: Patience
  readonly settings: ExchangeSettings
  /** How long silence may last; less when all upstreams are known to be dead. */
  readonly silenceMs: number
}

/** A question that has met silence for this long tests its upstreams with a trial, and again after each such time. */
export const trialAfterMs = 500

const never = Number.POSITIVE_INFINITY

export class QuestionTimes {
  /** Since when the upstream may have the question. */
  startMs: number
  /** It waits for a socket of ours: nothing but the deadline counts. */
  isHeld = false
  private wasHeld = false
  hedgeAtMs: number
  /** When the upstream that was asked last has let its time pass. */
  private timeoutAtMs = never
  /** The latest turn to an upstream that had not been asked before. */
  private turnedMs = 0
  private trialAtMs: number
  private unheardAtMs: number
  private boundMs = never
  private readonly arrivedMs: number
  /** As the group had it when the question began. */
  private readonly silenceAtFirstMs: number
  readonly mayRecurse: boolean
  private readonly group: TimedGroup

  constructor(group: TimedGroup, mayRecurse: boolean, startMs: number) {
    this.group = group
    this.mayRecurse = mayRecurse
    // Whole milliseconds: V8 stores small integers in the object, and fractions in a separate allocation.
    this.startMs = Math.floor(startMs)
    this.arrivedMs = this.startMs
    this.silenceAtFirstMs = group.silenceMs
    this.hedgeAtMs = this.startMs + group.settings.deadlineMs
    this.trialAtMs = this.startMs + trialAfterMs
    this.unheardAtMs = this.startMs + this.silenceAtFirstMs
  }

  /** When the question fails, as far as is known now. */
  get endMs(): number {
    const { patience, settings } = this.group
    const { silenceMs } = this
    const deadlineMs = Math.min(this.arrivedMs + settings.deadlineMs, this.boundMs)
    if (this.isHeld) return deadlineMs
    const inSilenceMs = patience.endsMs(this, silenceMs)
    // Whoever was asked late has its own time, too.
    const ofLatestMs = this.turnedMs + Math.min(settings.timeout.maxMs, silenceMs)
    return Math.min(deadlineMs, Math.max(inSilenceMs, ofLatestMs))
  }

  /** Who asked before all were known to be dead waits for the usual time: one may be back, or a new list may come. */
  private get silenceMs(): number {
    return Math.max(this.silenceAtFirstMs, this.group.silenceMs)
  }

  /** A reply is there that the client can use: a better one is awaited for the longest time-out, whatever others get answered. */
  boundSilence(nowMs: number): void {
    this.boundMs = Math.min(this.boundMs, nowMs + this.group.settings.timeout.maxMs)
  }

  /** Until then a denial from further down the order does not stand against silence further up. */
  get denialDueMs(): number {
    return this.startMs + this.group.settings.silenceMs
  }

  get nextMs(): number {
    if (this.isHeld) return this.endMs
    return Math.min(this.endMs, this.hedgeAtMs, this.timeoutAtMs, this.trialAtMs, this.unheardAtMs)
  }

  /** It was held, and is sent now. */
  sent(nowMs: number, upstream: Upstream): void {
    this.isHeld = false
    this.wasHeld = true
    this.startMs = Math.floor(nowMs)
    this.hedgeAtMs = Math.ceil(nowMs + upstream.hedgeDelay.after(0))
    this.awaitUpstream(nowMs, upstream.timeoutMs(false), false)
    this.trialAtMs = this.startMs + trialAfterMs
    this.unheardAtMs = this.startMs + this.group.settings.silenceMs
  }

  /** Whether it had to wait so long for a socket that its upstream had no time for an answer. */
  cameTooLate(nowMs: number): boolean {
    return this.wasHeld && nowMs - this.startMs < this.group.settings.silenceMs
  }

  /** Tells the group, once, that the question has waited through the silence limit. */
  noteUnheard(nowMs: number): void {
    if (nowMs < this.unheardAtMs) return
    this.unheardAtMs = never
    this.group.patience.noteUnheard(this.startMs)
  }

  /** An upstream is asked: it has its time from now on. @param isAnother it was not the first */
  awaitUpstream(nowMs: number, timeoutMs: number, isAnother: boolean): void {
    this.timeoutAtMs = Math.ceil(nowMs + timeoutMs)
    if (isAnother) this.turnedMs = Math.floor(nowMs)
  }

  /** Nobody is asked now: nothing but the end is due. */
  rest(): void {
    this.hedgeAtMs = never
    this.timeoutAtMs = never
  }

  /** Whether the upstream that was asked last has let its time pass; says so once. */
  takeTimeout(nowMs: number): boolean {
    if (nowMs < this.timeoutAtMs) return false
    this.timeoutAtMs = never
    return true
  }

  /** Whether a trial is due now; the next one is due later. */
  takeTrial(nowMs: number): boolean {
    if (nowMs < this.trialAtMs) return false
    this.trialAtMs = nowMs + trialAfterMs
    return true
  }

  /** @returns whether the hedge was put off, because the answer is not late before `lateMs` */
  postponeHedge(nowMs: number, lateMs: number): boolean {
    if (nowMs >= lateMs) return false
    this.hedgeAtMs = Math.ceil(lateMs)
    return true
  }
}
