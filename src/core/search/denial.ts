/**
 * Answers for what the search list makes of outside names: may this name of the cluster zone be denied without asking, and
 * on what evidence? The law is searchpath.md: structure where it is trusted, cuts learned from CoreDNS's own denials and at
 * most five seconds old, nothing on doubt. Pure; learning is in core/search/learning.ts.
 */
import type { Question } from '../../wire/question.ts'
import { type Cut, cutSecondsMax } from './cuts.ts'
import {
  cutPoints,
  judgedTypes,
  ruleOf,
  ruleSubject,
  type SearchKnowledge,
  wireText,
} from './knowledge.ts'
import { readShape, Shape, ShapeKind } from './shape.ts'
import type { Fingerprint, TrustLevel } from './trust.ts'

/** On what a denial rests. */
export type Evidence = 'structure' | 'cut'

/** A denial that can be given now. Reused: valid until the next `judge`. */
export class Denial {
  evidence: Evidence = 'structure'
  /** The rule or the cut, for the breaker and for people. */
  kind = ''
  /** For the audit: what is the same about denials that stand or fall together. */
  subject = ''
  /** Life that is left in the evidence, whole seconds. */
  ttlSeconds = 0
  /** The name as octets, one character each. */
  name = ''
  cut: Cut | undefined
}

export interface LapsedCut {
  readonly name: string
  readonly cut: Cut
}

export class SearchJudge {
  private readonly known: SearchKnowledge
  private readonly shape = new Shape()
  private readonly denial = new Denial()

  constructor(known: SearchKnowledge) {
    this.known = known
  }

  /** Whether the name that was judged last is in the zone: of all others nothing is known here. */
  get isInZone(): boolean {
    return this.shape.kind !== ShapeKind.outside
  }

  /** Whether the question is of a kind that may be denied without asking at all. */
  isJudged(question: Question): boolean {
    return judgedTypes.has(question.qtype) && !question.dnssecOk && !question.checkingDisabled
  }

  /**
   * @param name folded wire form, in the cluster zone or not
   * @returns a denial that is right as of now, or undefined: then CoreDNS has to be asked
   */
  denialOf(name: Buffer, nameBytes: number, nowMs: number): Denial | undefined {
    const kind = readShape(name, nameBytes, this.known.zone, this.shape)
    if (kind === ShapeKind.outside || kind === ShapeKind.forward) return undefined
    if (this.known.soa === undefined || this.known.trust.isCarvedOut(name, nameBytes))
      return undefined
    const denial =
      kind === ShapeKind.impossible && this.known.trust.allowsStructure
        ? this.byStructure(name, nameBytes)
        : this.byCut(name, nameBytes, nowMs)
    if (denial === undefined || this.known.audit.isOpen(denial.kind, nowMs)) return undefined
    if (this.known.trust.level !== 'cautious') return denial
    denial.name = wireText(name, 0, nameBytes)
    return this.known.trust.isConfirmed(denial.name, nowMs) ? denial : undefined
  }

  /**
   * The cut that would have denied the name until lately. To ask for it again takes no longer than to ask for the name, and
   * tells about all the others below it, too.
   * @returns undefined when there is none, or the name has to be asked itself
   */
  lapsedCut(name: Buffer, nameBytes: number, nowMs: number): LapsedCut | undefined {
    const { known, shape } = this
    const kind = readShape(name, nameBytes, known.zone, shape)
    if (kind === ShapeKind.outside || kind === ShapeKind.forward) return undefined
    if (known.soa === undefined || known.trust.isCarvedOut(name, nameBytes)) return undefined
    if (!this.isSelfEvident(wireText(name, 0, nameBytes), nowMs)) return undefined
    for (const at of cutPoints(shape)) {
      const cutName = wireText(name, at, nameBytes)
      const cut = known.cuts.getLapsed(cutName, nowMs)
      if (at > 0 && cut !== undefined && !known.audit.isOpen(cutName, nowMs))
        return { name: cutName, cut }
    }
    return undefined
  }

  /** Whether a cut is enough to deny the name; otherwise CoreDNS must have denied the name itself. */
  private isSelfEvident(name: string, nowMs: number): boolean {
    const { trust } = this.known
    return trust.level !== 'cautious' || trust.isConfirmed(name, nowMs)
  }

