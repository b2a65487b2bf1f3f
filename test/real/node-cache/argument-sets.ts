/**
 * How NodeLocal DNSCache is started in the wild, a pod for each manifest: arguments, files, environment, capabilities, memory limit. Addresses are
 * those of the world (support/world/node-world.ts); what a pod must do is what docs/nodelocal.md says.
 */
import { clusterIp, clusterIp6, linkLocal, linkLocal6 } from '../../support/world/node-world.ts'

export interface ArgumentSet {
  readonly name: string
  readonly args: readonly string[]
  /** By path; those below /etc/coredns that are no template are read as they are. */
  readonly files: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Beside the container runtime's default ones. */
  readonly capabilities?: readonly string[]
  readonly isPrivileged?: boolean
  readonly noNewPrivileges?: boolean
  readonly limitMiB?: number
  /** In the pod's network, not the node's. */
  readonly isInPod?: boolean
  readonly serves: Serves | { readonly exit: 2; readonly says: RegExp }
  /** Part of the short run. */
  readonly isShort?: boolean
}

export interface Serves {
  readonly at: readonly string[]
  /** Who answers at each address after SIGTERM and after SIGKILL. */
  readonly left: readonly ('coredns' | 'nobody')[]
  readonly health: string
  readonly metrics: readonly string[]
}

