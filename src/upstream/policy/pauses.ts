/**
 * Pauses of one whole server: for a while it, its machine or our own process has done nothing, so that what waited meanwhile is not slow.
 * A pause shows by its end: the first answer is to a question that was open all the time. A first answer to a question that has just
 * come shows that the server lives, and is silent about slow names. Pure.
 */

/**
 * An answer that took a smaller share of the silence shows that the server lives: it is not likely to go on just after it was asked.
 * While it pauses few are asked, most of them at the beginning.
 */
const youngShare = 1 / 4
/**
 * An answer that took more than this many times the silence had been open long before it, while others were answered: it is slow by itself.
 * While slow names are all that is asked, their answers follow each other like that.
 */
const oldFactor = 3
/** What has waited is worked on within this time: threads of a machine that had stopped go on one by one. */
const graceMsMax = 30
/** After that time at most all that has waited is answered. */
const graceForMsMax = 250
/** What has waited and is not answered this long after the end of a pause is slow, if the server still answers others, whatever pauses follow. */
const longestMsMax = 60
/** Ends of pauses that are remembered. */
const endsMax = 16

export class Pauses {
  private endMs = Number.NEGATIVE_INFINITY
  /** Of the latest pauses, in order. */
  private readonly ends: number[] = []
  private longestMs = 0
  private graceUntilMs = Number.NEGATIVE_INFINITY

  /**
   * An answer came that took longer than a quick one.
   * @param silentMs since an answer to anything, while questions were open
   */
  note(tookMs: number, silentMs: number, nowMs: number): void {
    if (tookMs < youngShare * silentMs) return
    // Shorter ones follow a long one, until all that has waited is answered.
    const isSequel = nowMs < this.graceUntilMs
    if (!isSequel && tookMs > oldFactor * silentMs) return
    const pauseMs = Math.min(tookMs, silentMs)
    this.endMs = nowMs
    if (this.ends.push(nowMs) > endsMax) this.ends.shift()
    this.longestMs = Math.max(pauseMs, isSequel ? this.longestMs : 0)
    this.graceUntilMs = Math.max(this.graceUntilMs, nowMs + Math.min(pauseMs, graceForMsMax))
  }

  /** From when on a question that came at that time has been worked on without a pause. */
  workedSince(sinceMs: number): number {
    return Math.max(sinceMs, this.endMs)
  }

  /**
   * From when on a question that came at that time is slow, if others are still answered. On a busy machine one pause follows the other, and no
   * head would ever have been worked on for long enough without one.
   */
  slowFrom(sinceMs: number): number {
    return (this.ends.find((endMs) => endMs >= sinceMs) ?? sinceMs) + longestMsMax
  }

  /** Whether a question that came at that time has waited for the end of a pause, just now. */
  wasWaiting(sinceMs: number, nowMs: number): boolean {
    return nowMs < this.graceUntilMs && sinceMs < this.endMs
  }

  /** How long after its end nothing is slow yet: longer after a long pause, for as long as that was. */
  graceMs(nowMs: number): number {
    return nowMs < this.graceUntilMs ? Math.min(this.longestMs, graceMsMax) : 0
  }
}
