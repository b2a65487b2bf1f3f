/**
 * The names that a pod's stub resolver tries for one name of a program (resolv.conf(5), `search` and `ndots`), in glibc's order.
 * Pure.
 */

export interface SearchList {
  readonly domains: readonly string[]
  /** Names with fewer dots are tried with the search domains first. */
  readonly ndots: number
}

/** The list that the kubelet writes into the pods of a namespace (dnsPolicy ClusterFirst). */
export function podSearchList(namespace: string, clusterDomain: string): SearchList {
  const svc = `svc.${clusterDomain}`
  return { domains: [`${namespace}.${svc}`, svc, clusterDomain], ndots: 5 }
}

/** @returns names without trailing dot; only the name itself when it was written with one */
export function candidates(name: string, search: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)]
  const expanded = search.domains.map((domain) => `${name}.${domain}`)
  const dots = name.split('.').length - 1
  return dots >= search.ndots ? [name, ...expanded] : [...expanded, name]
}
