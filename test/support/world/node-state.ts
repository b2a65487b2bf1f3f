/** What a node looks like to its own tools, as a text that two looks can be compared by. Changes nothing. */
import type { Netns } from './netns.ts'

const looks: readonly (readonly string[])[] = [
  ['nft', 'list', 'ruleset'],
  ['iptables-legacy-save'],
  ['ip6tables-legacy-save'],
  ['iptables-nft-save'],
  ['ip6tables-nft-save'],
  ['ip', '-oneline', '-details', 'addr'],
]

/** Rules, links and addresses of the node, without counters and times. */
export async function nodeState(node: Netns): Promise<string> {
  const texts: string[] = []
  for (const [command = '', ...args] of looks) texts.push(await node.exec(command, ...args))
  return texts
    .join('\n')
    .split('\n')
    .filter((line) => !isAccidental(line))
    .map((line) => line.replaceAll(/\[\d+:\d+\]|packets \d+ bytes \d+/g, ''))
    .join('\n')
}

/** nft complains about targets of iptables when it likes. Link-local addresses that the kernel makes come and settle when they like. */
function isAccidental(line: string): boolean {
  return /^(#|XT target) /.test(line) || / inet6 fe80:/.test(line)
}
