/** What is known of a cluster zone's search path: shared by learning and judging. Does neither itself. */
import { RrType } from '../../wire/constants.ts'
import type { SoaRecord } from '../../wire/reply.ts'
import { SearchAudit } from './audit.ts'
import { CutTable } from './cuts.ts'
import type { ClusterZone, Shape } from './shape.ts'
import { SearchTrust, type TrustLevel } from './trust.ts'

export interface SearchPathSettings {
  readonly zone: ClusterZone
  readonly trust: TrustLevel
  /** Folded names; everything at and below them is asked. */
  readonly carveOuts: readonly Uint8Array[]
  /** One synthesised denial in this many is checked; 0 checks first uses only. */
  readonly auditOneIn: number
}

/** Types that share a name's existence in the kubernetes plugin (SP-1). */
export const judgedTypes: ReadonlySet<number> = new Set([
  RrType.a,
  RrType.aaaa,
  RrType.cname,
  RrType.mx,
  RrType.srv,
  RrType.svcb,
  RrType.https,
])

export class SearchKnowledge {
  readonly zone: ClusterZone
  readonly trust: SearchTrust
  readonly audit: SearchAudit
  readonly cuts = new CutTable()
  readonly stats = { structure: 0, cut: 0, probes: 0, learned: 0, killed: 0 }
  /** The SOA for our own denials: the last that CoreDNS gave. */
  soa: SoaRecord | undefined

  constructor({ zone, trust, carveOuts, auditOneIn }: SearchPathSettings) {
    this.zone = zone
    this.trust = new SearchTrust(trust, carveOuts)
    this.audit = new SearchAudit(auditOneIn)
  }
}

/**
 * Offsets of the ancestors (or the name itself) that can be cut points, widest first: the widest valid cut saves most questions,
 * so it is the one to answer from and to keep fresh.
 */
export function cutPoints({ serviceAt, namespaceAt, topAt }: Shape): number[] {
  if (topAt >= 0) return [topAt]
  if (serviceAt >= 0) return [namespaceAt, serviceAt]
  return namespaceAt >= 0 ? [namespaceAt] : []
}

/** Names the structural rule that an impossible shape falls under. */
export function ruleOf({ topAt, serviceAt, labels }: Shape): string {
  if (topAt >= 0) return 'nothing but svc and pod below the zone'
  if (serviceAt < 0) return 'not the address of a pod'
  return labels - 3 === 2 ? 'no protocol next to the service' : 'too deep below a service'
}

/**
 * The subject of an impossible shape: a Corefile may break a rule in one part of the zone only, so the rule is checked anew in
 * each part.
 */
export function ruleSubject(shape: Shape, name: Buffer, nameBytes: number): string {
  const part = wireText(name, cutPoints(shape).at(-1) ?? 0, nameBytes)
  return `${ruleOf(shape)} ${part}`
}

/** A name's bytes from one label on, as a string of one character a byte. */
export function wireText(name: Buffer, at: number, nameBytes: number): string {
  return name.toString('latin1', at, nameBytes)
}
