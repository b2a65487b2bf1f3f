/**
 * The source of pods' search lists, which must be exact or absent. Answer mode asks here; today the configuration answers, a
 * container runtime (CRI) may one day.
 */

/** How a resolver in a pod completes a name. */
export interface SearchList {
  /**
   * Appended in this order; the first three are those of the cluster: `<ns>.svc.Z`, `svc.Z`, `Z`. Folded wire form, one character
   * a byte.
   */
  readonly suffixes: readonly string[]
  /** Names with at least this many dots are asked as they are first. */
  readonly ndots: number
}

export interface SearchLists {
  /** Namespaces of which some pods may be answered: labels with their length byte. */
  readonly namespaces: ReadonlySet<string>
  /**
   * @param namespace the client's own, judged by its question
   * @param client its address, as text
   * @returns undefined unless all look-ups of this client use that list
   */
  find(namespace: string, client: string): SearchList | undefined
}
