/**
 * The Corefile that node-cache makes from its template: pillars are replaced wherever they stand, comments included, and each stub domain
 * of kube-dns becomes a server block at the end. Pure. Source: cmd/node-cache/app/configmap.go of kubernetes-sigs/node-local-dns.
 */
import type { KubeDnsConfig } from './kube-dns.ts'

export interface TemplateValues {
  /** `-localip`. */
  readonly localIps: readonly string[]
  /** Whether the node has these addresses: else a block for a stub domain listens on all, where node-cache would fail. */
  readonly areOnNode: boolean
  /** `-p`, of the blocks for stub domains. */
  readonly port: number
  /** Address of the Service of `-upstreamsvc`; undefined when the environment does not have it. */
  readonly clusterDns: string | undefined
  /** `-prometheus-listen-address`. */
  readonly prometheusListen: string
  readonly kubeDns: KubeDnsConfig
}

const pillars = {
  upstream: '__PILLAR__UPSTREAM__SERVERS__',
  cluster: '__PILLAR__CLUSTER__DNS__',
  local: '__PILLAR__LOCAL__DNS__',
  server: '__PILLAR__DNS__SERVER__',
  prometheus: '__PROMETHEUS__ENDPOINT__',
} as const

const resolvConf = '/etc/resolv.conf'

/** As the manifests have it, to the letter: with servers of kube-dns in its place, node-cache gives up TCP there. */
const overTcp = `
    forward . ${pillars.upstream} {
            force_tcp
    }
`

/** @returns the Corefile; undefined when the template asks for the Service and its address is not known */
export function renderCorefile(template: string, values: TemplateValues): string | undefined {
  const { localIps, clusterDns, prometheusListen, kubeDns } = values
  if (clusterDns === undefined && template.includes(pillars.cluster)) return undefined
  const servers = kubeDns.upstreamNameservers.join(' ')
  const plain = `\n    forward . ${pillars.upstream}\n`
  const text = servers === '' ? template : template.replaceAll(overTcp, () => plain)
  const replaced = [
    [pillars.upstream, servers === '' ? resolvConf : servers],
    [pillars.cluster, clusterDns ?? ''],
    [pillars.local, localIps.join(' ')],
    [pillars.server, ''],
    [pillars.prometheus, prometheusListen],
  ] as const
  const body = replaced.reduce(
    (done, [pillar, value]) => done.replaceAll(pillar, () => value),
    text,
  )
  return body + stubBlocks(values)
}

function stubBlocks({ kubeDns, localIps, areOnNode, port }: TemplateValues): string {
  const bind = areOnNode ? `    bind ${localIps.join(' ')}\n` : ''
  return [...kubeDns.stubDomains]
    .map(
      ([domain, servers]) => `
${domain}:${port} {
    errors
    cache 30
${bind}    forward . ${servers.join(' ')}
}
`,
    )
    .join('')
}

/** @returns the variable in which the kubelet gives the address of a Service */
export function serviceVariable(service: string): string {
  return `${service.replaceAll('-', '_').toUpperCase()}_SERVICE_HOST`
}

/** @returns the address of a Service; undefined when it has none, or did not exist before this process */
export function serviceAddress(
  environment: Readonly<Record<string, string | undefined>>,
  service: string,
): string | undefined {
  const value = environment[serviceVariable(service)]
  return value === undefined || value === '' || value === 'None' ? undefined : value
}
