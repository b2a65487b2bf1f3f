/**
 * What pods ask, as lines for dnsperf: cluster names that exist, names that come only once, and the chains of a search list
 * with `ndots:5`. The same seed gives the same lines.
 */
import type { KubeWorld, ServiceFacts } from '../../test/support/kube-world.ts'

const searchTail = ['svc.cluster.local', 'cluster.local']

/** Number of names outside the cluster in the mixed traffic. */
const externalNames = 500

/** `count` names that have an address: Services of all kinds, then their endpoints and pods. */
export function knownNames(world: KubeWorld, count: number): string[] {
  const services = world.services
    .filter(({ v4 }) => v4.length > 0)
    .map(({ namespace, name }) => `${name}.${namespace}.svc.cluster.local`)
  const pods = world.podAddresses.map(
    ({ namespace, address }) => `${address.replaceAll('.', '-')}.${namespace}.pod.cluster.local`,
  )
  const names = [...services, ...pods].slice(0, count)
  if (names.length < count) throw new Error(`the world has ${names.length} names, not ${count}`)
  return names.map((name) => `${name} A`)
}

/** `count` questions for names that no other call with another `from` has: half exist, half do not. */
export function uniqueNames(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const number = from + i
    const octets = [number >> 16, number >> 8, number].map((part) => part & 255).join('-')
    return number % 2 === 0
      ? `10-${octets}.team-1.pod.cluster.local A`
      : `no-${octets}.team-1.svc.cluster.local A`
  })
}

/**
 * Look-ups of pods, about `count` questions: each name goes through the search list as glibc does it, A and AAAA together,
 * and stops where something is found. Six in ten are Services of the pod's own namespace, two in ten of
 * another one, two in ten names outside; some are asked far more often than others (Zipf).
 */
export function podTraffic(world: KubeWorld, count: number, seed: number): string[] {
  const random = generator(seed)
  const services = world.services.filter(({ v4, kind }) => v4.length > 0 && !kind.startsWith('ext'))
  const pickService = zipf(services, random)
  const pickExternal = zipf(
    Array.from({ length: externalNames }, (_, i) => `www-${i}.example.test`),
    random,
  )
  const namespaces = [...new Set(services.map(({ namespace }) => namespace))]
  const lines: string[] = []
  while (lines.length < count) {
    const draw = random()
    const service = pickService()
    if (draw < 0.6) lines.push(...chain(service.name, service.namespace, service))
    else if (draw < 0.8) {
      const own = namespaces[Math.floor(random() * namespaces.length)] ?? 'default'
      lines.push(...chain(`${service.name}.${service.namespace}`, own, service))
    } else lines.push(...chain(pickExternal(), service.namespace))
  }
  return lines
}

/** All names that a resolver tries for `name`, up to the one that exists. */
function chain(name: string, podNamespace: string, service?: ServiceFacts): string[] {
  const target = service && `${service.name}.${service.namespace}.svc.cluster.local`
  const candidates = [
    `${name}.${podNamespace}.svc.cluster.local`,
    ...searchTail.map((suffix) => `${name}.${suffix}`),
    name,
  ]
  const found = target === undefined ? candidates.length - 1 : candidates.indexOf(target)
  return candidates.slice(0, found + 1).flatMap((tried) => [`${tried} A`, `${tried} AAAA`])
}

/** Draws the n-th item with a probability in proportion to 1/n. */
function zipf<T>(items: readonly T[], random: () => number): () => T {
  const sums: number[] = []
  let sum = 0
  for (let n = 1; n <= items.length; n++) {
    sum += 1 / n
    sums.push(sum)
  }
  return () => {
    const draw = random() * sum
    const index = sums.findIndex((upTo) => draw < upTo)
    return items[Math.max(0, index)] as T
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
