/**
 * An audit has found a name below a cut. Mostly that is no mistake: the Service was made after the cut was learned, or another
 * CoreDNS, a moment behind, is the one that denied it. So the cut itself is asked again; if it is denied still, it is left
 * unused until every replica must have caught up, and then the same name is checked once more. Only who fails twice was wrong.
 */

/** How long a cut in doubt is left unused: replicas of CoreDNS may differ as long as a denial may be kept (SP-11). */
export const restMs = 5000
/** After this long what CoreDNS says is about another world again. */
const doubtMs = 600_000
/** Each is a failed audit; so many at once are a world that changes as a whole. */
const doubtsMax = 1000

/** A name that exists though it was denied; octets, one character each. */
export interface Denied {
  readonly name: string
  readonly qtype: number
}

interface Contradiction {
  readonly denied: Denied
  readonly sinceMs: number
  /** An audit said that the name exists, and the cut has not been asked since. */
  isOpen: boolean
  /** The cut was denied still when it was asked, and has been left unused since. */
  hasRested: boolean
}

export class Contradictions {
  private readonly contradictions = new Map<string, Contradiction>()

  /** An audit has found a name that exists. @param cut what it was denied from; it has to be asked for now */
  raise(cut: string, denied: Denied, nowMs: number): void {
    const known = this.get(cut, nowMs)
    if (known !== undefined) known.isOpen = true
    else {
      if (this.contradictions.size >= doubtsMax) this.contradictions.clear()
      this.contradictions.set(cut, { denied, sinceMs: nowMs, isOpen: true, hasRested: false })
    }
  }

  /**
   * CoreDNS has spoken about a name that may be a cut in doubt.
   * @returns `rest`: the cut is to be left unused for `restMs`; a name: it was denied and exists, for the second time
   */
  hear(cut: string, exists: boolean, nowMs: number): 'rest' | Denied | undefined {
    if (this.contradictions.size === 0) return undefined
    const contradiction = this.get(cut, nowMs)
    if (contradiction?.isOpen !== true) return undefined
    contradiction.isOpen = false
    if (!exists && !contradiction.hasRested) {
      contradiction.hasRested = true
      return 'rest'
    }
    this.contradictions.delete(cut)
    return exists ? undefined : contradiction.denied
  }

  /** What is to be checked again before anything else is denied from this cut. */
  retry(cut: string, nowMs: number): Denied | undefined {
    if (this.contradictions.size === 0) return undefined
    const contradiction = this.get(cut, nowMs)
    return contradiction?.isOpen === false ? contradiction.denied : undefined
  }

  /** An audit has confirmed that a name is absent. */
  dismiss(cut: string, name: string): void {
    if (this.contradictions.get(cut)?.denied.name === name) this.contradictions.delete(cut)
  }

  private get(cut: string, nowMs: number): Contradiction | undefined {
    const contradiction = this.contradictions.get(cut)
    if (contradiction === undefined || nowMs < contradiction.sinceMs + doubtMs) return contradiction
    this.contradictions.delete(cut)
    return undefined
  }
}
