/**
 * When a group of upstreams is suspected of sending questions back to us: after a question that somebody else asked meanwhile has
 * failed, or has come back. The first packet of each question is then one that can be recognised. Time is passed in. Pure.
 */

/** Long enough for the next look-ups of a pod that tries again; a loop that goes on renews it. */
const openForMs = 60_000

export class LoopSuspicion {
  private untilMs = Number.NEGATIVE_INFINITY

  isOpen(nowMs: number): boolean {
    return nowMs < this.untilMs
  }

  note(nowMs: number): void {
    this.untilMs = nowMs + openForMs
  }
}
