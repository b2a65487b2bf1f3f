/**
 * Who knows the search lists of pods: exactly, or not at all. Answer mode asks; the configuration answers today, a container
 * runtime (CRI) may tomorrow.
 */

/** What a resolver in a pod does with a name. */
export interface SearchList {
  /**
   * What it appends, in its order; the first three are those of the cluster: `<ns>.svc.Z`, `svc.Z`, `Z`. Folded wire form, one
   * character an octet.
   */
  readonly suffixes: readonly string[]
  /** Names with at least so many dots are asked as they are first. */
  readonly ndots: number
}

export interface SearchLists {
  /** Namespaces of which some pods may be answered: labels with their length octet. */
  readonly namespaces: ReadonlySet<string>
  /**
   * @param namespace what the client's question makes it a pod of
   * @param client its address, as text
   * @returns undefined unless all of this client's look-ups go by that list
   */
  find(namespace: string, client: string): SearchList | undefined
}
