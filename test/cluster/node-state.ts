/**
 * Everything of a node that a deployment could leave behind, as text that can be compared: rulesets without counters, links, addresses,
 * routes, settings of the network, files. Never tells what changes by itself: counters, neighbours, pods' own links, logs.
 */
import { imageNft } from './build/images.ts'
import type { Node } from './node.ts'

export type NodeState = Readonly<Record<string, readonly string[]>>

const linesTold = 12
/** Folders in which programs of a node leave files. /var/lib and /var/log are the kubelet's and containerd's own. */
const folders = ['/run', '/etc', '/opt', '/usr/local']
/** What comes and goes with pods and sandboxes. */
const ofPods = /^\/run\/(containerd|netns|systemd|runc|cni|kubelet)(\/|$)/
/** Other tests of the same machine put files of their network namespaces there. */
const ofMachine = /^\/etc\/netns(\/|$)/

export async function readNodeState(node: Node): Promise<NodeState> {
  const lines = async (...argv: readonly string[]) => {
    const { stdout } = await node.run(argv)
    return stdout
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
  }
  return {
    // The newest nft reads what every other one wrote.
    rules: rulesOf(await lines(imageNft(), '-s', 'list', 'ruleset')),
    'rules of iptables-legacy': withoutCounters(await lines('iptables-legacy-save')),
    'rules of ip6tables-legacy': withoutCounters(await lines('ip6tables-legacy-save')),
    links: (await lines('ip', '-br', 'link')).filter(isOfNode).toSorted(),
    addresses: (await lines('ip', '-br', 'address')).filter(isOfNode).toSorted(),
    routes: (await lines('ip', 'route', 'show', 'table', 'all')).filter(isOfNode),
    'routes of IPv6': (await lines('ip', '-6', 'route', 'show', 'table', 'all')).filter(isOfNode),
    'routing rules': await lines('ip', 'rule'),
    settings: (await lines('sysctl', '-a', '--pattern', '^net\\.')).filter(isLasting).toSorted(),
    files: (await lines('find', ...folders, '-xdev'))
      .filter((path) => !ofPods.test(path) && !ofMachine.test(path))
      .toSorted(),
  }
}

/** What was added and taken away, one line each, the first of each kind. Empty when nothing was. */
export function differences(before: NodeState, after: NodeState): string[] {
  return Object.keys(before).flatMap((part) => {
    const [old = [], now = []] = [before[part], after[part]]
    return firstOf([
      ...extra(now, old).map((line) => `${part}: + ${line}`),
      ...extra(old, now).map((line) => `${part}: - ${line}`),
    ])
  })
}

/** A link that is left brings a hundred settings with it. */
function firstOf(lines: readonly string[]): string[] {
  const told = lines.slice(0, linesTold)
  return lines.length > told.length ? [...told, `and ${lines.length - told.length} more`] : told
}

/** The lines of `one` that `other` has less often. */
function extra(one: readonly string[], other: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const line of other) left.set(line, (left.get(line) ?? 0) + 1)
  return one.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}

/** One element of a set a line, since the kernel tells them in any order; the rest as it stands. */
function rulesOf(lines: readonly string[]): string[] {
  let table = ''
  // kube-proxy empties the chains of a Service that is gone at once, and deletes them at some later time.
  const text = lines.join('\n').replaceAll(/^chain .*\{\n\}$/gm, '')
  return text.split('\n').flatMap((line) => {
    if (line.startsWith('table ')) table = line.replace(' {', '')
    return line
      .replace(/^elements = \{/, '')
      .split(/, |,$|\}$/)
      .filter((part) => part.trim() !== '')
      .map((part) => `${table}: ${part.trim()}`)
  })
}

function withoutCounters(lines: readonly string[]): string[] {
  return lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/ ?\[\d+:\d+\]/, ''))
}

function isOfNode(line: string): boolean {
  return !/\bveth/.test(line)
}

function isLasting(line: string): boolean {
  const changing = /nf_conntrack_count|\.(neigh|conf)\.veth|conf\.veth|neigh\.veth|fs\.|random/
  return !changing.test(line)
}
