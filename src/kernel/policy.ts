/**
 * Signs of somebody who enforces network policies on this node: an answer from the kernel comes before all of them. Not all can be seen.
 * Pure.
 */

/** Interfaces that belong to such a CNI. */
const interfaceSigns: readonly (readonly [pattern: RegExp, who: string])[] = [
  [/^cilium_|^lxc/, 'Cilium'],
  [/^cali|^vxlan\.calico$/, 'Calico'],
  [/^kube-bridge$/, 'kube-router'],
  [/^weave$/, 'Weave Net'],
  [/^antrea-/, 'Antrea'],
  [/^ovn-|^ovs-/, 'OVN-Kubernetes'],
]

/** Chains and tables of iptables-save. */
const chainSigns: readonly (readonly [pattern: RegExp, who: string])[] = [
  [/^:cali-/m, 'Calico'],
  [/^:CILIUM_/m, 'Cilium'],
  [/^:KUBE-(NWPLCY|ROUTER)-/m, 'kube-router'],
  [/^:WEAVE-NPC/m, 'Weave Net'],
  [/^:ANTREA-POL/m, 'Antrea'],
  [/^:AZURE-NPM/m, 'Azure NPM'],
]

/** @param chains what `iptables-save` prints of the table `filter` @returns who, or undefined */
export function policyIn(interfaces: readonly string[], chains: string): string | undefined {
  const byName = interfaceSigns.find(([pattern]) => interfaces.some((name) => pattern.test(name)))
  return (byName ?? chainSigns.find(([pattern]) => pattern.test(chains)))?.[1]
}
