/**
 * Answers for one small cluster as CoreDNS's `kubernetes` plugin would give them: the shapes of names, the SOA and the difference
 * between NXDOMAIN and NODATA follow that plugin; ExternalName, zonal names, multi-cluster zones and an API that is not synced
 * are left out.
 *
 * A stand-in for demonstrations, never an oracle. Pure.
 */
import { Rcode, RrType } from '../wire/constants.ts'
import { a, aaaa, type DemoAnswer, ptr, soa, srv, type TypedData, txt } from './records.ts'

interface DemoService {
  readonly addresses: readonly TypedData[]
  /** `_name._protocol` without underscores to port number. */
  readonly ports: Readonly<Record<string, number>>
  /** Headless Services only: host names and addresses of the ready pods. */
  readonly endpoints?: Readonly<Record<string, TypedData>>
}

export const demoDomain = 'cluster.local'

const clusterIp = (v4: string, ports: DemoService['ports'], v6?: string): DemoService => ({
  addresses: v6 === undefined ? [a(v4)] : [a(v4), aaaa(v6)],
  ports,
})

const headless = (endpoints: Readonly<Record<string, TypedData>>): DemoService => ({
  addresses: Object.values(endpoints),
  ports: { 'peer.tcp': 5432 },
  endpoints,
})

/** Namespaces that exist, with their Services. */
const namespaces: Readonly<Record<string, Readonly<Record<string, DemoService>>>> = {
  default: { kubernetes: clusterIp('10.96.0.1', { 'https.tcp': 443 }) },
  'kube-system': {
    'kube-dns': clusterIp('10.96.0.10', { 'dns.udp': 53, 'dns-tcp.tcp': 53 }),
  },
  shop: {
    payments: clusterIp('10.96.12.7', { 'http.tcp': 80 }, 'fd00:10:96::c07'),
    ledger: clusterIp('10.96.12.9', { 'grpc.tcp': 9090 }, 'fd00:10:96::c09'),
    orders: clusterIp('10.96.12.8', { 'http.tcp': 80 }),
    db: headless({ 'db-0': a('10.244.1.5'), 'db-1': a('10.244.2.9') }),
  },
}

const svcSuffix = `.svc.${demoDomain}`
const nodata = 'nodata'
const nxdomain = 'nxdomain'
type Found = typeof nodata | typeof nxdomain | readonly TypedData[]

/**
 * @param qname lower case, no trailing dot
 * @param ttlSeconds the plugin's `ttl`: of positive answers, and minimum of the SOA
 */
export function clusterAnswer(qname: string, qtype: number, ttlSeconds: number): DemoAnswer {
  const found = qname.endsWith('.arpa') ? byAddress(qname) : byName(qname, qtype)
  const own =
    found === nodata || found === nxdomain ? [] : found.filter(({ type }) => type === qtype)
  if (own.length > 0) {
    const answers = own.map((data) => ({ owner: qname, ttlSeconds, ...data }))
    return { rcode: Rcode.noerror, answers, authority: [] }
  }
  // The plugin answers a question for SOA below the zone with NODATA, whatever the name.
  const isMissing = found === nxdomain && qtype !== RrType.soa
  const authority = [{ owner: demoDomain, ttlSeconds, ...zoneSoa(ttlSeconds) }]
  return { rcode: isMissing ? Rcode.nxdomain : Rcode.noerror, answers: [], authority }
}

function byName(qname: string, qtype: number): Found {
  if (qname === demoDomain) return qtype === RrType.soa ? [zoneSoa(30)] : emptyNode(qtype)
  const labels = qname.slice(0, -demoDomain.length - 1).split('.')
  const kind = labels.pop()
  if (kind === 'dns') return labels.join('.') === 'ns' ? [a('10.96.0.10')] : nxdomain
  // NXDOMAIN for A, data for TXT: a real quirk, and a trap for resolvers that learn from NXDOMAIN.
  if (kind === 'dns-version') return labels.length === 0 ? versionText(qtype) : nxdomain
  if (kind !== 'svc' && kind !== 'pod') return nxdomain
  if (labels.length === 0) return emptyNode(qtype)
  const services = Object.entries(namespaces).find(([name]) => name === labels.at(-1))?.[1]
  if (services === undefined) return nxdomain
  if (labels.length === 1) return emptyNode(qtype)
  return kind === 'pod' ? podAddress(labels) : serviceData(services, labels, qtype)
}

/** Names that only have names below them: NODATA, except that the plugin says NXDOMAIN for TXT. */
function emptyNode(qtype: number): Found {
  return qtype === RrType.txt ? nxdomain : nodata
}

function versionText(qtype: number): Found {
  return qtype === RrType.txt ? [txt('1.1.0')] : nxdomain
}

/** @param labels of `<service>.<namespace>`, with `<endpoint>` or `<port>.<protocol>` before it */
function serviceData(
  services: Readonly<Record<string, DemoService>>,
  labels: readonly string[],
  qtype: number,
): Found {
  const [namespace = '', name = ''] = labels.toReversed()
  const service = Object.entries(services).find(([key]) => key === name)?.[1]
  const before = labels.slice(0, -2)
  if (service === undefined || before.length > 2) return nxdomain
  const own = `${name}.${namespace}${svcSuffix}`
  if (before.length === 0) {
    return qtype === RrType.srv
      ? Object.values(service.ports).map((p) => srv(p, own))
      : service.addresses
  }
  const key = before.map((label) => label.replace(/^_/, '')).join('.')
  if (before.length === 1) {
    const endpoint = Object.entries(service.endpoints ?? {}).find(([host]) => host === key)?.[1]
    return endpoint === undefined ? nxdomain : [endpoint]
  }
  const port = Object.entries(service.ports).find(([name]) => name === key)?.[1]
  if (port === undefined) return nxdomain
  return qtype === RrType.srv ? [srv(port, own)] : service.addresses
}

/** `pods insecure`: any dashed IPv4 address in a namespace that exists. */
function podAddress(labels: readonly string[]): Found {
  const dashed = labels.length > 4 ? '' : (labels.at(-2) ?? '')
  const octets = dashed.split('-')
  const isAddress =
    octets.length === 4 && octets.every((o) => /^\d{1,3}$/.test(o) && Number(o) < 256)
  return isAddress ? [a(octets.join('.'))] : nxdomain
}

function byAddress(qname: string): Found {
  const suffix = '.in-addr.arpa'
  if (!qname.endsWith(suffix)) return nxdomain
  const wanted = a(qname.slice(0, -suffix.length).split('.').reverse().join('.')).data.join('.')
  for (const [namespace, services] of Object.entries(namespaces)) {
    for (const [name, { addresses, endpoints }] of Object.entries(services)) {
      const own = endpoints === undefined ? addresses.map((each) => ['', each] as const) : []
      const pods = Object.entries(endpoints ?? {}).map(
        ([host, each]) => [`${host}.`, each] as const,
      )
      for (const [host, { data }] of [...own, ...pods]) {
        if (data.join('.') === wanted) return [ptr(`${host}${name}.${namespace}${svcSuffix}`)]
      }
    }
  }
  return nxdomain
}

/** The serial is the time of the last change that the plugin saw; here nothing changes. */
function zoneSoa(minimumSeconds: number): TypedData {
  const times = [7200, 1800, 86_400, minimumSeconds] as const
  return soa(`ns.dns.${demoDomain}`, `hostmaster.${demoDomain}`, 1_764_000_000, times)
}
