/**
 * Everything that a client would find on its walk along its search list, as far as it is known now: whether each step but the
 * last is denied, and what the last step finds, for A and AAAA. Pure; it names the missing evidence for others to ask.
 */
import { nameBytesMax, Rcode, RrType } from '../../../wire/constants.ts'
import type { CacheEntry } from '../../cache/entry.ts'
import type { OwnQuestions } from '../../question/own-questions.ts'
import type { AuditRun } from '../audit-run.ts'
import { cutSecondsMax } from '../cuts.ts'
import type { LapsedCut, SearchJudge } from '../denial.ts'
import type { FirstStep } from '../first-step.ts'
import type { SearchKnowledge } from '../knowledge.ts'
import { pairMs } from '../pairs.ts'
import type { SearchList } from './lists.ts'

/** Why a client has to walk itself. */
export type WalkReason =
  | 'exists' // an earlier step of the walk finds something
  | 'absolute' // the last step finds no address, or its answer must not be passed on in this form
  | 'evidence' // some evidence is missing, and waiting did not help
  | 'second-step' // the question is a later step of another look-up of this client

export interface Wanted {
  readonly name: string
  readonly qtype: number
  /** Subject of a denial that would be the first of its kind: the name is asked instead. */
  readonly unproved?: string
}

export interface Walk {
  /** Absolute name, folded wire form, one character a byte. */
  readonly target: string
  /** Set when no further evidence could change the result. */
  refusal: WalkReason | undefined
  /** To be asked; the slowest last. */
  readonly wanted: Wanted[]
  /** Cuts that deny steps of the walk, with their names. */
  readonly cuts: LapsedCut[]
  /** End of the evidence that ends first. */
  untilMs: number
  a: CacheEntry | undefined
  aaaa: CacheEntry | undefined
}

export interface WalkParts {
  readonly known: SearchKnowledge
  readonly judge: SearchJudge
  readonly own: OwnQuestions
  readonly auditRun: AuditRun
  /** Whether a stage may answer questions about a name otherwise than an upstream would. @param name folded wire form */
  readonly isAltered?: (name: Uint8Array, nameBytes: number) => boolean
}

export class WalkReader {
  private readonly parts: WalkParts

  constructor(parts: WalkParts) {
    this.parts = parts
  }

  read({ labels }: FirstStep, { suffixes }: SearchList, nowMs: number): Walk {
    const relative = labels.join('')
    const walk: Walk = {
      target: `${relative}\0`,
      refusal: undefined,
      wanted: [],
      cuts: [],
      untilMs: nowMs + cutSecondsMax * 1000,
      a: undefined,
      aaaa: undefined,
    }
    const names = ['\0', ...suffixes].map((suffix) => `${relative}${suffix}`)
    if (names.some((name) => this.isAltered(name))) {
      refuse(walk, 'absolute')
      return walk
    }
    for (const suffix of suffixes) this.readStep(`${relative}${suffix}`, walk, nowMs)
    walk.aaaa = this.readTarget(RrType.aaaa, walk, nowMs)
    walk.a = this.readTarget(RrType.a, walk, nowMs)
    const hasAddress = [walk.a, walk.aaaa].some((entry) => entry?.isDenial === false)
    if (walk.a !== undefined && walk.aaaa !== undefined && !hasAddress) refuse(walk, 'absolute')
    return walk
  }

  /** The client's own question asks the stages. */
  private isAltered(name: string): boolean {
    const { isAltered } = this.parts
    return isAltered?.(Buffer.from(name, 'latin1'), name.length) === true
  }

  /** Asks for the missing evidence, and keeps the rest fresh. */
  ask({ cuts, wanted }: Walk, nowMs: number): void {
    const { known, own } = this.parts
    for (const { name } of cuts) if (known.cuts.takeRefreshDue(name, nowMs)) own.ask(name, RrType.a)
    for (const { name, qtype, unproved } of wanted) {
      if (unproved !== undefined) known.audit.noteFirst(unproved, nowMs)
      own.ask(name, qtype)
    }
  }

