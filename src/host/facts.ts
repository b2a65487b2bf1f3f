/** Facts about the node that the plan depends on, and pure readers of the texts that hold them. */
import { parseAddress } from '../config/address.ts'

/** `unreadable`: there are rules of iptables-legacy and they cannot be read, so the mode is unknown. */
export type KubeProxyMode = 'iptables' | 'nftables' | 'ipvs' | 'none' | 'unreadable'
export type IptablesVariant = 'legacy' | 'nft'

export interface LinkFact {
  readonly name: string
  /** `dummy`, `bridge`, `veth`; empty for hardware and the loopback. */
  readonly kind: string
  /** Canonical texts without prefix length. */
  readonly addresses: readonly string[]
}

/** A base chain that drops packets no rule accepted: by its policy, or by its last rule. */
export interface GuardedChain {
  readonly family: 'ip' | 'ip6' | 'inet'
  readonly table: string
  readonly chain: string
  readonly hook: 'input' | 'output'
  /** Chains of iptables are changed with iptables only, because it refuses to read tables with foreign syntax. */
  readonly owner: 'nft' | 'iptables'
  /** For a chain of iptables: its variant, which may differ from kube-proxy's. */
  readonly variant?: IptablesVariant
  /** Why it drops pods' queries and only its owner can let them through. */
  readonly closed?: string
}

export interface Target {
  readonly address: string
  readonly port: number
  readonly family: 4 | 6
}

export interface HostFacts {
  /** Release as in `uname -r`. */
  readonly kernel: string
  /** Why the kernel's nftables cannot be used; undefined when they can be. */
  readonly noNftables: string | undefined
  /** The variant that kube-proxy uses, else the one with rules, else the one that is installed. */
  readonly iptables: IptablesVariant | undefined
  readonly kubeProxy: KubeProxyMode
  readonly links: readonly LinkFact[]
  readonly guarded: readonly GuardedChain[]
  /** CoreDNS pods, for the standby rule. */
  readonly standby: readonly Target[]
  /** Why a configured address gave no pod, a sentence each. */
  readonly standbyGaps: readonly string[]
  /** Facts that the daemon could not read, a sentence each. */
  readonly unreadable: readonly string[]
  /** Rules that NodeLocal DNSCache left behind, as arguments for `iptables -D`. */
  readonly leftovers: readonly LeftoverRule[]
  /** Addresses of ours on which another process listens: NodeLocal, or a daemon that hands over. */
  readonly servedByOthers: readonly string[]
}

/** @returns why kube-proxy's rules cannot be read; undefined when they can be, or when there certainly is no kube-proxy */
export function blindness({ kubeProxy, unreadable }: HostFacts): string | undefined {
  return kubeProxy === 'unreadable' ? unreadable.join('; ') : undefined
}

export interface LeftoverRule {
  readonly family: 4 | 6
  readonly variant: IptablesVariant
  readonly table: 'raw' | 'filter'
  /** `-D CHAIN ...`, the rest as `iptables-save` prints it after `-A`. */
  readonly rule: string
}

/** Kernel with `flags owner`. */
export const ownedTables = { major: 5, minor: 12 }

/** @returns whether the kernel has this version or a newer one; a text without a version counts as new */
export function isKernelAtLeast(kernel: string, major: number, minor: number): boolean {
  const [, have = '', haveMinor = ''] = /^(\d+)\.(\d+)/.exec(kernel) ?? []
  if (have === '') return true
  return Number(have) > major || (Number(have) === major && Number(haveMinor) >= minor)
}

/** Reads `ip -json -details address show`. */
export function readLinks(json: string): LinkFact[] {
  const rows: unknown = JSON.parse(json === '' ? '[]' : json)
  if (!Array.isArray(rows)) return []
  return rows.map((row: IpRow) => ({
    name: row.ifname ?? '',
    kind: row.linkinfo?.info_kind ?? '',
    addresses: (row.addr_info ?? []).map(({ local }) => local ?? ''),
  }))
}

interface IpRow {
  readonly ifname?: string
  readonly linkinfo?: { readonly info_kind?: string }
  readonly addr_info?: readonly { readonly local?: string }[]
}

/**
 * One table of the output of `iptables-save`; empty when it is absent. Asking iptables-legacy for a table by name would make
 * the kernel create it on a node without one.
 */
export function savedTable(saved: string, table: string): string {
  return new RegExp(`^\\*${table}\\n[\\s\\S]*?^COMMIT\\n`, 'm').exec(saved)?.[0] ?? ''
}

/** Local addresses with a socket on `port`, from /proc/net/udp or udp6. */
export function readUdpListeners(table: string, port: number): string[] {
  const suffix = port.toString(16).toUpperCase().padStart(4, '0')
  return [...table.matchAll(/^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) /gm)]
    .filter(([, , found]) => found === suffix)
    .map(([, hex = '']) => addressOfHex(hex))
}

/** An address as /proc/net writes it: each 32-bit word in the machine's byte order, which is little-endian on all supported machines. */
export function addressOfHex(hex: string): string {
  const octets = Buffer.from(hex, 'hex')
  for (let at = 0; at < octets.length; at += 4) octets.subarray(at, at + 4).reverse()
  if (octets.length === 4) return octets.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => octets.readUInt16BE(i * 2).toString(16))
  const parsed = parseAddress(groups.join(':'))
  return parsed.ok ? parsed.value.address : ''
}
