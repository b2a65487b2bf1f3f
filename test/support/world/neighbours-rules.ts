/**
 * Rulesets of neighbours that cannot run in these tests, each with where it was written down from. For nodes of node-world.ts, whose
 * pod is behind the link pod0 and CoreDNS behind dns0.
 */

/** /etc/sysconfig/iptables of RHEL's iptables-services, with pods let through as Kubernetes asks for; images of Oracle Cloud have the same end. */
export const rhelInput = `*filter
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -i pod0 -j ACCEPT
-A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
`

/**
 * What dockerd 28 leaves in the kernel with a container that publishes port 53 on all addresses (daemon/libnetwork/drivers/bridge
 * of moby: setupIPTables, port mappings, the direct-access filter in raw), and its masquerade with --random-fully.
 */
export const dockerChains = `*raw
-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
COMMIT
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE --random-fully
-A DOCKER ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination 172.17.0.2:53
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 53 -j DNAT --to-destination 172.17.0.2:53
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:DOCKER-FORWARD - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER-USER -i pod0 -j ACCEPT
-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-USER -j RETURN
-A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p udp -m udp --dport 53 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
COMMIT
`

/** A CNI that masquerades everything of its pods with new ports. */
export const randomFully = `*nat
-A POSTROUTING -s 10.77.0.0/24 ! -d 10.77.0.0/24 -j MASQUERADE --random-fully
COMMIT
`

/**
 * Calico's iptables dataplane: felix/rules/static.go (StaticRawPreroutingChain, filterInputChain, filterWorkloadToHostChain,
 * filterOutputChain) and endpoints.go of projectcalico/calico, for one workload whose profile allows everything.
 * @param toHost `defaultEndpointToHostAction`: felix's own default is DROP, that of Calico's manifests ACCEPT
 */
export function calicoIptables(toHost: 'ACCEPT' | 'DROP', hasRpfilter: boolean): string {
  return `*raw
:cali-PREROUTING - [0:0]
:cali-OUTPUT - [0:0]
-I PREROUTING 1 -j cali-PREROUTING
-I OUTPUT 1 -j cali-OUTPUT
-A cali-PREROUTING -j MARK --set-xmark 0x0/0xf0000
-A cali-PREROUTING -i pod+ -j MARK --set-xmark 0x40000/0x40000
${hasRpfilter ? '-A cali-PREROUTING -m mark --mark 0x40000/0x40000 -m rpfilter --validmark --invert -j DROP' : ''}
-A cali-PREROUTING -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-OUTPUT -j MARK --set-xmark 0x0/0xf0000
-A cali-OUTPUT -m mark --mark 0x10000/0x10000 -j ACCEPT
COMMIT
*filter
:cali-INPUT - [0:0]
:cali-FORWARD - [0:0]
:cali-OUTPUT - [0:0]
:cali-wl-to-host - [0:0]
:cali-from-wl-dispatch - [0:0]
:cali-fw-pod0 - [0:0]
-I INPUT 1 -j cali-INPUT
-I FORWARD 1 -j cali-FORWARD
-I OUTPUT 1 -j cali-OUTPUT
-A FORWARD -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-INPUT -i pod+ -g cali-wl-to-host
-A cali-INPUT -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-INPUT -j MARK --set-xmark 0x0/0xf0000
-A cali-wl-to-host -j cali-from-wl-dispatch
-A cali-wl-to-host -m comment --comment "Configured DefaultEndpointToHostAction" -j ${toHost}
-A cali-FORWARD -j MARK --set-xmark 0x0/0xe0000
-A cali-FORWARD -i pod+ -j cali-from-wl-dispatch
-A cali-OUTPUT -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-OUTPUT -o pod+ -j RETURN
-A cali-from-wl-dispatch -i pod0 -g cali-fw-pod0
-A cali-from-wl-dispatch -m comment --comment "Unknown interface" -j DROP
-A cali-fw-pod0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-fw-pod0 -m conntrack --ctstate INVALID -j DROP
-A cali-fw-pod0 -j MARK --set-xmark 0x0/0x30000
-A cali-fw-pod0 -m comment --comment "Profile accepted packet" -j MARK --set-xmark 0x10000/0x10000
-A cali-fw-pod0 -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-pod0 -m comment --comment "Drop if no profiles matched" -j DROP
COMMIT
`.replaceAll('\n\n', '\n')
}

