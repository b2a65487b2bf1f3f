/** When each step of one question on its way upstream is due. Decides nothing else. */
import type { Patience } from './policy/patience.ts'
import type { ExchangeSettings } from './settings.ts'

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
  private trialAtMs: number
  private unheardAtMs: number
  private boundMs = never
  private readonly arrivedMs: number
  readonly mayRecurse: boolean
  private readonly group: { readonly patience: Patience; readonly settings: ExchangeSettings }

  constructor(
    group: { readonly patience: Patience; readonly settings: ExchangeSettings },
    mayRecurse: boolean,
    startMs: number,
  ) {
    this.group = group
    this.mayRecurse = mayRecurse
    // Whole milliseconds: V8 stores small integers in the object, and fractions in a separate allocation.
    this.startMs = Math.floor(startMs)
    this.arrivedMs = this.startMs
    this.hedgeAtMs = this.startMs + group.settings.deadlineMs
    this.trialAtMs = this.startMs + trialAfterMs
    this.unheardAtMs = this.startMs + group.settings.silenceMs
  }

  /** When the question fails, as far as is known now. */
  get endMs(): number {
    const { patience, settings } = this.group
    const deadlineMs = Math.min(this.arrivedMs + settings.deadlineMs, this.boundMs)
    return this.isHeld
      ? deadlineMs
      : Math.min(deadlineMs, patience.endsMs(this, settings.silenceMs))
  }

  /** A reply is there that the client can use: a better one is awaited for the silence limit, whatever others get answered. */
  boundSilence(nowMs: number): void {
    this.boundMs = Math.min(this.boundMs, nowMs + this.group.settings.silenceMs)
  }

  get nextMs(): number {
    if (this.isHeld) return this.endMs
    return Math.min(this.endMs, this.hedgeAtMs, this.trialAtMs, this.unheardAtMs)
  }

  /** It was held, and is sent now. */
  sent(nowMs: number, hedgeDelayMs: number): void {
    this.isHeld = false
    this.wasHeld = true
    this.startMs = Math.floor(nowMs)
    this.hedgeAtMs = Math.ceil(nowMs + hedgeDelayMs)
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

  /** Whether a trial is due now; the next one is due later. */
  takeTrial(nowMs: number): boolean {
    if (nowMs < this.trialAtMs) return false
    this.trialAtMs = nowMs + trialAfterMs
    return true
  }
}
