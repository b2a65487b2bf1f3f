/**
 * The name that a client means when it asks for `<name>.<ns>.svc.Z`, if that is certainly none of the cluster's. It is asked
 * ahead of the client only when all three standard expansions are denied, so nothing leaves the cluster that the client would
 * not send out itself a moment later.
 */
import type { ClusterZone } from './search-shape.ts'

/** Top-level domains that outside names commonly end in; every one of two letters is a country's. */
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
 * @param name folded wire form, one character an octet
 * @param isDenied whether the cluster has no such name, by present knowledge
 * @returns the absolute name in the same form, or undefined
 */
export function absoluteName(
  name: string,
  { name: zoneOctets }: ClusterZone,
  isDenied: (expansion: string) => boolean,
): string | undefined {
  const zone = Buffer.from(zoneOctets).toString('latin1')
  const svcZone = `\x03svc${zone}`
  if (!name.endsWith(svcZone)) return undefined
  const labels = splitLabels(name.slice(0, name.length - svcZone.length))
  // The last of them is the client's namespace.
  const meant = labels.slice(0, -1)
  const tld = meant.at(-1)
  if (meant.length < 2 || tld === undefined || !isPublic(tld.slice(1))) return undefined
  const relative = meant.join('')
  return isDenied(`${relative}${svcZone}`) && isDenied(`${relative}${zone}`)
    ? `${relative}\0`
    : undefined
}

function isPublic(tld: string): boolean {
  return /^[a-z]{2}$/.test(tld) || genericTlds.has(tld)
}

/** Each with its length octet. */
function splitLabels(octets: string): string[] {
  const labels: string[] = []
  for (let at = 0; at < octets.length; ) {
    const end = at + 1 + octets.charCodeAt(at)
    labels.push(octets.slice(at, end))
    at = end
  }
  return labels
}
