/**
 * Answers for what the search list makes of outside names: may this name of the cluster zone be denied without asking, and
 * on what evidence? The law is searchpath.md: structure where it is trusted, cuts learned from CoreDNS's own denials and at
 * most five seconds old, nothing on doubt. Pure; the questions it wants asked (probes, audits) are handed out as names.
 */

import { u8, u16 } from '../wire/bytes.ts'
import { Flag1, Rcode, RrType } from '../wire/constants.ts'
import type { Question } from '../wire/question.ts'
import type { SoaRecord } from '../wire/reply.ts'
import type { ResponseScan } from '../wire/scan.ts'
import { SearchAudit } from './search-audit.ts'
import { type Cut, CutTable, cutSecondsMax } from './search-cuts.ts'
import { type ClusterZone, readShape, Shape, ShapeKind } from './search-shape.ts'
import { SoaReader } from './search-soa.ts'
import { SearchTrust, type TrustLevel } from './search-trust.ts'

export interface SearchPathSettings {
  readonly zone: ClusterZone
  readonly trust: TrustLevel
  /** Folded names; at and below them everything is asked. */
  readonly carveOuts: readonly Uint8Array[]
  /** One in so many synthesised denials is checked; 0 checks first uses only. */
  readonly auditOneIn: number
  /** Cautious mode: how long CoreDNS's own denial of a name counts. */
  readonly confirmSeconds: number
}

/** On what a denial rests. */
export type Evidence = 'structure' | 'cut'

/** A denial that can be given now. Reused: valid until the next `judge`. */
export class Denial {
  evidence: Evidence = 'structure'
  /** The rule or the cut, for the audit and for people. */
  kind = ''
  /** Life that is left in the evidence, whole seconds. */
  ttlSeconds = 0
  /** The name as octets, one character each. */
  name = ''
  cut: Cut | undefined
}

/** Types that share a name's existence in the kubernetes plugin (searchpath 2.2); bit set by number, below 128. */
const judgedTypes = new Set<number>([
  RrType.a,
  RrType.aaaa,
  RrType.cname,
  RrType.mx,
  RrType.srv,
  RrType.svcb,
  RrType.https,
])

export class SearchPath {
  readonly trust: SearchTrust
  readonly audit: SearchAudit
  readonly stats = { structure: 0, cut: 0, probes: 0, learned: 0, killed: 0 }
  /** The SOA for denials of our own: the last that CoreDNS gave. */
  soa: SoaRecord | undefined
  readonly cuts = new CutTable()
  readonly zone: ClusterZone
  private readonly soaReader: SoaReader
  private readonly shape = new Shape()
  private readonly denial = new Denial()

  constructor(settings: SearchPathSettings) {
    this.zone = settings.zone
    this.trust = new SearchTrust(settings.trust, settings.carveOuts, settings.confirmSeconds)
    this.audit = new SearchAudit(settings.auditOneIn)
    this.soaReader = new SoaReader(settings.zone.name)
  }

  /** Whether the question is of a kind that may be denied without asking at all. */
  isJudged(question: Question): boolean {
    return judgedTypes.has(question.qtype) && !question.dnssecOk && !question.checkingDisabled
  }

  /**
   * @param name folded wire form, in the cluster zone or not
   * @returns a denial that is right as of now, or undefined: then CoreDNS has to be asked
   */
  judge(name: Uint8Array, nameBytes: number, nowMs: number): Denial | undefined {
    const kind = readShape(name, nameBytes, this.zone, this.shape)
    if (kind === ShapeKind.outside || kind === ShapeKind.forward) return undefined
    if (this.soa === undefined || this.trust.isCarvedOut(name, nameBytes)) return undefined
    const denial =
      kind === ShapeKind.impossible && this.trust.allowsStructure
        ? this.byStructure()
        : this.byCut(name, nameBytes, nowMs)
    if (denial === undefined || this.audit.isOpen(denial.kind, nowMs)) return undefined
    if (this.trust.level !== 'cautious') return denial
    denial.name = text(name, 0, nameBytes)
    return this.trust.isConfirmed(denial.name, nowMs) ? denial : undefined
  }

  /** Whether a name is denied by present knowledge. @param name folded wire form, one character an octet */
  isDenied(name: string, nowMs: number): boolean {
    const octets = Buffer.from(name, 'latin1')
    return this.judge(octets, octets.length, nowMs) !== undefined
  }

  /** Whether the name stands or falls with a namespace or Service that is not known to exist. */
  isDoubtful(name: Uint8Array, nameBytes: number, nowMs: number): boolean {
    const kind = readShape(name, nameBytes, this.zone, this.shape)
    if (kind === ShapeKind.outside || kind === ShapeKind.forward) return false
    const { serviceAt, namespaceAt } = this.shape
    const at = serviceAt >= 0 ? serviceAt : namespaceAt
    return at < 0 || this.cuts.get(text(name, at, nameBytes), nowMs)?.exists !== true
  }

  private byStructure(): Denial {
    const { denial } = this
    denial.evidence = 'structure'
    denial.kind = structureKind(this.shape)
    denial.ttlSeconds = cutSecondsMax
    denial.cut = undefined
    return denial
  }

  private byCut(name: Uint8Array, nameBytes: number, nowMs: number): Denial | undefined {
    for (const at of this.cutPoints()) {
      const cutName = text(name, at, nameBytes)
      const cut = this.cuts.get(cutName, nowMs)
      if (cut === undefined || cut.exists) continue
      const { denial } = this
      denial.evidence = 'cut'
      denial.kind = cutName
      denial.ttlSeconds = Math.floor((cut.expiresMs - nowMs) / 1000)
      denial.cut = cut
      cut.isUsed = true
      return denial
    }
    return undefined
  }

