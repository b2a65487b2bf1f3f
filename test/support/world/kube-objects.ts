/**
 * Objects of the Kubernetes API as the tests of a node need them: the node itself, Services of DNS with their
 * EndpointSlices. Pure: who writes them to an API server is kube-server.ts.
 */

/** A Service of port 53 for both transports; its addresses say whether it is of one family or of both. */
export interface DnsService {
  readonly name: string
  readonly clusterIps: readonly string[]
  readonly endpoints: readonly DnsEndpoint[]
}

export interface DnsEndpoint {
  readonly address: string
  /** A pod that is being deleted goes on serving for a while. */
  readonly isTerminating?: boolean
}

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

export const kubeSystem = 'kube-system'

export function nodeObject(name: string, podNetworks: readonly string[]): KubernetesObject {
  const spec = { podCIDR: podNetworks[0], podCIDRs: podNetworks }
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec }
}

/** A change of a Node's subresource `status`; kube-proxy takes its own addresses from here. */
export function nodeStatus(addresses: readonly string[]): object {
  return { status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) } }
}

/** @returns the Service and one EndpointSlice for each of its families */
export function serviceObjects(service: DnsService): KubernetesObject[] {
  return [serviceObject(service), ...familiesOf(service.clusterIps).map((f) => slice(service, f))]
}

type Family = 'IPv4' | 'IPv6'

const ports = [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
] as const

function serviceObject({ name, clusterIps }: DnsService): KubernetesObject {
  const ipFamilies = familiesOf(clusterIps)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: kubeSystem },
    spec: {
      clusterIP: clusterIps[0],
      clusterIPs: clusterIps,
      ipFamilies,
      ipFamilyPolicy: ipFamilies.length > 1 ? 'RequireDualStack' : 'SingleStack',
      ports: ports.map((port) => ({ ...port, targetPort: 53 })),
    },
  }
}

function slice({ name, endpoints }: DnsService, family: Family): KubernetesObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${family.toLowerCase()}`,
      namespace: kubeSystem,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: family,
    ports,
    endpoints: endpoints
      .filter(({ address }) => familyOf(address) === family)
      .map(({ address, isTerminating = false }) => ({
        addresses: [address],
        conditions: { ready: !isTerminating, serving: true, terminating: isTerminating },
      })),
  }
}

function familiesOf(addresses: readonly string[]): Family[] {
  return addresses.map(familyOf)
}

function familyOf(address: string): Family {
  return address.includes(':') ? 'IPv6' : 'IPv4'
}
