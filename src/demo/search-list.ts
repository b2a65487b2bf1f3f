/**
 * Which names a pod's stub resolver tries for one name that a program gives it (resolv.conf(5), `search` and
 * `ndots`), in the order of glibc. Pure.
 */

export interface SearchList {
  readonly domains: readonly string[]
  /** Names with fewer dots are tried with the search domains first. */
  readonly ndots: number
}

/** What the kubelet writes into the pods of a namespace (dnsPolicy ClusterFirst). */
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
