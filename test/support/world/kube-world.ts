/**
 * A made-up cluster for tests: namespaces with Services of every kind that DNS treats differently, their
 * EndpointSlices and some Pods. The same numbers always make the same world, so two processes can agree on it.
 * Shapes follow the Kubernetes API (v1, discovery.k8s.io/v1), with just the fields that DNS servers read.
 */
export interface KubeObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export const resourceNames = ['namespaces', 'services', 'endpointslices', 'pods'] as const
export type ResourceName = (typeof resourceNames)[number]

export const serviceKinds = [
  'cluster-v4',
  'cluster-v6',
  'cluster-dual',
  'cluster-unnamed-port',
  'cluster-no-endpoints',
  'headless',
  'headless-hostnames',
  'headless-dual',
  'headless-not-ready',
  'headless-empty',
  'headless-udp',
  'external-name',
  'external-ip',
  'external-inside',
  'external-nowhere',
] as const
export type ServiceKind = (typeof serviceKinds)[number]

/** What a test wants to know about a Service without reading API objects. */
export interface ServiceFacts {
  readonly namespace: string
  readonly name: string
  readonly kind: ServiceKind
  /** IPv4 and IPv6 addresses that its name has, cluster IPs or ready endpoints. */
  readonly v4: readonly string[]
  readonly v6: readonly string[]
  /** First label of each ready endpoint's own name. */
  readonly endpointLabels: readonly string[]
  readonly externalName?: string
}

export interface KubeWorld {
  readonly objects: Readonly<Record<ResourceName, readonly KubeObject[]>>
  readonly services: readonly ServiceFacts[]
  readonly namespaces: readonly string[]
  readonly podAddresses: readonly { readonly namespace: string; readonly address: string }[]
}

interface Draft {
  readonly objects: Record<ResourceName, KubeObject[]>
  readonly services: ServiceFacts[]
  readonly podAddresses: { namespace: string; address: string }[]
  counter: number
}

interface Endpoint {
  readonly address: string
  readonly hostname?: string
  readonly ready: boolean
}

type Port = {
  readonly name?: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
}

const namedPorts: readonly Port[] = [
  { name: 'http', port: 80, protocol: 'TCP' },
  { name: 'https', port: 443, protocol: 'TCP' },
  { name: 'dns', port: 53, protocol: 'UDP' },
]

/** @param namespaceCount each gets one Service of every kind, so 20 make 300 Services */
export function makeKubeWorld(namespaceCount: number): KubeWorld {
  const draft: Draft = {
    objects: { namespaces: [], services: [], endpointslices: [], pods: [] },
    services: [],
    podAddresses: [],
    counter: 0,
  }
  const namespaces = [
    'default',
    'kube-system',
    ...Array.from({ length: namespaceCount }, (_, i) => `team-${i}`),
  ]
  for (const name of namespaces) draft.objects.namespaces.push({ metadata: { name } })
  addService(draft, { metadata: { name: 'kubernetes', namespace: 'default' } }, 'cluster-v4')
  addOwnService(draft)
  for (const namespace of namespaces.slice(2)) {
    for (const kind of serviceKinds)
      addService(draft, { metadata: { name: kind, namespace } }, kind)
    addPods(draft, namespace)
  }
  return { ...draft, namespaces }
}

/** The Service in front of the DNS server. CoreDNS finds itself in it when it runs at 10.77.0.1 (see netns.ts). */
function addOwnService(draft: Draft): void {
  const metadata = { name: 'kube-dns', namespace: 'kube-system' }
  const ports: readonly Port[] = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ]
  const spec = { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports }
  draft.objects.services.push({ metadata, spec })
  draft.objects.endpointslices.push(
    slice({ metadata }, 'IPv4', [{ address: '10.77.0.1', ready: true }], ports),
  )
}

function addService(draft: Draft, identity: KubeObject, kind: ServiceKind): void {
  draft.counter += 1
  const { name } = identity.metadata
  const namespace = identity.metadata.namespace ?? 'default'
  const made = makeService(kind, draft.counter, namespace)
  draft.objects.services.push({ ...identity, spec: made.spec })
  for (const family of ['IPv4', 'IPv6'] as const) {
    const endpoints = made.endpoints.filter((e) => e.address.includes(':') === (family === 'IPv6'))
    if (endpoints.length > 0)
      draft.objects.endpointslices.push(slice(identity, family, endpoints, made.ports))
  }
  const ready = made.endpoints.filter((endpoint) => endpoint.ready)
  const addresses = made.clusterIps.length > 0 ? made.clusterIps : ready.map((e) => e.address)
  draft.services.push({
    namespace,
    name,
    kind,
    v4: addresses.filter((address) => !address.includes(':')),
    v6: addresses.filter((address) => address.includes(':')),
    endpointLabels: ready.map((e) => e.hostname ?? dashed(e.address)),
    ...(made.externalName ? { externalName: made.externalName } : {}),
  })
}

