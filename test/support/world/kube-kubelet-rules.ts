/**
 * What the kubelet writes into the iptables of its node, whatever the mode of kube-proxy; the kubelet itself does not run in
 * these tests. Rule for rule from pkg/kubelet/kubelet_network_linux.go of Kubernetes 1.37, syncIPTablesRules and initNetworkUtil: the
 * chain that tells others which iptables is in use, the canaries of its monitor, and on IPv4 the chain that drops
 * packets to loopback addresses from elsewhere. kube-proxy in iptables mode writes an identical copy of the last one.
 */

import { runToEnd } from '../process.ts'
import type { Netns } from './netns.ts'

export type IptablesVariant = 'nft' | 'legacy'

/** Writes what is missing, as the kubelet does at its start and whenever its canaries are gone. */
export async function writeKubeletRules(node: Netns, variant: IptablesVariant): Promise<void> {
  for (const program of [`iptables-${variant}`, `ip6tables-${variant}`]) {
    await ensureChain(node, program, ['-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT'])
    if (program.startsWith('iptables')) await writeFirewall(node, program)
    for (const table of ['mangle', 'nat', 'filter']) {
      await ensureChain(node, program, ['-t', table, '-N', 'KUBE-KUBELET-CANARY'])
    }
  }
}

/** @returns packets that the kubelet's rule has dropped so far */
export async function droppedByKubelet(node: Netns, variant: IptablesVariant): Promise<number> {
  const listed = await node.exec(`iptables-${variant}`, '-w', '-nvxL', 'KUBE-FIREWALL')
  const counts = [...listed.matchAll(/^\s*(\d+)\s+\d+\s+DROP\b.*incoming localnet/gm)]
  if (counts.length === 0) throw new Error(`the rule of the kubelet is not there:\n${listed}`)
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

async function writeFirewall(node: Netns, program: string): Promise<void> {
  await ensureChain(node, program, ['-t', 'filter', '-N', 'KUBE-FIREWALL'])
  const ensureRule = async (how: '-I' | '-A', chain: string, ...rule: readonly string[]) => {
    const command = (action: string) => ['-w', '-t', 'filter', action, chain, ...rule]
    const { code } = await runToEnd(program, command('-C'), { netns: node.name })
    if (code !== 0) await node.exec(program, ...command(how))
  }
  await ensureRule('-I', 'OUTPUT', '-j', 'KUBE-FIREWALL')
  await ensureRule('-I', 'INPUT', '-j', 'KUBE-FIREWALL')
  await ensureRule(
    ...(['-A', 'KUBE-FIREWALL'] as const),
    ...['-m', 'comment', '--comment', 'block incoming localnet connections'],
    ...['--dst', '127.0.0.0/8', '!', '--src', '127.0.0.0/8'],
    ...['-m', 'conntrack', '!', '--ctstate', 'RELATED,ESTABLISHED,DNAT', '-j', 'DROP'],
  )
}

/** That the chain is there already is as good; the kubelet goes by the exit code, too. */
async function ensureChain(node: Netns, program: string, args: readonly string[]): Promise<void> {
  const { code, output } = await runToEnd(program, ['-w', ...args], { netns: node.name })
  if (code !== 0 && !output.includes('Chain already exists')) throw new Error(output)
}
