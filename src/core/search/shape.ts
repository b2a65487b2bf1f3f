/**
 * What a name's shape alone says about its existence in a cluster zone. CoreDNS's kubernetes plugin answers names of a few shapes
 * only (`<svc>.<ns>.svc.Z` and below, `<ip>.<ns>.pod.Z`, a few fixed ones); what a search list makes of an outside name mostly
 * has none of them. The rules are those of the plugin's `parseRequest`, checked against real CoreDNS by
 * test/real/search-conformance. Labels are compared as wire labels, in lower case.
 */
import { u8 } from '../../wire/bytes.ts'

/** How a name may be judged. Numbers: this runs for each query. */
export const ShapeKind = {
  /** Outside the zone: not judged. */
  outside: 0,
  /** Only CoreDNS knows, and nothing above the name denies it. */
  forward: 1,
  /** Nothing of this shape exists, whatever the cluster holds. */
  impossible: 2,
  /** Exists only if its namespace exists. */
  needsNamespace: 3,
  /** Exists only if its Service, and so its namespace, exists. */
  needsService: 4,
} as const
export type ShapeKind = (typeof ShapeKind)[keyof typeof ShapeKind]

/** A cluster zone, with the features that widen what may exist in it. */
export interface ClusterZone {
  /** Folded wire form, `cluster.local`. */
  readonly name: Uint8Array
  /** `multicluster` for this zone: two plain labels left of a Service are endpoint and cluster. */
  readonly multicluster: boolean
}

/** Result of `readShape`; rewritten by each call. */
export class Shape {
  kind: ShapeKind = ShapeKind.outside
  /** Offset in the name of `<ns>.svc.Z` or `<ns>.pod.Z`; -1 when the shape has no such ancestor. */
  namespaceAt = -1
  /** Offset of `<svc>.<ns>.svc.Z`; -1 when the shape has no such ancestor. */
  serviceAt = -1
  /** Offset of `<x>.Z` where that is neither of `svc`, `pod`, `dns`, `dns-version`; else -1. */
  topAt = -1
  /** Labels between the name and the zone. */
  labels = 0
}

/** A name of 255 bytes has no more labels than this. */
const labelsMax = 128
/** Offsets of the labels left of the zone, leftmost first. */
const offsets = new Uint8Array(labelsMax)

/**
 * @param name folded wire form
 * @param into overwritten
 */
export function readShape(
  name: Uint8Array,
  nameBytes: number,
  zone: ClusterZone,
  into: Shape,
): ShapeKind {
  into.namespaceAt = -1
  into.serviceAt = -1
  into.topAt = -1
  into.labels = countLabels(name, nameBytes, zone.name)
  into.kind = into.labels < 0 ? ShapeKind.outside : judge(name, zone, into)
  return into.kind
}

/**
 * Counts the labels left of the zone, and puts their offsets in `offsets`.
 * @returns -1 when the name is not in the zone
 */
function countLabels(name: Uint8Array, nameBytes: number, zone: Uint8Array): number {
  const zoneAt = nameBytes - zone.length
  if (zoneAt < 0) return -1
  // From the end: `com` differs from `local` at the first byte compared.
  for (let i = zone.length - 2; i >= 0; i--) {
    if (name[zoneAt + i] !== zone[i]) return -1
  }
  let count = 0
  let at = 0
  for (; at < zoneAt; at += u8(name, at) + 1) offsets[count++] = at
  // The zone's bytes may stand inside a longer label.
  return at === zoneAt ? count : -1
}

function judge(name: Uint8Array, zone: ClusterZone, into: Shape): ShapeKind {
  const n = into.labels
  if (n === 0) return ShapeKind.forward
  const top = at(n, 0)
  if (isLabel(name, top, svcLabel)) return judgeService(name, zone, into)
  if (isLabel(name, top, podLabel)) return judgePod(name, into)
  // `ns.dns.Z` has data below `dns.Z`, which has none; `dns-version.Z` has data for TXT only.
  if (isLabel(name, top, dnsLabel)) return ShapeKind.forward
  if (n === 1 && isLabel(name, top, dnsVersionLabel)) return ShapeKind.forward
  into.topAt = top
  return ShapeKind.impossible
}

function judgeService(name: Uint8Array, zone: ClusterZone, into: Shape): ShapeKind {
  const n = into.labels
  if (n === 1) return ShapeKind.forward
  into.namespaceAt = at(n, 1)
  if (n === 2) return ShapeKind.needsNamespace
  into.serviceAt = at(n, 2)
  const left = n - 3
  if (left <= 1) return ShapeKind.needsService
  const nearest = at(n, 3)
  // Zonal names (CoreDNS 1.14.7 `zonal`) exist below Services that do not; any depth.
  if (isLabel(name, nearest, zoneLabel)) return forwardOnly(into)
  if (left >= 3) return ShapeKind.impossible
  const isPlain = zone.multicluster && !startsWithUnderscore(name, nearest)
  if (isPlain && !startsWithUnderscore(name, at(n, 4))) return ShapeKind.needsService
  return mayBeProtocol(name, nearest) ? ShapeKind.needsService : ShapeKind.impossible
}

function forwardOnly(into: Shape): ShapeKind {
  into.serviceAt = -1
  into.namespaceAt = -1
  return ShapeKind.forward
}

function judgePod(name: Uint8Array, into: Shape): ShapeKind {
  const n = into.labels
  if (n === 1) return ShapeKind.forward
  into.namespaceAt = at(n, 1)
  if (n === 2) return ShapeKind.needsNamespace
  // CoreDNS ignores up to two labels left of the address, but not three.
  if (n - 3 >= 3 || !mayBeAddress(name, at(n, 2))) return ShapeKind.impossible
  return ShapeKind.needsNamespace
}

/** Offset of the label that is `index` labels left of the zone, counted from 0. */
function at(labels: number, index: number): number {
  return offsets[labels - 1 - index] as number
}

function label(text: string): Uint8Array {
  return Uint8Array.of(text.length, ...Buffer.from(text, 'latin1'))
}

const svcLabel = label('svc')
const podLabel = label('pod')
const dnsLabel = label('dns')
const dnsVersionLabel = label('dns-version')
const zoneLabel = label('_zone')
/**
 * Labels that may stand next to a Service when two labels do: a protocol of Kubernetes with or without an underscore, a bare
 * underscore (any protocol), or the wildcards of CoreDNS before 1.9.
 */
const protocolLabels = [
  'tcp',
  'udp',
  'sctp',
  '_tcp',
  '_udp',
  '_sctp',
  '_',
  '*',
  'any',
  '_*',
  '_any',
].map(label)

function isLabel(name: Uint8Array, from: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) {
    if (name[from + i] !== wanted[i]) return false
  }
  return true
}

function mayBeProtocol(name: Uint8Array, from: number): boolean {
  for (const wanted of protocolLabels) if (isLabel(name, from, wanted)) return true
  return false
}

const underscore = 0x5f
const dash = 0x2d

function startsWithUnderscore(name: Uint8Array, from: number): boolean {
  return name[from + 1] === underscore
}

/** A pod's address with dashes: hexadecimal digits and at least one dash. */
function mayBeAddress(name: Uint8Array, from: number): boolean {
  const end = from + 1 + u8(name, from)
  let dashes = 0
  for (let i = from + 1; i < end; i++) {
    const octet = u8(name, i)
    const isDigit = octet >= 0x30 && octet <= 0x39
    const isHex = octet >= 0x61 && octet <= 0x66
    if (octet === dash) dashes += 1
    else if (!isDigit && !isHex) return false
  }
  return dashes > 0
}
