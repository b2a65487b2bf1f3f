/**
 * What the search path has counted in the life of the process. Each configuration, and each verdict about the Corefile, builds a new
 * search path, and a counter that starts again hides what it had counted from alerts. Counts only.
 */

/** Of one search path, or of all so far. */
export interface SearchCounts {
  /** Denials, by their evidence. */
  readonly structure: number
  readonly cut: number
  readonly shared: number
  readonly probes: number
  readonly audits: number
  readonly mismatches: number
  /** Of answer mode. */
  readonly answered: number
  /** Of answer mode, by reason. */
  readonly fallbacks: Readonly<Record<string, number>>
}

const none: SearchCounts = {
  structure: 0,
  cut: 0,
  shared: 0,
  probes: 0,
  audits: 0,
  mismatches: 0,
  answered: 0,
  fallbacks: {},
}

export class SearchTotals {
  private before = none

  /** @param counts of a search path that ends; undefined when there is none */
  add(counts: SearchCounts | undefined): void {
    this.before = this.with(counts)
  }

  /** @param counts of the search path in force */
  with(counts: SearchCounts | undefined): SearchCounts {
    const { before } = this
    if (counts === undefined) return before
    const reasons = Object.keys({ ...before.fallbacks, ...counts.fallbacks })
    return {
      structure: before.structure + counts.structure,
      cut: before.cut + counts.cut,
      shared: before.shared + counts.shared,
      probes: before.probes + counts.probes,
      audits: before.audits + counts.audits,
      mismatches: before.mismatches + counts.mismatches,
      answered: before.answered + counts.answered,
      fallbacks: Object.fromEntries(
        reasons.map((reason) => [
          reason,
          (before.fallbacks[reason] ?? 0) + (counts.fallbacks[reason] ?? 0),
        ]),
      ),
    }
  }
}