/** The same in Calico's nftables dataplane: base chains and priorities of felix/nftables/table.go. */
export function calicoNftables(toHost: 'accept' | 'drop'): string {
  return ['ip', 'ip6']
    .map(
      (family) => `table ${family} calico {
  chain cali-fw-pod0 {
    ct state established,related counter accept
    ct state invalid counter drop
    counter meta mark set mark & 0xfffeffff
    counter meta mark set mark or 0x10000 comment "Profile accepted packet"
    meta mark & 0x10000 == 0x10000 counter return
    counter drop comment "Drop if no profiles matched"
  }
  chain filter-cali-from-wl-dispatch {
    iifname "pod0" counter goto cali-fw-pod0
    counter drop comment "Unknown interface"
  }
  chain filter-cali-wl-to-host {
    ${family === 'ip6' ? 'meta l4proto ipv6-icmp counter accept' : ''}
    counter jump filter-cali-from-wl-dispatch
    counter ${toHost} comment "Configured DefaultEndpointToHostAction"
  }
  chain filter-cali-INPUT {
    iifname "pod*" counter goto filter-cali-wl-to-host
    meta mark & 0x10000 == 0x10000 counter accept
    counter meta mark set mark & 0xfff0ffff
  }
  chain filter-INPUT { type filter hook input priority 0; policy accept; counter jump filter-cali-INPUT; }
  chain filter-FORWARD { type filter hook forward priority 0; policy accept; iifname "pod*" counter jump filter-cali-from-wl-dispatch; }
  chain filter-OUTPUT { type filter hook output priority 0; policy accept; oifname "pod*" counter return; }
  chain raw-PREROUTING {
    type filter hook prerouting priority raw; policy accept;
    counter meta mark set mark & 0xfff0ffff
    iifname "pod*" counter meta mark set mark or 0x40000
    meta mark & 0x40000 == 0x40000 fib saddr . mark . iif oif 0 counter drop
    meta mark & 0x10000 == 0x10000 counter accept
  }
}
`,
    )
    .join('')
}

/** Cilium with kube-proxy beside it: pkg/datapath/iptables of cilium/cilium, rules of the proxy redirection and of its NOTRACK. */
export const ciliumIptables = `*raw
:CILIUM_PRE_raw - [0:0]
:CILIUM_OUTPUT_raw - [0:0]
-I PREROUTING 1 -m comment --comment "cilium-feeder: CILIUM_PRE_raw" -j CILIUM_PRE_raw
-I OUTPUT 1 -m comment --comment "cilium-feeder: CILIUM_OUTPUT_raw" -j CILIUM_OUTPUT_raw
-A CILIUM_PRE_raw -m mark --mark 0x200/0xf00 -m comment --comment "cilium: NOTRACK for proxy traffic" -j CT --notrack
-A CILIUM_OUTPUT_raw -o lxc+ -m mark --mark 0xa00/0xfffffeff -m comment --comment "cilium: NOTRACK for proxy return traffic" -j CT --notrack
COMMIT
*filter
:CILIUM_INPUT - [0:0]
:CILIUM_FORWARD - [0:0]
:CILIUM_OUTPUT - [0:0]
-I INPUT 1 -m comment --comment "cilium-feeder: CILIUM_INPUT" -j CILIUM_INPUT
-I FORWARD 1 -m comment --comment "cilium-feeder: CILIUM_FORWARD" -j CILIUM_FORWARD
-I OUTPUT 1 -m comment --comment "cilium-feeder: CILIUM_OUTPUT" -j CILIUM_OUTPUT
-A CILIUM_INPUT -m mark --mark 0x200/0xf00 -m comment --comment "cilium: ACCEPT for proxy traffic" -j ACCEPT
-A CILIUM_FORWARD -o cilium_host -m comment --comment "cilium: any->cluster on cilium_host forward accept" -j ACCEPT
-A CILIUM_OUTPUT -m mark --mark 0xa00/0xe00 -m comment --comment "cilium: ACCEPT for proxy traffic" -j ACCEPT
-A CILIUM_OUTPUT -m mark ! --mark 0xe00/0xf00 -m mark ! --mark 0xd00/0xf00 -m mark ! --mark 0x400/0xf00 -m comment --comment "cilium: host->any mark as from host" -j MARK --set-xmark 0xc00/0xf00
COMMIT
`

/** A node on which nothing passes that was not named: what a hardening guide asks for, with what Kubernetes needs. */
export const strictNftables = `table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname "lo" accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport { 22, 10250 } accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "pod0" accept
    meta l4proto ipv6-icmp accept
  }
  chain output {
    type filter hook output priority filter; policy drop;
    ct state established,related accept
    oifname "lo" accept
    meta l4proto ipv6-icmp accept
    oifname != "pod0" ct state new accept
  }
}
`

/** Somebody who sends all DNS of pods to a server of his own, before everybody else's nat. */
export const earlyNat = `table ip others {
  chain prerouting {
    type nat hook prerouting priority -120; policy accept;
    iifname "pod0" meta l4proto { tcp, udp } th dport 53 dnat to 10.78.0.3
  }
}
`

/** Advice against a full connection table that is found everywhere. */
export const notrackDns = `*raw
-A PREROUTING -p udp -m udp --dport 53 -j NOTRACK
-A PREROUTING -p udp -m udp --sport 53 -j NOTRACK
-A OUTPUT -p udp -m udp --dport 53 -j NOTRACK
-A OUTPUT -p udp -m udp --sport 53 -j NOTRACK
COMMIT
`

/** Hardening guides again. Reverse paths are asked for on each link; what is said for all is the least. */
export const strictSysctls = [
  'net.ipv4.conf.all.rp_filter=1',
  'net.ipv4.conf.default.rp_filter=1',
  'net.ipv4.conf.pod0.rp_filter=1',
  'net.ipv4.conf.lo.rp_filter=1',
  'net.ipv4.conf.all.arp_ignore=2',
  'net.ipv4.conf.all.accept_local=0',
  'net.ipv4.conf.all.route_localnet=0',
  'net.netfilter.nf_conntrack_tcp_be_liberal=0',
  'net.netfilter.nf_conntrack_tcp_loose=0',
] as const

export const noForwarding = [
  'net.ipv4.conf.all.forwarding=0',
  'net.ipv6.conf.all.forwarding=0',
] as const