const upstream = { KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.0.11' }
const upstream6 = { KUBE_DNS_UPSTREAM_SERVICE_HOST: 'fd96::b' }
const service = ['-upstreamsvc', 'kube-dns-upstream']
const conf = ['-conf', '/etc/Corefile']
const both = ['-localip', `${linkLocal},${clusterIp}`]
const netAdmin = ['net_admin']
const nowhere = ['-setupinterface=false', '-setupiptables=false']
const onNode = '10.78.0.1'

interface Shape {
  readonly bind?: string
  readonly health?: string
  readonly metrics?: string
  readonly cluster?: string
  readonly more?: string
}

/** Two server blocks in the manner of the manifests. */
export function corefile({
  bind = '__PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__',
  health = `${linkLocal}:8080`,
  metrics = ':9253',
  cluster = '__PILLAR__CLUSTER__DNS__',
  more = '',
}: Shape = {}): string {
  const rest = `    reload\n    loop\n    bind ${bind}\n    prometheus ${metrics}\n`
  return `cluster.local:53 {
    errors
    cache {
        success 9984 30
        denial 9984 5
    }
${rest}    forward . ${cluster} {
        force_tcp
    }
    health ${health}
${more}}
.:53 {
    errors
    cache 30
${rest}    forward . /etc/resolv.conf
}
`
}

const base = (shape: Shape = {}) => ({ '/etc/coredns/Corefile.base': corefile(shape) })
const plain = (shape: Shape = {}) => ({
  '/etc/coredns/Corefile': corefile({ bind: linkLocal, cluster: '10.96.0.11', ...shape }),
})
const usual: Serves = {
  at: [linkLocal, clusterIp],
  left: ['coredns', 'coredns'],
  health: `${linkLocal}:8080`,
  metrics: [`${onNode}:9253`, `${onNode}:9353`],
}
const alone: Serves = { ...usual, at: [linkLocal], left: ['coredns'] }

export const argumentSets: readonly ArgumentSet[] = [
  {
    name: 'upstream',
    args: [...both, ...conf, ...service, '-pidfile', '/run/node-cache.pid'],
    files: base(),
    env: upstream,
    capabilities: netAdmin,
    serves: usual,
    isShort: true,
  },
  {
    name: 'IPVS: the link-local address alone, another health port',
    args: ['-localip', linkLocal, ...conf, ...service],
    files: base({ health: `${linkLocal}:8099` }),
    env: upstream,
    capabilities: netAdmin,
    serves: { ...alone, health: `${linkLocal}:8099` },
  },
  {
    name: 'kubespray: a plain Corefile, 200 Mi',
    args: ['-localip', linkLocal, '-conf', '/etc/coredns/Corefile', '-upstreamsvc', 'coredns'],
    files: plain({ health: `${linkLocal}:9254` }),
    env: { COREDNS_SERVICE_HOST: '10.96.0.11', MY_HOST_IP: onNode },
    capabilities: netAdmin,
    limitMiB: 200,
    serves: { ...alone, health: `${linkLocal}:9254` },
  },
  {
    name: 'KubeKey: privileged, metrics of its own on loopback',
    args: [
      ...['-localip', linkLocal, '-conf', '/etc/coredns/Corefile', '-upstreamsvc', 'coredns'],
      ...['-metrics-listen-address', '127.0.0.1:9353'],
    ],
    files: plain(),
    env: { COREDNS_SERVICE_HOST: '10.96.0.11' },
    isPrivileged: true,
    limitMiB: 200,
    serves: { ...alone, metrics: [`${onNode}:9253`, '127.0.0.1:9353'] },
  },
  {
    name: "deliveryhero's chart: a wildcard, foreign keys in /etc/kube-dns, 128 Mi, a teardown that is asked for",
    args: [
      ...[...both, ...conf, ...service],
      ...['-skipteardown=false', '-setupinterface=true', '-setupiptables=true'],
    ],
    files: { ...base({ bind: '0.0.0.0', health: ':8080' }), '/etc/kube-dns/Corefile': 'x' },
    env: upstream,
    capabilities: netAdmin,
    limitMiB: 128,
    serves: { ...usual, left: ['nobody', 'coredns'] },
    isShort: true,
  },
  {
    name: 'Gardener: no new privileges, 100 Mi, imports of empty directories',
    args: [...both, ...conf, ...service, '-health-port', '8099'],
    files: {
      ...base({ health: `${linkLocal}:8099`, more: '    import custom/*.override\n' }),
      '/etc/custom/note': '',
      '/etc/generated-config/note': '',
    },
    env: upstream,
    capabilities: netAdmin,
    noNewPrivileges: true,
    limitMiB: 100,
    serves: { ...usual, health: `${linkLocal}:8099` },
  },
  {
    name: 'kops: the link without rules, flags with =',
    args: [
      ...[`-localip=${linkLocal}`, '-conf=/etc/Corefile', '-upstreamsvc=kube-dns-upstream'],
      '-setupiptables=false',
    ],
    files: base({ health: `${linkLocal}:3989` }),
    env: upstream,
    capabilities: netAdmin,
    serves: { ...alone, left: ['nobody'], health: `${linkLocal}:3989` },
    isShort: true,
  },
  {
    name: "lablabs's chart: a bare switch first, 1ns, the link without rules",
    args: [
      ...['-skipteardown', '-setupinterface=true', '-setupiptables=false', '-health-port', '8080'],
      ...[...both, ...service, ...conf, '-syncinterval', '1ns', '-interfacename', 'nodelocaldns'],
      ...['-metrics-listen-address', '0.0.0.0:9353'],
    ],
    files: base(),
    env: upstream,
    capabilities: netAdmin,
    // kube-proxy translates tracked packets before they could reach us.
    serves: { ...alone, left: ['nobody'] },
  },
  {
    name: 'Cilium: the pod network, a wildcard, privileged',
    args: [...both, ...conf, ...service, '-skipteardown=true', ...nowhere],
    files: base({ bind: '0.0.0.0', health: ':8080' }),
    env: upstream,
    isPrivileged: true,
    isInPod: true,
    serves: {
      ...{ at: ['10.77.0.2'], left: ['nobody'], health: '10.77.0.2:8080' },
      metrics: ['10.77.0.2:9253', '10.77.0.2:9353'],
    },
  },
  {
    name: 'KubeOne with Cilium: no capability',
    args: ['-localip', linkLocal, ...conf, ...service, '-skipteardown=true', ...nowhere],
    files: base({ bind: '0.0.0.0', health: ':8080' }),
    env: upstream,
    isInPod: true,
    serves: {
      ...{ at: ['10.77.0.2'], left: ['nobody'], health: '10.77.0.2:8080' },
      metrics: ['10.77.0.2:9253', '10.77.0.2:9353'],
    },
  },
  {
    name: 'IPv6 alone',
    args: ['-localip', `${linkLocal6},${clusterIp6}`, ...conf, ...service],
    files: base({ health: `[${linkLocal6}]:8099` }),
    env: upstream6,
    capabilities: netAdmin,
    serves: {
      ...{ at: [linkLocal6, clusterIp6], left: ['coredns', 'coredns'] },
      ...{ health: `[${linkLocal6}]:8099`, metrics: ['[fd78::1]:9253'] },
    },
  },
  {
    name: 'both families, which node-cache refuses',
    args: [
      '-localip',
      `${linkLocal},${clusterIp},${linkLocal6},${clusterIp6}`,
      ...conf,
      ...service,
    ],
    files: base(),
    env: upstream,
    capabilities: netAdmin,
    serves: {
      ...{ at: [linkLocal, clusterIp, clusterIp6], left: ['coredns', 'coredns', 'coredns'] },
      ...{ health: `${linkLocal}:8080`, metrics: [`${onNode}:9253`] },
    },
  },
  {
    name: 'kube-dns with stub domains and upstream name servers',
    args: [...both, ...conf, ...service, '-kubednscm', '/etc/kube-dns'],
    files: {
      ...base(),
      '/etc/kube-dns/stubDomains': '{"corp.example":["10.78.0.2"]}',
      '/etc/kube-dns/upstreamNameservers': '["10.78.0.2"]',
    },
    env: upstream,
    capabilities: netAdmin,
    serves: usual,
  },
  {
    name: 'an image that refuses to run below its least memory: 30 Mi',
    args: [...both, ...conf],
    files: base(),
    env: { KUBE_DNS_SERVICE_HOST: '10.96.0.11' },
    isPrivileged: true,
    limitMiB: 30,
    serves: { exit: 2, says: /memory limit is 30 MiB.*at least 64 MiB/ },
  },
  {
    name: 'the least memory: 64 Mi',
    args: [...both, ...conf, ...service],
    files: base(),
    env: upstream,
    capabilities: netAdmin,
    limitMiB: 64,
    serves: usual,
  },
  {
    name: 'a pod that is older than its Service',
    args: [...both, ...conf, ...service],
    files: base(),
    capabilities: netAdmin,
    serves: { exit: 2, says: /kube-dns-upstream, and KUBE_DNS_UPSTREAM_SERVICE_HOST is not set/ },
  },
  {
    name: "a vendor's flag",
    args: ['-localip', linkLocal, ...conf, '-setupiptables=true', '-forwardonexit=false'],
    files: base(),
    isPrivileged: true,
    serves: { exit: 2, says: /unknown flag "-forwardonexit"/ },
  },
]
