/** Which addresses are ClusterIPs, as far as the node knows: kube-proxy's rules, or its link in IPVS mode. Reads, changes nothing. */
import type { Endpoint } from '../address/endpoint.ts'
import { readLinks } from './facts.ts'
import { podsInIptablesNft, podsInNftables, podsInSave } from './kube-proxy/service-pods.ts'
import { type NodeTools, usableNftables } from './node-tools.ts'

/** Link of kube-proxy in IPVS mode. */
const ipvsLink = 'kube-ipvs0'

/** @returns those of `candidates` for which kube-proxy has rules, with or without pods behind them */
export async function clusterIpsAmong(
  tools: NodeTools,
  candidates: readonly Endpoint[],
): Promise<string[]> {
  if (candidates.length === 0) return []
  const links = readLinks((await tools.run('ip', ['-json', '-details', 'address', 'show'])).stdout)
  const ofIpvs = links.find(({ name }) => name === ipvsLink)?.addresses ?? []
  const found: string[] = []
  for (const one of candidates) {
    if (ofIpvs.includes(one.address) || (await hasRules(tools, one))) found.push(one.address)
  }
  return found
}

async function hasRules(tools: NodeTools, service: Endpoint): Promise<boolean> {
  const nftables = usableNftables(tools)
  if (nftables !== undefined) {
    if ((await podsInNftables(nftables, service)) !== undefined) return true
    if ((await podsInIptablesNft(nftables, service)) !== undefined) return true
  }
  const program = `${service.family === 4 ? 'iptables' : 'ip6tables'}-legacy-save`
  // Not `-t nat`: a table that is asked for by its name is made.
  const { stdout } = await tools.run(program, [])
  return podsInSave(stdout, service) !== undefined
}
