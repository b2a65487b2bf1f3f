/**
 * Learns from what CoreDNS says: cuts from its denials, existence from its answers, and from both whether the zone can be
 * trusted at all. The rules are searchpath 2.3: only a clean denial of an A question by the kubernetes plugin teaches absence.
 */
import { u8, u16 } from '../wire/bytes.ts'
import { Flag1, Rcode, RrType } from '../wire/constants.ts'
import type { ResponseScan } from '../wire/scan.ts'
import {
  cutPoints,
  judgedTypes,
  octetsFrom,
  ruleOf,
  type SearchKnowledge,
} from './search-knowledge.ts'
import { readShape, Shape, ShapeKind } from './search-shape.ts'
import { SoaReader } from './search-soa.ts'

/** What is to be done about what was learned. */
export interface Lesson {
  /** The answer denies all address types of its name. */
  readonly deniesFamily: boolean
  /** Names to be probed (`A?`), folded wire form, one character an octet. */
  readonly probes: readonly string[]
  /** Names that exist, though some may have been denied a moment ago; same form. */
  readonly revived: readonly string[]
}

const nothing: Lesson = { deniesFamily: false, probes: [], revived: [] }

/** What an answer of CoreDNS's tells. */
export interface Observed {
  readonly reply: Uint8Array
  readonly scan: ResponseScan
  /** How long it may be used: SOA or record TTLs within the zone's bounds. */
  readonly lifeSeconds: number
}

export class SearchLessons {
  private readonly known: SearchKnowledge
  private readonly soaReader: SoaReader
  private readonly shape = new Shape()

  constructor(known: SearchKnowledge) {
    this.known = known
    this.soaReader = new SoaReader(known.zone.name)
  }

  /**
   * Learns from an answer that CoreDNS gave to a question of ours.
   * @param name folded wire form of the question's name
   */
  observe(name: Uint8Array, nameBytes: number, response: Observed, nowMs: number): Lesson {
    const kind = readShape(name, nameBytes, this.known.zone, this.shape)
    if (kind === ShapeKind.outside) return nothing
    if (response.scan.rcode === Rcode.noerror) {
      return { ...nothing, revived: this.observeExistence(name, nameBytes, response, nowMs) }
    }
    if (response.scan.rcode !== Rcode.nxdomain) return nothing
    return this.observeDenial(name, nameBytes, response, nowMs)
  }

  /** Whether the kubernetes plugin says so of the zone. */
  isByPlugin({ reply, scan }: Observed): boolean {
    return this.soaReader.read(reply, scan)?.isKubernetes === true
  }

  private observeExistence(
    name: Uint8Array,
    nameBytes: number,
    { reply, scan, lifeSeconds }: Observed,
    nowMs: number,
  ): string[] {
    const exists = judgedTypes.has(qtypeOf(reply, scan))
    // Something in front of the plugin makes names that its rules do not know: the rule is off.
    if (exists && this.shape.kind === ShapeKind.impossible) {
      this.known.audit.trip(ruleOf(this.shape), nowMs)
    }
    const whole = octetsFrom(name, 0, nameBytes)
    this.known.trust.refute(whole)
    const revived = [whole]
    for (const at of cutPoints(this.shape)) {
      const cutName = octetsFrom(name, at, nameBytes)
      if (this.known.cuts.get(cutName, nowMs)?.exists === false) {
        this.known.stats.killed += 1
        revived.push(cutName)
      }
      // SOA and TXT have data rules of their own (searchpath 0.5, 0.6): they end a cut, but prove nothing.
      if (exists) this.known.cuts.learn(cutName, true, Math.max(1, lifeSeconds), nowMs)
      else this.known.cuts.forget(cutName)
    }
    return exists ? revived : []
  }

  private observeDenial(
    name: Uint8Array,
    nameBytes: number,
    { reply, scan, lifeSeconds }: Observed,
    nowMs: number,
  ): Lesson {
    if (!isCleanDenial(reply, scan)) return nothing
    const soa = this.soaReader.read(reply, scan)
    this.known.trust.fingerprint = soa?.isKubernetes === true ? 'coredns' : 'foreign'
    if (soa?.isKubernetes !== true || this.known.trust.isCarvedOut(name, nameBytes)) return nothing
    this.known.soa = soa.record
    this.known.trust.confirm(octetsFrom(name, 0, nameBytes), nowMs)
    const points = cutPoints(this.shape)
    if (points.includes(0)) {
      this.known.cuts.learn(octetsFrom(name, 0, nameBytes), false, lifeSeconds, nowMs)
      this.known.stats.learned += 1
    }
    return {
      ...nothing,
      deniesFamily: true,
      probes: this.uncovered(name, nameBytes, points, nowMs),
    }
  }

  /** Cut points above a denied name of which nothing is known: worth one probe each, for all names below. */
  private uncovered(
    name: Uint8Array,
    nameBytes: number,
    points: readonly number[],
    nowMs: number,
  ): string[] {
    if (this.known.trust.allowsStructure && this.shape.kind === ShapeKind.impossible) return []
    const wanted: string[] = []
    for (const at of points) {
      const cutName = octetsFrom(name, at, nameBytes)
      if (this.known.cuts.get(cutName, nowMs)?.exists === false) break
      if (at > 0 && this.known.cuts.isWorthProbing(cutName, nowMs)) wanted.push(cutName)
    }
    this.known.stats.probes += wanted.length
    return wanted
  }
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
