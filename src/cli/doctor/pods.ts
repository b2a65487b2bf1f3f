/**
 * Whether the pods of this node ask the daemon: their resolv.conf, read by an operator who sees their processes (on the node, or with
 * hostPID). Inside the daemon's own container nothing of them is seen, and nothing is said. Changes nothing.
 */
import { readdir, readlink } from 'node:fs/promises'
import { formatEndpoint } from '../../address/endpoint.ts'
import { parseResolvConf } from '../../config/resolv-conf.ts'
import type { Config } from '../../config/schema.ts'
import { readProc } from '../../host/node-tools.ts'
import { type Finding, fault, ok } from '../diagnosis/finding.ts'

export interface PodResolver {
  readonly pid: number
  readonly nameservers: readonly string[]
}

/** Of a process in a pod, in both drivers and both versions of cgroups. */
const podCgroup = /\/kubepods\b/
const namedMax = 3

/** @returns one process of each pod with a network of its own that searches the cluster domain */
export async function podResolvers(clusterDomain: string): Promise<PodResolver[]> {
  const names = await readdir('/proc').catch(() => [])
  const own = await networkOf('self')
  const seen = new Set([own, ''])
  const found: PodResolver[] = []
  for (const name of names.filter((one) => /^\d+$/.test(one))) {
    const network = await networkOf(name)
    if (seen.has(network) || !podCgroup.test(await readProc(`/proc/${name}/cgroup`))) continue
    seen.add(network)
    const text = await readProc(`/proc/${name}/root/etc/resolv.conf`)
    // With dnsPolicy Default a pod asks the node's resolvers, as CoreDNS itself does.
    const { search, nameservers } = parseResolvConf(text)
    if (!search.some((domain) => domain.endsWith(`svc.${clusterDomain}`))) continue
    found.push({ pid: Number(name), nameservers: nameservers.map(({ address }) => address) })
  }
  return found
}

export function podFindings(
  pods: readonly PodResolver[],
  { listen, interception }: Pick<Config, 'listen' | 'interception'>,
): Finding[] {
  const ours = new Set([...listen, ...interception.clusterIps].map(({ address }) => address))
  // Which addresses the node has is not known here.
  if (pods.length === 0 || ours.has('0.0.0.0') || ours.has('::')) return []
  const astray = pods.filter(({ nameservers: [first = ''] }) => !ours.has(first))
  if (astray.length === 0) return [ok('pods', `all ${pods.length} of this node ask neardns`)]
  const named = astray
    .slice(0, namedMax)
    .map(({ pid, nameservers: [first = 'nobody'] }) => `process ${pid} asks ${first}`)
  const more = astray.length > namedMax ? ', ...' : ''
  return [
    fault(
      'pods',
      `${astray.length} of ${pods.length} do not ask neardns: ${named.join(', ')}${more}`,
      {
        cause: `their resolv.conf does not begin with ${listen.map(formatEndpoint).join(' or ')}`,
        next: 'interception.clusterIps, or clusterDNS of the kubelet; pods keep what they were created with',
      },
    ),
  ]
}

async function networkOf(pid: string): Promise<string> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => '')
}
