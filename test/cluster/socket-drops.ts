/**
 * Queries that reached CoreDNS's pods and found the sockets' receive buffers full. Such a query is lost to the client, and no cache before
 * CoreDNS can help it: a lost query is told apart by this count. Never judges.
 */
import { readFileSync } from 'node:fs'
import { processesOf } from './deployment.ts'
import type { Kubectl } from './kubectl.ts'

/** By pod: datagrams dropped since its network namespace was made, IPv4 and IPv6. */
export type SocketDrops = ReadonlyMap<string, number>

/** Of the pods that there are. One that ends meanwhile is left out. */
export async function corednsDrops(kubectl: Kubectl): Promise<SocketDrops> {
  const each =
    '{range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID}{"\\n"}{end}'
  const args = [
    '-n',
    'kube-system',
    'get',
    'pods',
    '-l',
    'k8s-app=kube-dns',
    '-o',
    `jsonpath=${each}`,
  ]
  const drops = new Map<string, number>()
  for (const line of (await kubectl.run(args)).trim().split('\n')) {
    const [pod = '', id = ''] = line.split(' ')
    const [pid] = id === '' ? [] : processesOf(id.replace('containerd://', ''))
    if (pid !== undefined) drops.set(pod, dropsOf(pid))
  }
  return drops
}

/** Of the pods that are still there. A pod that is new began at 0. */
export function dropsBetween(before: SocketDrops, after: SocketDrops): number {
  return [...after].reduce((sum, [pod, count]) => sum + count - (before.get(pod) ?? 0), 0)
}

function dropsOf(pid: number): number {
  try {
    const ip4 = receiveBufferErrors(readFileSync(`/proc/${pid}/net/snmp`, 'utf8'))
    return ip4 + receiveBufferErrors(readFileSync(`/proc/${pid}/net/snmp6`, 'utf8'))
  } catch {
    // The process has just ended.
    return 0
  }
}

/** @param text of /proc/net/snmp, where a line of names stands above one of numbers, or of snmp6, with a line for each count */
export function receiveBufferErrors(text: string): number {
  const [names = '', counts = ''] = text.split('\n').filter((line) => line.startsWith('Udp: '))
  const column = names.split(' ').indexOf('RcvbufErrors')
  const ip6 = /^Udp6RcvbufErrors\s+(\d+)$/m.exec(text)?.[1]
  return Number(ip6 ?? counts.split(' ')[column] ?? 0)
}