  /** Offsets of the ancestors (or the name itself) that can be cut points, nearest first. */
  private cutPoints(): number[] {
    const { serviceAt, namespaceAt, topAt } = this.shape
    return [serviceAt, namespaceAt, topAt].filter((at) => at >= 0)
  }

  /**
   * Learns from an answer that CoreDNS gave to a question of ours.
   * @param name folded wire form of the question's name
   */
  observe(name: Uint8Array, nameBytes: number, response: Observed, nowMs: number): Lesson {
    const kind = readShape(name, nameBytes, this.zone, this.shape)
    if (kind === ShapeKind.outside) return nothing
    if (response.scan.rcode === Rcode.noerror) {
      this.observeExistence(name, nameBytes, response, nowMs)
      return nothing
    }
    if (response.scan.rcode !== Rcode.nxdomain) return nothing
    return this.observeDenial(name, nameBytes, response, nowMs)
  }

  private observeExistence(
    name: Uint8Array,
    nameBytes: number,
    { reply, scan, lifeSeconds }: Observed,
    nowMs: number,
  ): void {
    const exists = judgedTypes.has(qtypeOf(reply, scan))
    // Something in front of the plugin makes names that its rules do not know: the rule is off.
    if (exists && this.shape.kind === ShapeKind.impossible) {
      this.audit.mismatch(structureKind(this.shape), nowMs)
    }
    this.trust.refute(text(name, 0, nameBytes))
    for (const at of this.cutPoints()) {
      const cutName = text(name, at, nameBytes)
      if (this.cuts.get(cutName, nowMs)?.exists === false) this.stats.killed += 1
      // SOA and TXT have data rules of their own (searchpath 0.5, 0.6): they end a cut, but prove nothing.
      if (exists) this.cuts.learn(cutName, true, Math.max(1, lifeSeconds), nowMs)
      else this.cuts.forget(cutName)
    }
  }

  private observeDenial(
    name: Uint8Array,
    nameBytes: number,
    { reply, scan, lifeSeconds }: Observed,
    nowMs: number,
  ): Lesson {
    if (!isCleanDenial(reply, scan)) return nothing
    const soa = this.soaReader.read(reply, scan)
    this.trust.fingerprint = soa?.isKubernetes === true ? 'coredns' : 'foreign'
    if (soa?.isKubernetes !== true || this.trust.isCarvedOut(name, nameBytes)) return nothing
    this.soa = soa.record
    this.trust.confirm(text(name, 0, nameBytes), nowMs)
    const points = this.cutPoints()
    if (points.includes(0)) {
      this.cuts.learn(text(name, 0, nameBytes), false, lifeSeconds, nowMs)
      this.stats.learned += 1
    }
    return { deniesFamily: true, probes: this.uncovered(name, nameBytes, points, nowMs) }
  }

  /** Cut points above a denied name of which nothing is known: worth one probe each, for all names below. */
  private uncovered(
    name: Uint8Array,
    nameBytes: number,
    points: readonly number[],
    nowMs: number,
  ): string[] {
    if (this.trust.allowsStructure && this.shape.kind === ShapeKind.impossible) return []
    const wanted: string[] = []
    for (const at of points) {
      const cutName = text(name, at, nameBytes)
      const known = this.cuts.get(cutName, nowMs)
      if (known?.exists === false) return wanted
      if (known === undefined && at > 0) wanted.push(cutName)
    }
    this.stats.probes += wanted.length
    return wanted
  }
}

/** What is to be done about what was learned. */
export interface Lesson {
  /** The answer denies all address types of its name. */
  readonly deniesFamily: boolean
  /** Names to be probed (`A?`), folded wire form, one character an octet. */
  readonly probes: readonly string[]
}

const nothing: Lesson = { deniesFamily: false, probes: [] }

/** What an answer of CoreDNS's tells. */
export interface Observed {
  readonly reply: Uint8Array
  readonly scan: ResponseScan
  /** How long it may be used: SOA or record TTLs within the zone's bounds. */
  readonly lifeSeconds: number
}

/** Only an authoritative, complete NXDOMAIN for A, with one SOA and nothing else, teaches anything (searchpath 2.3). */
function isCleanDenial(reply: Uint8Array, scan: ResponseScan): boolean {
  return (
    (u8(reply, 2) & Flag1.aa) !== 0 &&
    !scan.tc &&
    scan.answers === 0 &&
    scan.authorities === 1 &&
    qtypeOf(reply, scan) === RrType.a
  )
}

function qtypeOf(reply: Uint8Array, scan: ResponseScan): number {
  return u16(reply, scan.questionEnd - 4)
}

/** Names the structural rule that a shape falls under. */
function structureKind({ topAt, serviceAt, labels }: Shape): string {
  if (topAt >= 0) return 'nothing but svc and pod below the zone'
  if (serviceAt < 0) return 'not the address of a pod'
  return labels - 3 === 2 ? 'no protocol next to the service' : 'too deep below a service'
}

/** One-byte string of a name's octets from one label on. */
function text(name: Uint8Array, at: number, nameBytes: number): string {
  return Buffer.from(name.buffer, name.byteOffset + at, nameBytes - at).toString('latin1')
}
