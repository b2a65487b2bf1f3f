/**
 * The absolute name that a client means when it asks for `<name>.<ns>.svc.Z`, if that is certainly not a cluster name. It is
 * asked ahead of the client only when all three standard expansions are denied, so nothing leaves the cluster that the client
 * would not send a moment later (SP-21).
 */
import type { ClusterZone } from './shape.ts'

/** Common top-level domains of outside names; every two-letter one belongs to a country. */
const genericTlds = new Set([
  'com',
  'net',
  'org',
  'info',
  'biz',
  'edu',
  'gov',
  'mil',
  'int',
  'io',
  'dev',
  'app',
  'cloud',
  'xyz',
  'online',
  'site',
  'tech',
  'store',
  'page',
  'run',
  'sh',
  'media',
  'systems',
  'network',
  'services',
  'digital',
  'tools',
  'software',
])

/**
 * @param name folded wire form, one character a byte
 * @param isDenied whether present knowledge denies a name of the cluster
 * @returns the absolute name in the same form, or undefined
 */
export function absoluteName(
  name: string,
  zone: ClusterZone,
  isDenied: (expansion: string) => boolean,
): string | undefined {
  const step = readFirstStep(name, zone)
  if (step === undefined || !isPublic(step)) return undefined
  const [svcZone, zoneName] = clusterSuffixes(zone)
  const relative = step.labels.join('')
  return isDenied(`${relative}${svcZone}`) && isDenied(`${relative}${zoneName}`)
    ? `${relative}\0`
    : undefined
}

/** A name read as the first step of a walk along a search list: `<labels>.<namespace>.svc.Z`. */
export interface FirstStep {
  /** Each with its length byte. */
  readonly labels: readonly string[]
  /** A label with its length byte. */
  readonly namespace: string
}

/** @param name folded wire form, one character a byte */
export function readFirstStep(name: string, zone: ClusterZone): FirstStep | undefined {
  const [svcZone] = clusterSuffixes(zone)
  if (!name.endsWith(svcZone)) return undefined
  const labels = splitLabels(name.slice(0, name.length - svcZone.length))
  const namespace = labels.pop()
  return namespace === undefined || labels.length === 0 ? undefined : { labels, namespace }
}

/** `svc.Z` and `Z`: the second and third domain of every pod's search list. */
export function clusterSuffixes({ name }: ClusterZone): readonly [string, string] {
  const zone = Buffer.from(name).toString('latin1')
  return [`\x03svc${zone}`, zone]
}

/** Whether the absolute name looks like a public one. */
export function isPublic({ labels }: FirstStep): boolean {
  const tld = labels.at(-1)?.slice(1) ?? ''
  return labels.length >= 2 && (/^[a-z]{2}$/.test(tld) || genericTlds.has(tld))
}

/** Each with its length byte. */
function splitLabels(octets: string): string[] {
  const labels: string[] = []
  for (let at = 0; at < octets.length; ) {
    const end = at + 1 + octets.charCodeAt(at)
    labels.push(octets.slice(at, end))
    at = end
  }
  return labels
}