  /** Whether a name is denied by present knowledge. @param name folded wire form, one character an octet */
  isDenied(name: string, nowMs: number): boolean {
    const octets = Buffer.from(name, 'latin1')
    return this.denialOf(octets, octets.length, nowMs) !== undefined
  }

  /** Whether it is open if the name exists: only of Services and namespaces that is known apart from their answers. */
  isDoubtful(name: Buffer, nameBytes: number, nowMs: number): boolean {
    const kind = readShape(name, nameBytes, this.known.zone, this.shape)
    if (kind === ShapeKind.outside || kind === ShapeKind.forward) return false
    return this.known.cuts.get(wireText(name, 0, nameBytes), nowMs)?.exists !== true
  }

  /** Everything that `judge` looks at for this name, and what it says. Changes nothing. */
  explain(name: Buffer, nameBytes: number, nowMs: number): SearchEvidence {
    const denial = this.denialOf(name, nameBytes, nowMs)
    const kind = readShape(name, nameBytes, this.known.zone, this.shape)
    const octets = wireText(name, 0, nameBytes)
    return {
      shape: shapeNames[kind],
      rule: kind === ShapeKind.impossible ? ruleOf(this.shape) : undefined,
      cuts: cutPoints(this.shape).map((at) => {
        const cutName = wireText(name, at, nameBytes)
        return { name: cutName, known: this.known.cuts.get(cutName, nowMs) }
      }),
      trust: this.known.trust.level,
      fingerprint: this.known.trust.fingerprint,
      isCarvedOut: this.known.trust.isCarvedOut(name, nameBytes),
      isConfirmed: this.known.trust.isConfirmed(octets, nowMs),
      openBreakers: this.known.audit.openKinds(nowMs),
      denial: denial && {
        evidence: denial.evidence,
        kind: denial.kind,
        ttlSeconds: denial.ttlSeconds,
        isFirst: !this.known.audit.isProved(denial.subject),
      },
    }
  }

  private byStructure(name: Buffer, nameBytes: number): Denial {
    const { denial } = this
    denial.evidence = 'structure'
    denial.kind = ruleOf(this.shape)
    denial.subject = ruleSubject(this.shape, name, nameBytes)
    denial.ttlSeconds = Math.min(cutSecondsMax, this.known.soa?.ttlSeconds ?? 0)
    denial.cut = undefined
    return denial
  }

  private byCut(name: Buffer, nameBytes: number, nowMs: number): Denial | undefined {
    for (const at of cutPoints(this.shape)) {
      const cutName = wireText(name, at, nameBytes)
      const cut = this.known.cuts.get(cutName, nowMs)
      if (cut === undefined || cut.exists) continue
      const { denial } = this
      denial.evidence = 'cut'
      denial.kind = cutName
      denial.subject = cutName
      denial.ttlSeconds = Math.floor((cut.expiresMs - nowMs) / 1000)
      denial.cut = cut
      return denial
    }
    return undefined
  }
}

/** What is known about a name, for people. Names are octets, one character each. */
export interface SearchEvidence {
  readonly shape: string
  /** The structural rule that the name falls under, whether it may be used or not. */
  readonly rule: string | undefined
  readonly cuts: readonly { readonly name: string; readonly known: Cut | undefined }[]
  readonly trust: TrustLevel
  readonly fingerprint: Fingerprint
  readonly isCarvedOut: boolean
  readonly isConfirmed: boolean
  readonly openBreakers: readonly string[]
  readonly denial:
    | (Pick<Denial, 'evidence' | 'kind' | 'ttlSeconds'> & {
        /** Nothing like it was ever checked. */
        readonly isFirst: boolean
      })
    | undefined
}

const shapeNames: Readonly<Record<ShapeKind, string>> = {
  [ShapeKind.outside]: 'outside the cluster domain',
  [ShapeKind.forward]: 'only CoreDNS can tell',
  [ShapeKind.impossible]: 'nothing of this shape exists',
  [ShapeKind.needsNamespace]: 'exists only if its namespace does',
  [ShapeKind.needsService]: 'exists only if its Service does',
}
