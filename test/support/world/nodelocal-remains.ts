/** NodeLocal DNSCache after SIGKILL: its link, its addresses, its twelve rules for each (the newer ones with comments). */
import type { Netns } from './netns.ts'

/** @param addresses the first has the rules with comments */
export async function leaveNodeLocalBehind(
  node: Netns,
  addresses: readonly string[],
): Promise<void> {
  await node.ip('link', 'add', 'nodelocaldns', 'type', 'bridge')
  for (const [i, address] of addresses.entries()) {
    await node.ip('addr', 'add', `${address}/32`, 'dev', 'nodelocaldns')
    await writeRules(node, address, i === 0)
  }
}

async function writeRules(node: Netns, address: string, isCommented: boolean): Promise<void> {
  const rule = async (table: string, text: string, target: string, why: string) => {
    const note = isCommented ? ['-m', 'comment', '--comment', `NodeLocal DNS Cache: ${why}`] : []
    const args = ['-t', table, '-I', ...text.split(' '), ...note, '-j', target]
    await node.exec('iptables-nft', ...args)
  }
  for (const protocol of ['tcp', 'udp']) {
    const to = `-p ${protocol} -d ${address} --dport 53`
    const from = `-p ${protocol} -s ${address} --sport 53`
    await rule('raw', `PREROUTING ${to}`, 'NOTRACK', 'skip conntrack')
    await rule('filter', `INPUT ${to}`, 'ACCEPT', 'allow DNS traffic')
    await rule('raw', `OUTPUT ${from}`, 'NOTRACK', 'skip conntrack')
    await rule('filter', `OUTPUT ${from}`, 'ACCEPT', 'allow DNS traffic')
    await rule('raw', `OUTPUT ${to}`, 'NOTRACK', 'skip conntrack')
  }
  const health = [`-p tcp -d ${address} --dport 8080`, `-p tcp -s ${address} --sport 8080`]
  for (const match of health) await rule('raw', `OUTPUT ${match}`, 'NOTRACK', 'skip conntrack')
}
