/**
 * What pods ask: cluster names that exist, names that come only once, and the chains of a search list with `ndots:5`. Which names
 * exist is programs/truth.h's. The same seed gives the same questions.
 */
import { writeFileSync } from 'node:fs'
import { writeQuery } from '../../test/support/client/dns-message.ts'

export interface Asked {
  readonly name: string
  readonly type: 'A' | 'AAAA'
}

const namespaces = 100
const servicesPerNamespace = 10
/** Number of names outside the cluster in the mixed traffic. */
const externalNames = 500
const growingQuestions = 90_000
const uniqueOneIn = 10
const searchTail = ['svc.cluster.local', 'cluster.local']

/** `count` names of Services, all different, all with an address. */
export function knownNames(count: number): Asked[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${service(i)}.team-${i % namespaces}.svc.cluster.local`,
    type: 'A',
  }))
}

/** Two questions whose names the load generator makes new each time: one exists, one does not. */
export function uniqueNames(): Asked[] {
  return ['u00000000', 'no-u00000000'].map((label) => ({
    name: `${label}.team-1.svc.cluster.local`,
    type: 'A',
  }))
}

/**
 * Questions whose names the load generator makes new each time, in and outside the cluster: half have an address, a third do not exist, a
 * sixth have up to 250 addresses.
 */
export function floodNames(): Asked[] {
  const zones = ['team-1.svc.cluster.local', 'flood.test']
  const labels = [
    'u00000000',
    'no-u00000000',
    'u00000000',
    'many-u00000000',
    'no-u00000000',
    'u00000000',
  ]
  return labels.map((label, at) => {
    const zone = label.startsWith('many') ? zones[0] : zones[at % 2]
    return { name: `${label}.${zone}`, type: 'A' }
  })
}

/**
 * Look-ups of pods, about `count` questions: each name goes through the search list as glibc does it, A and AAAA together,
 * and stops where something is found. Six in ten are Services of the pod's own namespace, two in ten of
 * another one, two in ten names outside; some are asked far more often than others (Zipf).
 */
export function podTraffic(count: number, seed: number): Asked[] {
  const random = generator(seed)
  const pickService = zipf(namespaces * servicesPerNamespace, random)
  const pickExternal = zipf(externalNames, random)
  const asked: Asked[] = []
  while (asked.length < count) {
    const draw = random()
    const number = pickService()
    const name = service(number)
    const own = `team-${number % namespaces}`
    const other = `team-${Math.floor(random() * namespaces)}`
    const target = `${name}.${own}.svc.cluster.local`
    if (draw < 0.6) asked.push(...chain(name, own, target))
    else if (draw < 0.8) asked.push(...chain(`${name}.${own}`, other, target))
    else asked.push(...chain(`www-${pickExternal()}.outside.bench`, own))
  }
  return asked
}

/** Look-ups of pods, of which one in ten is for a name that the load generator makes new each time. */
export function growingPodTraffic(): Asked[] {
  const [first, second] = uniqueNames()
  return podTraffic(growingQuestions, 1).flatMap((each, at) => {
    const unique = at % (2 * uniqueOneIn) === 0 ? first : second
    return at % (uniqueOneIn - 1) === 0 && unique ? [each, unique] : [each]
  })
}

/**
 * A file for the load generator.
 * @param ednsOneIn every so manieth query has an OPT record, as c-ares, Go and systemd-resolved send it; 0 for none, as glibc
 */
export function writeQueries(file: string, asked: readonly Asked[], ednsOneIn = 0): void {
  const records = asked.flatMap(({ name, type }, at) => {
    const hasEdns = ednsOneIn > 0 && at % ednsOneIn === 0
    const query = writeQuery(name, type, hasEdns ? { ednsBytes: 1232 } : {})
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    return [length, query]
  })
  writeFileSync(file, Buffer.concat(records))
}

/** All names that a resolver tries for `name`, up to the one that exists. */
function chain(name: string, podNamespace: string, target?: string): Asked[] {
  const candidates = [
    `${name}.${podNamespace}.svc.cluster.local`,
    ...searchTail.map((suffix) => `${name}.${suffix}`),
    name,
  ]
  const found = target === undefined ? candidates.length - 1 : candidates.indexOf(target)
  return candidates.slice(0, found + 1).flatMap((tried) => [
    { name: tried, type: 'A' },
    { name: tried, type: 'AAAA' },
  ])
}

function service(number: number): string {
  return `service-${number}`
}

/** Draws a number below `count`, the n-th with a probability in proportion to 1/n. */
function zipf(count: number, random: () => number): () => number {
  const sums: number[] = []
  let sum = 0
  for (let n = 1; n <= count; n++) {
    sum += 1 / n
    sums.push(sum)
  }
  return () => {
    const draw = random() * sum
    return sums.findIndex((upTo) => draw < upTo)
  }
}

/** Mulberry32: small, fast, good enough to shuffle names. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
