/**
 * Decides whether a name of the cluster zone may be denied without asking, and on what evidence: by structure where the zone is
 * trusted, or by cuts learned from CoreDNS's own denials and at most five seconds old; when in doubt, not at all. The rules are SP-1 to
 * SP-4 and SP-9 of docs/search-path.md. Pure; learning is in core/search/learning.ts.
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

/** What a denial rests on. */
export type Evidence = 'structure' | 'cut'

/** A denial that can be given now. */
export interface Denial {
  readonly evidence: Evidence
  /** The rule or the cut, for the breaker and for people. */
  readonly kind: string
  /** For the audit: what denials have in common that are right or wrong together. */
  readonly subject: string
  /** Remaining life of the evidence, whole seconds. */
  readonly ttlSeconds: number
  readonly cut: Cut | undefined
}

/** `outside`: names outside the cluster zone are not judged here. */
export type Judgement = Denial | 'outside' | undefined

export interface LapsedCut {
  readonly name: string
  readonly cut: Cut
}

export class SearchJudge {
  private readonly known: SearchKnowledge
  /** Scratch space for the name that one method looks at; nothing is kept in it between calls. */
  private readonly shape = new Shape()

  constructor(known: SearchKnowledge) {
    this.known = known
  }

  /** Whether questions of this kind may be denied without asking at all (SP-1). */
  isJudged(question: Question): boolean {
    return judgedTypes.has(question.qtype) && !question.dnssecOk && !question.checkingDisabled
  }

  /**
   * @param name folded wire form, in the cluster zone or not
   * @returns a denial that is right now; undefined: CoreDNS has to be asked
   */
  judgementOf(name: Buffer, nameBytes: number, nowMs: number): Judgement {
    const { known, shape } = this
    const kind = readShape(name, nameBytes, known.zone, shape)
    if (kind === ShapeKind.outside) return 'outside'
    if (kind === ShapeKind.forward || known.soa === undefined) return undefined
    if (!known.trust.allowsInference || known.trust.isCarvedOut(name, nameBytes)) return undefined
    const denial =
      kind === ShapeKind.impossible && known.trust.allowsStructure
        ? this.byStructure(name, nameBytes)
        : this.byCut(name, nameBytes, nowMs)
    if (denial === undefined || known.audit.isOpen(denial.kind, nowMs)) return undefined
    return denial
  }

  /** Whether the name is at or below the cluster zone. */
  isInZone(name: Buffer, nameBytes: number): boolean {
    return readShape(name, nameBytes, this.known.zone, this.shape) !== ShapeKind.outside
  }

  /** As `judgementOf`, for callers that do not need the reason why a name is not denied. */
  denialOf(name: Buffer, nameBytes: number, nowMs: number): Denial | undefined {
    const judgement = this.judgementOf(name, nameBytes, nowMs)
    return judgement === 'outside' ? undefined : judgement
  }

  /**
   * The recently ended cut that would have denied the name. Asking for the cut again takes no longer than asking for the name,
   * and covers all the other names below it, too.
   * @returns undefined when there is none, or the name itself has to be asked
   */
  lapsedCut(name: Buffer, nameBytes: number, nowMs: number): LapsedCut | undefined {
    const { known, shape } = this
    const kind = readShape(name, nameBytes, known.zone, shape)
    if (kind === ShapeKind.outside || kind === ShapeKind.forward) return undefined
    if (known.soa === undefined || known.trust.isCarvedOut(name, nameBytes)) return undefined
    if (!known.trust.allowsInference) return undefined
    for (const at of cutPoints(shape)) {
      const cutName = wireText(name, at, nameBytes)
      const cut = known.cuts.getLapsed(cutName, nowMs)
      if (at > 0 && cut !== undefined && !known.audit.isOpen(cutName, nowMs))
        return { name: cutName, cut }
    }
    return undefined
  }

  /** Whether the name is denied by present knowledge. @param name folded wire form, one character a byte */
  isDenied(name: string, nowMs: number): boolean {
    const octets = Buffer.from(name, 'latin1')
    return this.denialOf(octets, octets.length, nowMs) !== undefined
  }

  /** Whether the name may exist without a record of it: the cuts record existence, but only of Services and namespaces. */
  isDoubtful(name: Buffer, nameBytes: number, nowMs: number): boolean {
    const kind = readShape(name, nameBytes, this.known.zone, this.shape)
    if (kind === ShapeKind.outside || kind === ShapeKind.forward) return false
    // What one type says of the name at or below a carve-out says nothing of another (SP-4).
    if (this.known.trust.isCarvedOut(name, nameBytes)) return false
    return this.known.cuts.get(wireText(name, 0, nameBytes), nowMs)?.exists !== true
  }

  /** All evidence that a judgement of this name rests on. Changes nothing. */
  explain(name: Buffer, nameBytes: number, nowMs: number): SearchEvidence {
    const kind = readShape(name, nameBytes, this.known.zone, this.shape)
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
      openBreakers: this.known.audit.openKinds(nowMs),
    }
  }

  private byStructure(name: Buffer, nameBytes: number): Denial {
    return {
      evidence: 'structure',
      kind: ruleOf(this.shape),
      subject: ruleSubject(this.shape, name, nameBytes),
      ttlSeconds: Math.min(cutSecondsMax, this.known.soa?.ttlSeconds ?? 0),
      cut: undefined,
    }
  }

  private byCut(name: Buffer, nameBytes: number, nowMs: number): Denial | undefined {
    for (const at of cutPoints(this.shape)) {
      const cutName = wireText(name, at, nameBytes)
      const cut = this.known.cuts.get(cutName, nowMs)
      if (cut === undefined || cut.exists) continue
      const ttlSeconds = Math.floor((cut.expiresMs - nowMs) / 1000)
      return { evidence: 'cut', kind: cutName, subject: cutName, ttlSeconds, cut }
    }
    return undefined
  }
}

/** What is known about a name, for people. Names have one character a byte. */
export interface SearchEvidence {
  readonly shape: string
  /** The structural rule that the name falls under, whether or not the rule may be used. */
  readonly rule: string | undefined
  readonly cuts: readonly { readonly name: string; readonly known: Cut | undefined }[]
  readonly trust: TrustLevel
  readonly fingerprint: Fingerprint
  readonly isCarvedOut: boolean
  readonly openBreakers: readonly string[]
}

const shapeNames: Readonly<Record<ShapeKind, string>> = {
  [ShapeKind.outside]: 'outside the cluster domain',
  [ShapeKind.forward]: 'only CoreDNS can tell',
  [ShapeKind.impossible]: 'nothing of this shape exists',
  [ShapeKind.needsNamespace]: 'exists only if its namespace does',
  [ShapeKind.needsService]: 'exists only if its Service does',
}