interface MadeService {
  readonly spec: Record<string, unknown>
  readonly clusterIps: readonly string[]
  readonly endpoints: readonly Endpoint[]
  readonly ports: readonly Port[]
  readonly externalName?: string
}

function makeService(kind: ServiceKind, n: number, namespace: string): MadeService {
  if (kind.startsWith('cluster-')) return makeClusterIp(kind, n)
  if (kind.startsWith('headless')) return makeHeadless(kind, n)
  const target: Partial<Record<ServiceKind, string>> = {
    'external-name': `www-${n}.example.test`,
    'external-ip': `192.0.2.${n % 250}`,
    'external-inside': `headless.${namespace}.svc.cluster.local`,
    'external-nowhere': `nowhere-${n}.nxdomain.test`,
  }
  const externalName = target[kind] ?? 'www.example.test'
  return {
    spec: { type: 'ExternalName', externalName },
    clusterIps: [],
    endpoints: [],
    ports: [],
    externalName,
  }
}

function makeClusterIp(kind: ServiceKind, n: number): MadeService {
  const v4 = `10.96.${n >> 8}.${n & 255}`
  const v6 = `fd96::${n.toString(16)}`
  const byKind: Partial<Record<ServiceKind, string[]>> = {
    'cluster-v6': [v6],
    'cluster-dual': [v4, v6],
  }
  const clusterIps = byKind[kind] ?? [v4]
  const ports: readonly Port[] =
    kind === 'cluster-unnamed-port' ? [{ port: 8080, protocol: 'TCP' }] : namedPorts
  const endpoints = clusterIps.flatMap((ip) => endpointsOf(n, ip.includes(':') ? 'v6' : 'v4', 2))
  return {
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIps[0],
      clusterIPs: clusterIps,
      ipFamilies: clusterIps.map((ip) => (ip.includes(':') ? 'IPv6' : 'IPv4')),
      ports,
    },
    clusterIps,
    endpoints: kind === 'cluster-no-endpoints' ? [] : endpoints,
    ports,
  }
}

function makeHeadless(kind: ServiceKind, n: number): MadeService {
  const ports: readonly Port[] = kind === 'headless-udp' ? namedPorts.slice(1) : namedPorts
  return {
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      clusterIPs: ['None'],
      ipFamilies: ['IPv4'],
      ports,
    },
    clusterIps: [],
    endpoints: headlessEndpoints(kind, n),
    ports,
  }
}

function headlessEndpoints(kind: ServiceKind, n: number): readonly Endpoint[] {
  const v4 = endpointsOf(n, 'v4', 4)
  switch (kind) {
    case 'headless-empty':
      return []
    case 'headless-not-ready':
      return v4.map((endpoint) => ({ ...endpoint, ready: false }))
    case 'headless-hostnames':
      return v4.map((endpoint, i) => ({ ...endpoint, hostname: `web-${i}`, ready: i !== 3 }))
    case 'headless-dual':
      return [...v4, ...endpointsOf(n, 'v6', 4)]
    default:
      return v4
  }
}

function endpointsOf(n: number, family: 'v4' | 'v6', count: number): Endpoint[] {
  return Array.from({ length: count }, (_, i) => ({
    address:
      family === 'v4'
        ? `10.${244 + (n >> 12)}.${(n >> 4) & 255}.${((n & 15) << 4) + i + 1}`
        : `fd44::${n.toString(16)}:${i + 1}`,
    ready: true,
  }))
}

function slice(
  owner: KubeObject,
  addressType: string,
  endpoints: readonly Endpoint[],
  ports: readonly Port[],
): KubeObject {
  const { name, namespace = 'default' } = owner.metadata
  return {
    metadata: {
      name: `${name}-${addressType.toLowerCase()}`,
      namespace,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType,
    endpoints: endpoints.map(({ address, hostname, ready }) => ({
      addresses: [address],
      conditions: { ready, serving: ready, terminating: false },
      ...(hostname ? { hostname } : {}),
    })),
    ports,
  }
}

function addPods(draft: Draft, namespace: string): void {
  for (let i = 0; i < 2; i++) {
    draft.counter += 1
    const address = `10.200.${draft.counter >> 8}.${draft.counter & 255}`
    draft.podAddresses.push({ namespace, address })
    draft.objects.pods.push({
      metadata: { name: `pod-${i}`, namespace },
      status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] },
    })
  }
}

/** The label that CoreDNS gives to an endpoint without a hostname. A trailing colon pair gets a 0. */
function dashed(address: string): string {
  const label = address.replaceAll(/[.:]/g, '-')
  return label.endsWith('-') ? `${label}0` : label
}
