/**
 * A model of the names that CoreDNS's kubernetes plugin has in a zone, written from the plugin's own code (`parse.go`, `kubernetes.go`,
 * `autopath` not among it) and apart from src/core/search, which it judges. Labels are text, leftmost first, without the zone.
 */

export interface ModelService {
  readonly name: string
  readonly namespace: string
  readonly kind: 'cluster-ip' | 'headless' | 'external-name'
  /** Host names of its endpoints. */
  readonly endpoints: readonly string[]
  readonly ports: readonly { readonly name: string; readonly protocol: 'tcp' | 'udp' | 'sctp' }[]
}

export interface ModelCluster {
  readonly namespaces: readonly string[]
  readonly services: readonly ModelService[]
  readonly pods: 'disabled' | 'insecure'
  /** CoreDNS before 1.9 takes `*` and `any` for every port and protocol. */
  readonly wildcards: boolean
  readonly multicluster: boolean
  /** 1.14.7 has names below `_zone.<service>`, whether the Service exists or not. */
  readonly zonal: boolean
}

/** Whether the plugin answers anything but NXDOMAIN for a name. */
export function modelHas(cluster: ModelCluster, labels: readonly string[]): boolean {
  const text = labels.join('.')
  if (['', 'svc', 'pod', 'ns.dns', 'dns-version'].includes(text)) return true
  const root = labels.at(-1)
  const namespace = labels.at(-2)
  if ((root !== 'svc' && root !== 'pod') || namespace === undefined) return false
  if (cluster.zonal && root === 'svc' && labels.length > 4 && labels.at(-4) === '_zone') return true
  // `[endpoint|port.protocol|endpoint.cluster.]service.namespace.root`; anything longer is an invalid request.
  const left = labels.slice(0, -3)
  if (left.length > 2 || !cluster.namespaces.includes(namespace)) return false
  const name = labels.at(-3)
  if (name === undefined) return true
  return root === 'pod' ? hasPod(cluster, name) : hasService(cluster, { namespace, name, left })
}

function hasPod({ pods }: ModelCluster, name: string): boolean {
  if (pods === 'disabled') return false
  const isV4 = name.split('-').length === 4 && !name.includes('--')
  return isV4 ? parsesAsV4(name.split('-')) : parsesAsV6(name.replaceAll('-', ':'))
}

function parsesAsV4(parts: readonly string[]): boolean {
  return parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

/** As `net.ParseIP`, without embedded IPv4. */
function parsesAsV6(text: string): boolean {
  return URL.canParse(`http://[${text}]/`) && !text.includes('.')
}

interface ServiceRequest {
  readonly namespace: string
  readonly name: string
  readonly left: readonly string[]
}

function hasService(cluster: ModelCluster, { namespace, name, left }: ServiceRequest): boolean {
  const services = cluster.services.filter(
    (service) => service.namespace === namespace && service.name === name,
  )
  return services.some((service) => hasLeftOf(cluster, service, left))
}

function hasLeftOf(cluster: ModelCluster, service: ModelService, left: readonly string[]): boolean {
  const [first, second] = left
  if (first === undefined) return true
  const isPlain = !left.some((label) => label.startsWith('_'))
  // One label is an endpoint, and so is the first of two plain ones with `multicluster`.
  if (second === undefined || (cluster.multicluster && isPlain))
    return service.kind !== 'external-name' && service.endpoints.includes(first)
  const [port, protocol] = [bare(first), bare(second)]
  return (
    service.kind !== 'external-name' &&
    service.ports.some(
      (each) => matches(cluster, port, each.name) && matches(cluster, protocol, each.protocol),
    )
  )
}

function bare(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label
}

function matches({ wildcards }: ModelCluster, asked: string, has: string): boolean {
  return asked === '' || asked === has || (wildcards && (asked === '*' || asked === 'any'))
}
