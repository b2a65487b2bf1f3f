/** When each step of one question on its way upstream is due. Decides nothing else. */
import type { Patience } from './policy/patience.ts'
import type { ExchangeSettings } from './settings.ts'

/** A question that has met silence for this long tests its upstreams with a trial, and again after each such time. */
export const trialAfterMs = 500

const never = Number.POSITIVE_INFINITY

export class QuestionTimes {
  readonly startMs: number
  hedgeAtMs: number
  private trialAtMs: number
  private unheardAtMs: number
  private boundMs = never
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
    this.hedgeAtMs = this.startMs + group.settings.deadlineMs
    this.trialAtMs = this.startMs + trialAfterMs
    this.unheardAtMs = this.startMs + group.settings.silenceMs
  }

  /** When the question fails, as far as is known now. */
  get endMs(): number {
    const { patience, settings } = this.group
    const deadlineMs = Math.min(this.startMs + settings.deadlineMs, this.boundMs)
    return Math.min(deadlineMs, patience.endsMs(this, settings.silenceMs))
  }

  /** A reply is there that the client can use: a better one is awaited for the silence limit, whatever others get answered. */
  boundSilence(nowMs: number): void {
    this.boundMs = Math.min(this.boundMs, nowMs + this.group.settings.silenceMs)
  }

  get nextMs(): number {
    return Math.min(this.endMs, this.hedgeAtMs, this.trialAtMs, this.unheardAtMs)
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