  /** Keys of the questions that `ask` would open. Changes nothing. */
  opens({ cuts, wanted }: Walk, nowMs: number): string[] {
    const { known, own } = this.parts
    const due = cuts.filter(({ cut }) => known.cuts.isRefreshDue(cut, nowMs))
    const asked = [...due.map(({ name }) => ({ name, qtype: RrType.a })), ...wanted]
    return asked.flatMap(({ name, qtype }) => {
      const plan = own.planJoin(name, qtype, true)
      return plan === undefined || plan.ticket !== undefined ? [] : [plan.key]
    })
  }

  /** Audits what an answer rests on, as if the client had been denied each step. */
  check({ labels }: FirstStep, { suffixes }: SearchList, nowMs: number): void {
    const { judge, auditRun } = this.parts
    for (const suffix of suffixes) {
      const name = `${labels.join('')}${suffix}`
      const octets = Buffer.from(name, 'latin1')
      const denial = judge.denialOf(octets, octets.length, nowMs)
      if (denial !== undefined)
        auditRun.begin(denial, { name, qtype: RrType.a }, nowMs, () => false)
    }
  }

  private readStep(name: string, walk: Walk, nowMs: number): void {
    // Too long: no client can ask for this name.
    if (name.length > nameBytesMax) return
    const { judge, known } = this.parts
    const octets = Buffer.from(name, 'latin1')
    const judgement = judge.judgementOf(octets, octets.length, nowMs)
    if (judgement === 'outside') return this.readOutside(name, walk, nowMs)
    if (judgement === undefined) return this.readInside(name, octets, walk, nowMs)
    const { subject, kind, cut } = judgement
    if (known.audit.isFirst(subject, nowMs)) {
      walk.wanted.push({ name, qtype: RrType.a, unproved: subject })
      return
    }
    if (cut === undefined) return
    walk.untilMs = Math.min(walk.untilMs, cut.expiresMs)
    walk.cuts.push({ name: kind, cut })
  }

  /** A name of the cluster that no rule or cut denies: CoreDNS's own denial of A counts, for all types. */
  private readInside(name: string, octets: Buffer, walk: Walk, nowMs: number): void {
    const { own, judge } = this.parts
    const entry = own.peek(name, RrType.a, nowMs)
    if (entry === undefined) {
      if (own.hasFailed(name, RrType.a, nowMs)) return refuse(walk, 'evidence')
      const lapsed = judge.lapsedCut(octets, octets.length, nowMs)
      return want(walk, lapsed?.name ?? name, RrType.a)
    }
    if (!entry.deniesFamily) return refuse(walk, 'exists')
    // The cache entry ends that much before its evidence.
    walk.untilMs = Math.min(walk.untilMs, entry.expiresMs + pairMs)
  }

  /** A name in a search domain of the node or of the pod itself: only its own answers count, for each type. */
  private readOutside(name: string, walk: Walk, nowMs: number): void {
    const { own } = this.parts
    for (const qtype of [RrType.a, RrType.aaaa]) {
      const entry = own.peek(name, qtype, nowMs)
      const untilMs = entry === undefined ? 0 : agedUntilMs(entry)
      if (entry !== undefined && entry.rcode !== Rcode.nxdomain) refuse(walk, 'exists')
      else if (nowMs < untilMs - pairMs) walk.untilMs = Math.min(walk.untilMs, untilMs)
      else if (own.hasFailed(name, qtype, nowMs)) refuse(walk, 'evidence')
      else want(walk, name, qtype)
    }
  }

  private readTarget(qtype: number, walk: Walk, nowMs: number): CacheEntry | undefined {
    const { own } = this.parts
    const entry = own.peek(walk.target, qtype, nowMs)
    if (entry === undefined || nowMs >= entry.expiresMs - pairMs) {
      if (own.hasFailed(walk.target, qtype, nowMs)) refuse(walk, 'absolute')
      else want(walk, walk.target, qtype)
      return undefined
    }
    if (entry.rcode !== Rcode.noerror) refuse(walk, 'absolute')
    walk.untilMs = Math.min(walk.untilMs, entry.expiresMs)
    return entry
  }
}

/** Evidence is never older than a cut may be, even where the cache keeps the answer for longer. */
function agedUntilMs({ storedMs, expiresMs }: CacheEntry): number {
  return Math.min(expiresMs, storedMs + cutSecondsMax * 1000)
}

function refuse(walk: Walk, why: WalkReason): void {
  walk.refusal ??= why
}

function want(walk: Walk, name: string, qtype: number): void {
  walk.wanted.push({ name, qtype })
}
