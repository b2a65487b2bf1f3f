/**
 * Learns from CoreDNS's answers: cuts from denials, existence from data, and from both whether the zone can be trusted at all.
 * Only a clean denial of an A question by the kubernetes plugin teaches absence (SP-8); data ends cuts (SP-10).
 */
import { u8, u16 } from '../../wire/bytes.ts'
import { Flag1, Rcode, RrType } from '../../wire/constants.ts'
import type { ResponseScan } from '../../wire/scan.ts'
import {
  cutPoints,
  judgedTypes,
  ruleOf,
  ruleSubject,
  type SearchKnowledge,
  wireText,
} from './knowledge.ts'
import { readShape, Shape, ShapeKind } from './shape.ts'
import { SoaReader } from './soa.ts'

/** What the caller has to do after an answer was learned. */
export interface Learned {
  /** The answer denies all address types of its name. */
  readonly deniesFamily: boolean
  /** Names to be probed (`A?`), folded wire form, one character a byte. */
  readonly probes: readonly string[]
  /** Names that exist, although some may just have been denied; same form. */
  readonly revived: readonly string[]
  /** Cuts above an existing name that were enough to deny it; same form. */
  readonly refutedCuts: readonly string[]
  /** The structural rule that does not hold for the name. */
  readonly brokenRule: string | undefined
}

const none: readonly string[] = []
const nothing: Learned = {
  deniesFamily: false,
  probes: none,
  revived: none,
  refutedCuts: none,
  brokenRule: undefined,
}

/** An answer of CoreDNS. */
export interface Observed {
  readonly reply: Uint8Array
  readonly scan: ResponseScan
  /** How long the answer may be used: SOA or record TTLs within the zone's bounds. */
  readonly lifeSeconds: number
}

/** Name of the question that was answered, folded wire form. Reused: valid until the next answer. */
export interface AnsweredName {
  readonly octets: Buffer
  readonly nameBytes: number
  /** The same, one character a byte. */
  readonly text: string
}

export class SearchLearning {
  private readonly known: SearchKnowledge
  private readonly soaReader: SoaReader
  private readonly shape = new Shape()

  constructor(known: SearchKnowledge) {
    this.known = known
    this.soaReader = new SoaReader(known.zone.name)
  }

  /** Learns from an answer that CoreDNS gave to a question of ours. */
  observe(name: AnsweredName, response: Observed, nowMs: number): Learned {
    const { octets, nameBytes } = name
    const kind = readShape(octets, nameBytes, this.known.zone, this.shape)
    if (kind === ShapeKind.outside || this.known.trust.isCarvedOut(octets, nameBytes))
      return nothing
    if (response.scan.rcode === Rcode.noerror) return this.observeExistence(name, response, nowMs)
    if (response.scan.rcode !== Rcode.nxdomain) return nothing
    return this.observeDenial(name, response, nowMs)
  }

  /** Whether the kubernetes plugin made this denial of a name in the zone. */
  isByPlugin({ reply, scan }: Observed): boolean {
    return this.soaReader.read(reply, scan)?.isKubernetes === true
  }

  private observeExistence(
    name: AnsweredName,
    { reply, scan, lifeSeconds }: Observed,
    nowMs: number,
  ): Learned {
    const exists = judgedTypes.has(qtypeOf(reply, scan))
    const whole = name.text
    const killedCuts: string[] = []
    for (const at of cutPoints(this.shape)) {
      const cutName = tailOf(name, at)
      // SOA and TXT have data rules of their own (SP-6): they end a cut, but prove nothing.
      const seconds = exists ? Math.max(1, lifeSeconds) : 0
      if (!this.known.cuts.learnExistence(cutName, seconds, nowMs)) continue
      this.known.stats.killed += 1
      killedCuts.push(cutName)
    }
    if (!exists) return nothing
    const isImpossible = this.shape.kind === ShapeKind.impossible
    return {
      deniesFamily: false,
      probes: none,
      revived: killedCuts.length === 0 ? [whole] : [whole, ...killedCuts],
      refutedCuts: this.known.trust.allowsInference
        ? killedCuts.filter((cutName) => cutName !== whole)
        : none,
      // Something in front of the plugin makes names that the plugin's rules exclude.
      brokenRule: isImpossible ? ruleOf(this.shape) : undefined,
    }
  }

  private observeDenial(
    name: AnsweredName,
    { reply, scan, lifeSeconds }: Observed,
    nowMs: number,
  ): Learned {
    const { known, shape } = this
    if (!isPlainDenial(reply, scan)) return nothing
    const isSigned = isClean(reply, scan)
    const soa = isSigned ? this.soaReader.read(reply, scan) : undefined
    if (soa?.isKubernetes !== true) return this.observeStranger(isSigned)
    known.trust.fingerprint = 'coredns'
    known.soa = soa.record
    if (shape.kind === ShapeKind.impossible)
      known.audit.confirm(ruleSubject(shape, name.octets, name.nameBytes), nowMs)
    const points = cutPoints(this.shape)
    for (const at of points) known.audit.confirm(tailOf(name, at), nowMs)
    if (points.includes(0)) {
      known.cuts.learnAbsence(name.text, lifeSeconds, nowMs)
      known.stats.learned += 1
    }
    return {
      deniesFamily: true,
      probes: this.uncovered(name, points, nowMs),
      revived: none,
      refutedCuts: none,
      brokenRule: undefined,
    }
  }

  /**
   * Something other than the plugin denies the name. The denial is right, but a zone where something else answers may hold names
   * that the plugin's rules exclude, so such a rule proves nothing there.
   */
  private observeStranger(isSigned: boolean): Learned {
    const { trust } = this.known
    const isRuleInForce = this.shape.kind === ShapeKind.impossible && trust.allowsStructure
    if (isSigned) trust.fingerprint = 'foreign'
    return isRuleInForce ? { ...nothing, brokenRule: ruleOf(this.shape) } : nothing
  }

  /** Cut points of unknown state above a denied name: each is worth one probe, because it covers all names below. */
  private uncovered(name: AnsweredName, points: readonly number[], nowMs: number): string[] {
    const { trust } = this.known
    // A cut that may deny nothing is not worth a question.
    if (!trust.allowsInference) return []
    if (trust.allowsStructure && this.shape.kind === ShapeKind.impossible) return []
    const wanted: string[] = []
    for (const at of points) {
      const cutName = tailOf(name, at)
      if (this.known.cuts.get(cutName, nowMs)?.exists === false) break
      if (at > 0 && this.known.cuts.isWorthProbing(cutName, nowMs)) wanted.push(cutName)
    }
    this.known.stats.probes += wanted.length
    return wanted
  }
}

function tailOf({ octets, nameBytes, text }: AnsweredName, at: number): string {
  return at === 0 ? text : wireText(octets, at, nameBytes)
}

/** A complete denial of the name itself, for A: other types may be denied alone (SP-6). */
function isPlainDenial(reply: Uint8Array, scan: ResponseScan): boolean {
  return !scan.tc && scan.answers === 0 && qtypeOf(reply, scan) === RrType.a
}

/** Only an authoritative denial with one SOA and nothing else is the plugin's (SP-8). */
function isClean(reply: Uint8Array, scan: ResponseScan): boolean {
  return (u8(reply, 2) & Flag1.aa) !== 0 && scan.authorities === 1
}

function qtypeOf(reply: Uint8Array, scan: ResponseScan): number {
  return u16(reply, scan.questionEnd - 4)
}
