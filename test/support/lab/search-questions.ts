/**
 * Questions for the search path: what search lists make of outside and inside names, existing names with something wrong
 * about them, and names of no sense at all, beside a share of cluster-questions.ts. Drawn by seed from a world, so that a
 * failure can be repeated.
 */
import { Random } from '../../fuzz/random.ts'
import { clusterQuestions } from '../client/cluster-questions.ts'
import type { TypeName } from '../client/dns-message.ts'
import type { KubeWorld } from '../world/kube-world.ts'

export interface SearchQuestion {
  readonly name: string
  readonly type: TypeName
}

const zone = 'cluster.local'
const judged = ['A', 'AAAA', 'HTTPS', 'SVCB', 'SRV', 'MX', 'CNAME'] as const
const others = ['TXT', 'SOA', 'NS', 'PTR', 'DS', 'ANY', 'NAPTR'] as const

/** At least `count` questions, no two alike; A and AAAA of a name mostly one after the other. */
export function searchQuestions(world: KubeWorld, count: number, seed: number): SearchQuestion[] {
  const random = new Random(seed)
  const unique = new Map<string, SearchQuestion>()
  const add = (question: SearchQuestion) =>
    unique.set(`${question.name} ${question.type}`, question)
  const known = clusterQuestions(world)
  const ofKnown = Math.min(known.length, Math.floor(count / 3))
  const from = random.below(known.length)
  // A stride that shares no factor with the length visits each question once.
  const stride = strideFor(known.length)
  for (let i = 0; i < ofKnown; i++) {
    const question = known[(from + i * stride) % known.length]
    if (question !== undefined) add(question)
  }
  while (unique.size < count) {
    for (const question of withTypes(madeUp(world, random), random)) add(question)
  }
  return [...unique.values()]
}

