/**
 * What happens when an audit finds a name below a cut. Mostly the cut was right: the Service was created after the cut was
 * learned, or a CoreDNS replica that lags behind denied it. So the cut itself is asked again; if CoreDNS still denies it, the cut
 * is not used until every replica must have caught up, and then the same name is checked once more. Only a cut that fails twice
 * was wrong (SP-19).
 */

/** How long a contradicted cut is not used: CoreDNS replicas may differ for as long as a denial may be kept (SP-11). */
export const restMs = 5000
/** After this long, what CoreDNS says is about a different state of the cluster. */
const doubtMs = 600_000
/** Each is a failed audit. With this many the cluster itself is changing, so all are forgotten. */
const doubtsMax = 1000

/** A name that exists although it was denied; one character a byte. */
export interface Denied {
  readonly name: string
  readonly qtype: number
}

interface Contradiction {
  readonly denied: Denied
  readonly sinceMs: number
  /** An audit found that the name exists, and the cut has not been asked since. */
  isOpen: boolean
  /** The cut was asked again and still denied; it has not been used since. */
  hasRested: boolean
}

export class Contradictions {
  private readonly contradictions = new Map<string, Contradiction>()

  /** An audit has found a name that exists. @param cut the cut that denied it; the caller asks for the cut now */
  raise(cut: string, denied: Denied, nowMs: number): void {
    const known = this.get(cut, nowMs)
    if (known !== undefined) known.isOpen = true
    else {
      if (this.contradictions.size >= doubtsMax) this.contradictions.clear()
      this.contradictions.set(cut, { denied, sinceMs: nowMs, isOpen: true, hasRested: false })
    }
  }

  /**
   * CoreDNS has answered for a name that may be a contradicted cut.
   * @returns `rest`: do not use the cut for `restMs`; a name: it was denied although it exists, for the second time
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

  /** The name to check again before the cut denies anything else. */
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
