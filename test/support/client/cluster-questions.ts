/**
 * Questions about a made-up cluster: every shape of name that a Kubernetes zone knows or refuses, with the types that
 * are asked of it in practice and those that CoreDNS answers oddly. Shapes follow the specification (kubernetes/dns,
 * docs/specification.md) and the behaviour of CoreDNS's kubernetes plugin. The same world gives the same questions.
 */

import type { KubeWorld, ServiceFacts } from '../world/kube-world.ts'
import type { TypeName } from './dns-message.ts'

export interface ClusterQuestion {
  readonly name: string
  readonly type: TypeName
}

const zone = 'cluster.local'

export function clusterQuestions(world: KubeWorld): ClusterQuestion[] {
  const all = [
    ...zoneQuestions(),
    ...world.namespaces.flatMap(namespaceQuestions),
    ...world.services.flatMap(serviceQuestions),
    ...world.podAddresses.flatMap(podQuestions),
    ...world.services.flatMap((service) =>
      [...service.v4, ...service.v6].flatMap(reverseQuestions),
    ),
    ...searchPathQuestions(world.namespaces),
    ...strangeQuestions(),
  ]
  return unique(all).map(oddCase)
}

/** One name with several types, in this order: TXT and AAAA come first because a cache that takes their NXDOMAIN for the whole name answers the A wrongly. */
function each(name: string, types: readonly TypeName[]): ClusterQuestion[] {
  return types.map((type) => ({ name, type }))
}

const usual = ['AAAA', 'A', 'SRV'] as const
const everything = ['TXT', 'AAAA', 'HTTPS', 'A', 'SRV', 'MX', 'NS', 'SOA', 'CNAME', 'PTR'] as const

function zoneQuestions(): ClusterQuestion[] {
  const names = [
    '',
    'svc.',
    'pod.',
    'dns.',
    'ns.dns.',
    'dns-version.',
    'x.dns-version.',
    'nosuch.',
    'svc.nosuch.',
  ]
  return names.flatMap((name) => each(`${name}${zone}`, everything))
}

function namespaceQuestions(namespace: string): ClusterQuestion[] {
  return [
    ...each(`${namespace}.svc.${zone}`, everything),
    ...each(`${namespace}.pod.${zone}`, everything),
    ...each(`nosuch.${namespace}.svc.${zone}`, everything),
    ...each(`*.${namespace}.svc.${zone}`, usual),
    ...each(`any.${namespace}.svc.${zone}`, usual),
  ]
}

function serviceQuestions(service: ServiceFacts): ClusterQuestion[] {
  const name = `${service.name}.${service.namespace}.svc.${zone}`
  const ports = [
    '_http._tcp',
    '_dns._udp',
    '_nosuch._tcp',
    'http.tcp',
    '_._tcp',
    '_._',
    '_http._udp',
    '_https._tcp',
  ]
  const below = ['_tcp', 'nosuch', 'a.b', 'a.b.c', 'www._http._tcp', 'us-1a.pin._zone']
  return [
    ...each(name, everything),
    ...ports.flatMap((port) => each(`${port}.${name}`, ['SRV', 'A'])),
    ...below.flatMap((label) => each(`${label}.${name}`, ['AAAA', 'A', 'TXT'])),
    ...service.endpointLabels.flatMap((label) => each(`${label}.${name}`, [...usual, 'TXT'])),
  ]
}

function podQuestions({
  namespace,
  address,
}: {
  namespace: string
  address: string
}): ClusterQuestion[] {
  const label = address.replaceAll('.', '-')
  const labels = [
    label,
    `x.${label}`,
    `x.y.${label}`,
    `x.y.z.${label}`,
    'fd00--1',
    '1-2-3',
    '300-1-1-1',
    'com',
  ]
  const inNamespace = labels.flatMap((each_) => each(`${each_}.${namespace}.pod.${zone}`, usual))
  return [...inNamespace, ...each(`${label}.nosuch.pod.${zone}`, usual)]
}

function reverseQuestions(address: string): ClusterQuestion[] {
  const name = reverseName(address)
  return [
    ...each(name, ['PTR', 'A']),
    ...each(name.slice(name.indexOf('.') + 1), ['PTR']),
    ...each(`x.${name}`, ['PTR']),
  ]
}

/** What a search list of a pod makes of names that are not in the cluster. */
function searchPathQuestions(namespaces: readonly string[]): ClusterQuestion[] {
  const outside = [
    'ksyun.com',
    'www.ksyun.com',
    'www.tcp.com',
    'a.b.c.com',
    'sts.eu-west-1.amazonaws.com',
    'localhost',
  ]
  const inside = [
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'kubernetes.default',
  ]
  const searches = [
    ...namespaces.map((namespace) => `${namespace}.svc.${zone}`),
    `svc.${zone}`,
    zone,
  ]
  return [...outside, ...inside].flatMap((name) =>
    searches.flatMap((search) => each(`${name}.${search}`, ['AAAA', 'A'])),
  )
}

function strangeQuestions(): ClusterQuestion[] {
  const label63 = 'a'.repeat(63)
  const names = [
    `a\\.svc.${zone}`,
    `kubernetes\\.default.svc.${zone}`,
    `a\\000b.default.svc.${zone}`,
    `a\\255b.default.svc.${zone}`,
    `sp\\032ace.default.svc.${zone}`,
    `under_score.default.svc.${zone}`,
    `-dash.default.svc.${zone}`,
    `xn--bcher-kva.default.svc.${zone}`,
    `${label63}.default.svc.${zone}`,
    `${label63}.${label63}.${label63}.default.svc.${zone}`,
    `${'a.'.repeat(100)}svc.${zone}`,
    `10.96.0.1.svc.${zone}`,
    `svc.svc.${zone}`,
    `svc.svc.svc.svc.${zone}`,
    `pod.svc.${zone}`,
    `xcluster.local.${zone}`,
  ]
  return names.flatMap((name) => each(name, usual))
}

export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`
  const [head = '', tail = ''] = address.split('::')
  const front = head.split(':').filter((group) => group !== '')
  const back = tail.split(':').filter((group) => group !== '')
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0')
  const groups = address.includes('::') ? [...front, ...zeros, ...back] : front
  const digits = groups.map((group) => group.padStart(4, '0')).join('')
  return `${[...digits].toReversed().join('.')}.ip6.arpa`
}

function unique(questions: readonly ClusterQuestion[]): ClusterQuestion[] {
  return [
    ...new Map(
      questions.map((question) => [`${question.name} ${question.type}`, question]),
    ).values(),
  ]
}

/** Every third name in mixed case, as resolvers with 0x20 and sloppy programs send it. Escapes have no letters. */
function oddCase(question: ClusterQuestion, index: number): ClusterQuestion {
  if (index % 3 !== 0) return question
  const name = [...question.name]
    .map((char, at) => ((at + index) % 2 === 0 ? char.toUpperCase() : char))
    .join('')
  return { ...question, name }
}
