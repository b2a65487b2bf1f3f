/**
 * kube-proxy's rules for a DNS Service, as it would write them: the same tables, chains, hooks, priorities and order of
 * tests, for as many Services as are wanted and nothing else. Taken from its sources (pkg/proxy/iptables,
 * pkg/proxy/nftables) of Kubernetes 1.33; pods are recognised by their network, the usual way (detect-local by ClusterCIDR).
 */

import { createHash } from 'node:crypto'

export interface ServiceRules {
  readonly name: string
  readonly clusterIp: string
  readonly endpoints: readonly string[]
}

export interface ClusterRules {
  readonly family: 4 | 6
  readonly podNetwork: string
  readonly serviceNetwork: string
  readonly services: readonly ServiceRules[]
}

const protocols = ['udp', 'tcp'] as const

/** Input for `iptables-restore`. */
export function kubeProxyIptables({ family, podNetwork, services }: ClusterRules): string {
  const length = family === 4 ? 32 : 128
  const chains: string[] = []
  const rules: string[] = []
  for (const { name, clusterIp, endpoints } of services) {
    for (const protocol of protocols) {
      const service = `KUBE-SVC-${hash(`${name}${protocol}`)}`
      const match = `-d ${clusterIp}/${length} -p ${protocol} -m ${protocol} --dport 53`
      const comment = `-m comment --comment "kube-system/${name}:dns cluster IP"`
      chains.push(service)
      rules.push(`-A KUBE-SERVICES ${match} ${comment} -j ${service}`)
      rules.push(`-A ${service} ! -s ${podNetwork} ${match} ${comment} -j KUBE-MARK-MASQ`)
      endpoints.forEach((endpoint, i) => {
        const separate = `KUBE-SEP-${hash(`${name}${protocol}${endpoint}`)}`
        const left = endpoints.length - i
        const chance =
          left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `
        const to = family === 4 ? `${endpoint}:53` : `[${endpoint}]:53`
        chains.push(separate)
        rules.push(`-A ${service} ${chance}-j ${separate}`)
        rules.push(`-A ${separate} -s ${endpoint}/${length} -j KUBE-MARK-MASQ`)
        rules.push(`-A ${separate} -p ${protocol} -m ${protocol} -j DNAT --to-destination ${to}`)
      })
    }
  }
  const fixed = ['KUBE-SERVICES', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ']
  return `*nat
${[...fixed, ...chains].map((chain) => `:${chain} - [0:0]`).join('\n')}
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
${rules.join('\n')}
COMMIT
*filter
:KUBE-FORWARD - [0:0]
:KUBE-FIREWALL - [0:0]
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A INPUT -j KUBE-FIREWALL
-A OUTPUT -j KUBE-FIREWALL
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*mangle
:KUBE-IPTABLES-HINT - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
COMMIT
`
}

/** Input for `nft -f`. */
export function kubeProxyNftables(rules: ClusterRules): string {
  const ip = rules.family === 4 ? 'ip' : 'ip6'
  const elements: string[] = []
  const chains: string[] = []
  for (const service of rules.services) {
    for (const protocol of protocols) {
      const { element, text } = nftService(rules, service, protocol)
      elements.push(element)
      chains.push(text)
    }
  }
  const clusterIps = rules.services.map(({ clusterIp }) => clusterIp).join(', ')
  return `table ${ip} kube-proxy {
  comment "rules for kube-proxy"
  set cluster-ips { type ${ip}v${rules.family}_addr; elements = { ${clusterIps} } }
  map no-endpoint-services { type ${ip}v${rules.family}_addr . inet_proto . inet_service : verdict; }
  map firewall-ips { type ${ip}v${rules.family}_addr . inet_proto . inet_service : verdict; }
  chain mark-for-masquerade { meta mark set meta mark | 0x4000; }
  chain masquerading {
    meta mark & 0x4000 == 0 return
    meta mark set meta mark ^ 0x4000
    masquerade fully-random
  }
  chain reject-chain { reject; }
  chain firewall-check { ${ip} daddr . meta l4proto . th dport vmap @firewall-ips; }
  chain service-endpoints-check { ${ip} daddr . meta l4proto . th dport vmap @no-endpoint-services; }
  chain cluster-ips-check {
    ${ip} daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"
    ${ip} daddr { ${rules.serviceNetwork} } drop comment "Drop traffic to unallocated ClusterIPs"
  }
${chains.join('')}
  map service-ips {
    type ${ip}v${rules.family}_addr . inet_proto . inet_service : verdict
    elements = { ${elements.join(', ')} }
  }
  chain services { ${ip} daddr . meta l4proto . th dport vmap @service-ips; }
  chain filter-prerouting { type filter hook prerouting priority -110; ct state new jump firewall-check; }
  chain filter-input { type filter hook input priority -110; ct state new jump service-endpoints-check; }
  chain filter-forward {
    type filter hook forward priority -110
    ct state new jump service-endpoints-check
    ct state new jump cluster-ips-check
  }
  chain filter-output {
    type filter hook output priority -110
    ct state new jump service-endpoints-check
    ct state new jump firewall-check
  }
  chain filter-output-post-dnat { type filter hook output priority -90; ct state new jump cluster-ips-check; }
  chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
  chain nat-output { type nat hook output priority -100; jump services; }
  chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }
}
`.replaceAll('ip6v6_addr', 'ipv6_addr')
}

function nftService(
  { family, podNetwork }: ClusterRules,
  { name, clusterIp, endpoints }: ServiceRules,
  protocol: 'udp' | 'tcp',
) {
  const ip = family === 4 ? 'ip' : 'ip6'
  const id = `kube-system/${name}/${protocol}/dns`
  const service = `service-${hash(id).slice(0, 8)}-${id}`
  const names = endpoints.map(
    (endpoint) =>
      `endpoint-${hash(id + endpoint).slice(0, 8)}-${id}__${endpoint.replaceAll(':', '.')}/53`,
  )
  const chains = endpoints.map((endpoint, i) => {
    const to = family === 4 ? `${endpoint}:53` : `[${endpoint}]:53`
    return `  chain ${names[i]} {
    ${ip} saddr ${endpoint} jump mark-for-masquerade
    meta l4proto ${protocol} dnat to ${to}
  }
`
  })
  const verdicts = names.map((endpoint, i) => `${i} : goto ${endpoint}`).join(', ')
  const text = `${chains.join('')}  chain ${service} {
    ${ip} daddr ${clusterIp} ${protocol} dport 53 ${ip} saddr != ${podNetwork} jump mark-for-masquerade
    numgen random mod ${names.length} vmap { ${verdicts} }
  }
`
  return { element: `${clusterIp} . ${protocol} . 53 : goto ${service}`, text }
}

/** Sixteen letters and digits, as kube-proxy's; the same for the same name. */
function hash(text: string): string {
  const octets = createHash('sha256').update(text).digest().subarray(0, 16)
  return [...octets].map((octet) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[octet & 31]).join('')
}
