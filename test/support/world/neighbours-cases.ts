/** The neighbours beside which the daemon is tried, and what must come of it. */
import {
  Firewalld,
  hasMatch,
  IptablesText,
  type Neighbour,
  NftText,
  Sysctls,
  Ufw,
} from './neighbours.ts'
import * as rules from './neighbours-rules.ts'
import type { RealProxyMode } from './real-kube-proxy.ts'

export interface NeighbourCase {
  readonly name: string
  readonly make: () => Neighbour
  /** Beside which kube-proxy it is tried by default, and with which backend, if not with that of nftables. */
  readonly usual: RealProxyMode
  readonly usualBackend?: 'iptables'
  /** Never beside another kube-proxy. */
  readonly isUsualOnly?: boolean
  readonly isProgram?: boolean
  /** Who answers pods while the daemon runs. */
  readonly alive?: 'coredns'
  /** What the daemon says. */
  readonly says?: RegExp
}

const podZone = ['10.77.0.0/16', 'fd77::/64'].map((one) => [
  '--zone=trusted',
  `--add-source=${one}`,
])

export const neighbourCases: readonly NeighbourCase[] = [
  {
    name: 'ufw with its default of denying what comes in',
    make: () => new Ufw(),
    usual: 'nftables',
    isProgram: true,
  },
  {
    name: 'firewalld whose table anybody may change',
    make: () => new Firewalld({ isTableOwned: false }),
    usual: 'nftables',
    isProgram: true,
  },
  {
    name: 'firewalld whose table is its own',
    make: () => new Firewalld({ isTableOwned: true }),
    usual: 'nftables',
    isProgram: true,
    alive: 'coredns',
    says: /firewall_refuses.*inet firewalld filter_INPUT.*flags owner.*--zone=trusted/,
  },
  {
    name: 'firewalld whose table is its own, with the pods in a trusted zone',
    make: () => new Firewalld({ isTableOwned: true, settings: podZone }),
    usual: 'iptables-nft',
    isProgram: true,
  },
  {
    name: 'firewalld whose table is its own, with DNS let in',
    make: () =>
      new Firewalld({ isTableOwned: true, settings: [['--zone=public', '--add-service=dns']] }),
    usual: 'nftables',
    isProgram: true,
  },
  {
    name: 'an INPUT of iptables that ends in REJECT (RHEL, Oracle Cloud)',
    make: () => new IptablesText(rules.rhelInput),
    usual: 'iptables-nft',
  },
  {
    name: 'nftables with policy drop on input, forward and output',
    make: () => new NftText(rules.strictNftables),
    usual: 'iptables-nft',
    usualBackend: 'iptables',
  },
  {
    name: 'Docker with a container that publishes port 53',
    make: () => new IptablesText(rules.dockerChains),
    usual: 'iptables-nft',
    usualBackend: 'iptables',
    // The ClusterIP is an address of the node: in nftables mode Docker may take its DNS before kube-proxy when we are dead.
    isUsualOnly: true,
  },
  {
    name: 'masquerading with --random-fully',
    make: () => new IptablesText(rules.randomFully),
    usual: 'nftables',
  },
  {
    name: "Calico's iptables with defaultEndpointToHostAction ACCEPT",
    make: () => new IptablesText(rules.calicoIptables('ACCEPT', hasMatch('rpfilter'))),
    usual: 'iptables-nft',
  },
  {
    name: "Calico's iptables with defaultEndpointToHostAction DROP",
    make: () => new IptablesText(rules.calicoIptables('DROP', hasMatch('rpfilter')), 'nft', [4, 6]),
    usual: 'iptables-nft',
    alive: 'coredns',
    says: /firewall_refuses.*ip filter INPUT.*defaultEndpointToHostAction/,
  },
  {
    name: "Calico's nftables with defaultEndpointToHostAction accept",
    make: () => new NftText(rules.calicoNftables('accept')),
    usual: 'nftables',
  },
  {
    name: "Calico's nftables with defaultEndpointToHostAction drop",
    make: () => new NftText(rules.calicoNftables('drop')),
    usual: 'nftables',
    alive: 'coredns',
    says: /firewall_refuses.*ip calico filter-INPUT.*defaultEndpointToHostAction/,
  },
  {
    name: "Cilium's iptables",
    make: () => new IptablesText(rules.ciliumIptables),
    usual: 'iptables-nft',
  },
  {
    name: 'a redirection of all DNS at a priority before ours',
    make: () => new NftText(rules.earlyNat),
    usual: 'nftables',
  },
  {
    name: 'strict reverse paths, ARP and connection tracking',
    make: () => new Sysctls(...rules.strictSysctls),
    usual: 'nftables',
  },
]

interface FullRewrite {
  readonly name: string
  readonly commands: readonly (readonly string[])[]
  readonly stdin?: string
}

/** What other programs do to tables that they take for theirs alone. */
export const fullRewrites: readonly FullRewrite[] = [
  {
    name: 'iptables-restore without --noflush',
    commands: [['iptables-nft-restore'], ['ip6tables-nft-restore']],
    stdin: ['raw', 'nat', 'filter'].map((table) => `*${table}\nCOMMIT\n`).join(''),
  },
  {
    name: 'iptables -F and -X in each table',
    commands: ['iptables-nft', 'ip6tables-nft'].flatMap((program) =>
      ['raw', 'nat', 'filter'].flatMap((table) => [
        [program, '-t', table, '-F'],
        [program, '-t', table, '-X'],
      ]),
    ),
  },
  { name: 'nft flush ruleset', commands: [['nft', 'flush', 'ruleset']] },
]
