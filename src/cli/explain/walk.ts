/** The names that a stub resolver asks for, one after another, until one of them answers: resolv.conf(5). Pure. */

export interface SearchList {
  /** Without dots at their ends. */
  readonly domains: readonly string[]
  readonly ndots: number
}

/** As the kubelet writes it for pods with `dnsPolicy: ClusterFirst`, without the domains of the node. */
export function podSearchList(namespace: string, clusterDomain: string): SearchList {
  return {
    domains: [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain],
    ndots: 5,
  }
}

/**
 * @param name as typed; one with a dot at its end is asked as it is
 * @returns absolute names in the order in which glibc asks them
 */
export function namesOfWalk(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name]
  const dots = name.split('.').length - 1
  const absolute = `${name}.`
  const searched = domains.map((domain) => `${name}.${domain}.`)
  return dots >= ndots ? [absolute, ...searched] : [...searched, absolute]
}
