/**
 * How long the questions of one upstream group may wait in silence. An upstream that answers other questions works, and a slow
 * name may have the whole deadline: a resolver takes 3 s for a name that it has never resolved. A sign of life alone (a reply to
 * a trial) says less: resolvers whose own upstream is gone still give those. It counts where the upstream may have to ask other
 * servers, and until several questions in a row were met with silence. Pure.
 */

/**
 * Questions left without an answer while none was answered, after which signs of life no longer count: three names, each asked
 * for A and AAAA. Fewer would cut off a pod that asks for two slow names at once.
 */
const unheardMax = 6

export class Patience {
  private lastLifeMs = Number.NEGATIVE_INFINITY
  private lastAnswerMs = Number.NEGATIVE_INFINITY
  private unheard = 0

  /** Any valid reply, also to a trial. */
  noteLife(nowMs: number): void {
    this.lastLifeMs = nowMs
  }

  /** A valid reply to a client's question, whatever its content. */
  noteAnswer(nowMs: number): void {
    this.lastAnswerMs = nowMs
    this.unheard = 0
  }

  /** A question that began at `startMs` has waited through the silence limit. */
  noteUnheard(startMs: number): void {
    if (this.lastAnswerMs < startMs) this.unheard += 1
  }

  /** When the question will have met silence for too long, as far as is known now. */
  endsMs(question: { startMs: number; mayRecurse: boolean }, silenceMs: number): number {
    const believesLife = question.mayRecurse && this.unheard < unheardMax
    const heardMs = believesLife ? this.lastLifeMs : this.lastAnswerMs
    return Math.max(question.startMs, heardMs) + silenceMs
  }

  /** Whether nothing at all came for that long: then it is an outage and not a fault of single names. */
  isOutage(startMs: number, nowMs: number, silenceMs: number): boolean {
    return nowMs >= Math.max(startMs, this.lastLifeMs) + silenceMs
  }
}