function strideFor(length: number): number {
  for (let stride = 7919; ; stride += 2) if (gcd(stride, length) === 1) return stride
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

function withTypes(name: string, random: Random): SearchQuestion[] {
  const cased = random.below(5) === 0 ? oddCase(name) : name
  const pair: SearchQuestion[] = [
    { name: cased, type: 'A' },
    { name: cased, type: 'AAAA' },
  ]
  // Clients may ask in either order.
  if (random.below(4) === 0) pair.reverse()
  if (random.below(3) === 0) pair.push({ name: cased, type: random.pick(judged) })
  if (random.below(6) === 0) pair.push({ name: cased, type: random.pick(others) })
  return pair
}

function madeUp(world: KubeWorld, random: Random): string {
  const shapes = [
    expansion,
    expansion,
    expansion,
    inside,
    nearMiss,
    nearMiss,
    belowService,
    podName,
  ]
  const shape = random.below(12) === 0 ? nonsense : random.pick(shapes)
  const name = shape(world, random)
  return wireBytes(name) <= 255 ? name : `toolong.${zone}`
}

const hosts = [
  'www',
  'api',
  'mail',
  'cdn',
  'sts',
  'eu-west-1',
  'db',
  'x',
  '_dmarc',
  's3',
  'svc',
  'a',
]
const domains = ['ksyun', 'example', 'amazonaws', 'google', 'team-1', 'http', 'tcp', 'pod', 'corp']
const tlds = [
  'com',
  'net',
  'org',
  'io',
  'de',
  'dev',
  'internal',
  'local',
  'svc',
  'test',
  'tcp',
  '_tcp',
]

function expansion(world: KubeWorld, random: Random): string {
  return `${outside(random)}.${search(world, random)}`
}

/** A host name with one to five labels, often never seen before. */
function outside(random: Random): string {
  const labels = [random.pick(tlds)]
  const depth = 1 + random.below(5)
  if (depth > 1) labels.unshift(fresh(random.pick(domains), random))
  while (labels.length < depth) labels.unshift(fresh(random.pick(hosts), random))
  return labels.join('.')
}

function fresh(label: string, random: Random): string {
  return random.below(2) === 0 ? `${label}${random.below(1000)}` : label
}

function search(world: KubeWorld, random: Random): string {
  const kind = random.below(6)
  if (kind === 0) return zone
  if (kind === 1) return `svc.${zone}`
  return `${random.pick(world.namespaces)}.svc.${zone}`
}

/** What a program calls a Service, at each length, behind each search domain. */
function inside(world: KubeWorld, random: Random): string {
  const { name, namespace } = random.pick(world.services)
  const written = [
    name,
    `${name}.${namespace}`,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}.svc.${zone}`,
    `_http._tcp.${name}.${namespace}.svc`,
    `_http._tcp.${name}.${namespace}.svc.${zone}`,
  ]
  return `${random.pick(written)}.${search(world, random)}`
}

/** A name that exists, with one label changed, gone, doubled or put in. */
function nearMiss(world: KubeWorld, random: Random): string {
  const { name, namespace, endpointLabels } = random.pick(world.services)
  const prefixes = [
    '',
    '_http._tcp.',
    '_dns._udp.',
    'http.tcp.',
    '_._tcp.',
    `${endpointLabels[0]}.`,
  ]
  const labels = `${random.pick(prefixes)}${name}.${namespace}.svc`.split('.')
  const at = random.below(labels.length)
  const strange = [
    'nosuch',
    'svc',
    'pod',
    'dns',
    '_tcp',
    '_zone',
    'any',
    '*',
    'a\\.b',
    '_',
    'tcp',
    '_sctp',
  ]
  const label = labels[at] ?? 'x'
  const changes = [[random.pick(strange)], [], [label, label], [random.pick(strange), label]]
  labels.splice(at, 1, ...random.pick(changes))
  return [...labels, zone].join('.')
}

function belowService(world: KubeWorld, random: Random): string {
  const { name, namespace, endpointLabels } = random.pick(world.services)
  const zonal = [`us-1a.pin._zone`, `us-1a.prefer._zone`, `a.b.pin._zone`, `x._zone`, '_zone']
  const ports = [
    '_http._tcp',
    '_https._tcp',
    '_dns._udp',
    '_http._sctp',
    '_._',
    '_._udp',
    '__http._tcp',
  ]
  const endpoints = [...endpointLabels, 'web-0', '10-0-0-1', 'nosuch']
  const below = [
    ...zonal,
    ...ports,
    ...endpoints,
    `${random.pick(endpoints)}.${random.pick(ports)}`,
  ]
  return `${random.pick(below)}.${name}.${namespace}.svc.${zone}`
}

function podName(world: KubeWorld, random: Random): string {
  const octet = () => random.below(260)
  const { address } = random.pick(world.podAddresses)
  const addresses = [
    address.replaceAll('.', '-'),
    `${octet()}-${octet()}-${octet()}-${octet()}`,
    'fd00--1',
    '--1',
    '--',
    '-',
    '1-2-3-4-5-6-7-8',
    '1-2-3-4-5',
    'a-b-c-d',
    'web-0',
    'deadbeef',
    '*',
  ]
  const namespace = random.pick([...world.namespaces, 'nosuch', 'svc'])
  const left = random.pick(['', '', 'x.', 'x.y.', 'x.y.z.', 'us-1a.pin._zone.'])
  return `${left}${random.pick(addresses)}.${namespace}.pod.${zone}`
}

/** Labels of any octets, any number of them, with the words that mean something strewn in. */
function nonsense(_world: KubeWorld, random: Random): string {
  const words = ['svc', 'pod', 'dns', 'ns', 'default', 'kubernetes', '_tcp', '_zone', 'dns-version']
  const labels = Array.from({ length: 1 + random.below(8) }, () =>
    random.below(2) === 0 ? random.pick(words) : randomLabel(random),
  )
  return [...labels, zone].join('.')
}

function randomLabel(random: Random): string {
  const length = random.below(8) === 0 ? 63 : 1 + random.below(6)
  return Array.from({ length }, () => escapedOctet(random.below(256))).join('')
}

function escapedOctet(octet: number): string {
  const plain = String.fromCharCode(octet)
  return /[a-z0-9-]/.test(plain) ? plain : `\\${String(octet).padStart(3, '0')}`
}

function wireBytes(name: string): number {
  const labels = name.replaceAll(/\\(\d{3}|.)/g, 'x').split('.')
  return labels.reduce((sum, label) => sum + label.length + 1, 1)
}

/** Letters only: escapes are octets by number. */
function oddCase(name: string): string {
  return [...name].map((char, at) => (at % 2 === 0 ? char.toUpperCase() : char)).join('')
}
