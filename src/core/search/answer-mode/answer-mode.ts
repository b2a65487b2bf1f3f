/**
 * Answer mode: the first question of a walk along a search list gets the answer that the last one would get, so that a pod asks
 * two questions instead of eight. Opt-in, because it is right only if the list is known exactly, and because a client that really
 * means `N.<ns>.svc.Z` gets N as well (SP-22 to SP-25). Whenever a condition does not hold, nothing is answered here, and the
 * client walks.
 */
import { RrClass, RrType } from '../../../wire/constants.ts'
import type { Question } from '../../../wire/question.ts'
import type { CacheEntry } from '../../cache/entry.ts'
import { LatestMap } from '../../cache/latest-map.ts'
import type { Inquiry } from '../../inquiry.ts'
import { turnsMax } from '../../question/arrival.ts'
import type { InFlight } from '../../question/in-flight.ts'
import type { JoinPlan } from '../../question/own-questions.ts'
import { clusterSuffixes, type FirstStep, isPublic, readFirstStep } from '../first-step.ts'
import type { PairMember, Pairs } from '../pairs.ts'
import type { SearchReports } from '../reports.ts'
import { type AliasImage, aliasImage, writeTtls } from './alias-image.ts'
import type { SearchList, SearchLists } from './lists.ts'
import { type Images, Pins } from './pins.ts'
import { type AnswerState, isOffForGood, stateTexts } from './state.ts'
import { type Walk, type WalkParts, WalkReader, type WalkReason, type Wanted } from './walk.ts'

/** How long a client that was left to walk is left alone: the other half of the look-up, and its retries, must get the same. */
const walkMs = 2000
/** By then a look-up has reached its second step: glibc gives up on a silent server after 2 x 5 s. */
const stepMs = 10_000
const stepsMax = 4096

export interface AnswerModeParts extends WalkParts {
  readonly lists: SearchLists
  readonly inFlight: InFlight
  readonly pairs: Pairs
  readonly reports: SearchReports
}

/** What answer mode decides about a look-up. */
export type AnswerVerdict =
  /** The client gets the answer of its walk's last step. `fresh` is set when this was decided just now. */
  | {
      readonly kind: 'give'
      readonly images: Images
      readonly untilMs: number
      readonly fresh: Walked | undefined
    }
  /** The question waits for a missing piece of evidence. */
  | {
      readonly kind: 'hold'
      readonly walk: Walk
      readonly awaited: Wanted
      readonly plan: JoinPlan
    }
  /** The client walks, with both questions of its look-up. `why` is counted. */
  | {
      readonly kind: 'leave'
      readonly why: WalkReason | undefined
      readonly walk: Walk | undefined
    }
  /** Decided as if there was no answer mode. */
  | { readonly kind: 'pass'; readonly why: string }

interface Walked {
  readonly walk: Walk
  readonly step: FirstStep
  readonly list: SearchList
}

const isTold: AnswerVerdict = { kind: 'pass', why: 'this client was left to walk a moment ago' }
const isOff: AnswerVerdict = { kind: 'pass', why: 'answer mode is off' }
const isNoStep: AnswerVerdict = { kind: 'pass', why: 'no first step of a walk that is known' }
const isNoAddress: AnswerVerdict = { kind: 'pass', why: 'not a plain question for addresses' }

export class AnswerMode {
  answered = 0
  readonly fallbacks: Record<WalkReason, number> = {
    exists: 0,
    absolute: 0,
    evidence: 0,
    'second-step': 0,
  }
  private readonly parts: AnswerModeParts
  private readonly reader: WalkReader
  private readonly pins = new Pins()
  /** Names, by client, that come next on walks in progress. */
  private readonly nextSteps = new LatestMap<number>(stepsMax)
  private isStopped = false
  private toldState: AnswerState = 'unseen'

  constructor(parts: AnswerModeParts) {
    this.parts = parts
    this.reader = new WalkReader(parts)
    this.tell()
  }

  get state(): AnswerState {
    const { level, fingerprint } = this.parts.known.trust
    if (this.isStopped) return 'stopped'
    if (level === 'cautious') return 'cautious'
    return fingerprint === 'coredns' ? 'on' : fingerprint
  }

  /** One of our denials was wrong: answer mode cannot rely on any of them now. */
  stop(): void {
    this.isStopped = true
    this.pins.clear()
    this.tell()
  }

  /** Clients are told anew. */
  forget(): void {
    this.pins.clear()
  }

  get hasPins(): boolean {
    return this.pins.size > 0
  }

  /** Whether the client got an answer for this name a moment ago. */
  isPinned(asked: PairMember, nowMs: number): boolean {
    return this.pins.peek(asked, nowMs)?.images !== undefined
  }

  /** Changes nothing. */
  judge(inquiry: Inquiry): AnswerVerdict {
    if (!isAddress(inquiry.question)) return isNoAddress
    const { nowMs } = inquiry
    const asked = inquiry.member()
    const isLater = nowMs < (this.nextSteps.get(`${asked.client} ${asked.name}`) ?? 0)
    const pin = this.pins.peek(asked, nowMs)
    // An earlier answer does not overrule the conditions, except for the second half of the look-up that got it (SP-14, SP-24).
    if (pin !== undefined && pin.images === undefined) return isTold
    if (pin?.images !== undefined && (!isLater || this.pins.completes(asked, nowMs)))
      return { kind: 'give', images: pin.images, untilMs: pin.untilMs, fresh: undefined }
    if (isOffForGood(this.state)) return isOff
    const step = readFirstStep(asked.name, this.parts.known.zone)
    const list = step && this.listOf(step, asked.client)
    if (step === undefined || list === undefined) return isNoStep
    // The answer to one half may have switched the mode on: it must not act between the two halves, nor where the other was
    // denied.
    if (this.state !== 'on' || this.parts.pairs.holds(asked, nowMs)) return leave(undefined)
    return isLater ? leave('second-step') : this.judgeWalk(step, list, inquiry)
  }

  /** Carries the verdict out, except for the decision itself. */
  note(verdict: AnswerVerdict, inquiry: Inquiry): void {
    const { nowMs } = inquiry
    const asked = inquiry.member()
    this.noteStep(asked, nowMs)
    this.tell()
    switch (verdict.kind) {
      case 'give':
        return this.noteGiven(verdict, asked, nowMs)
      case 'hold':
        return this.reader.ask(verdict.walk, nowMs)
      case 'leave':
        return this.noteLeft(verdict, asked, nowMs)
      case 'pass':
        // Records that the second half of the look-up has come.
        this.pins.get(asked, nowMs)
    }
  }

  /** Keys of the questions that a walk has opened, whatever its outcome. */
  opens(walk: Walk, nowMs: number): string[] {
    return this.reader.opens(walk, nowMs)
  }

  private noteGiven(
    { fresh, images, untilMs }: Extract<AnswerVerdict, { kind: 'give' }>,
    asked: PairMember,
    nowMs: number,
  ): void {
    this.answered += 1
    if (fresh === undefined) {
      this.pins.get(asked, nowMs)
      return
    }
    this.reader.ask(fresh.walk, nowMs)
    this.reader.check(fresh.step, fresh.list, nowMs)
    this.pins.set(asked, { images, untilMs }, nowMs)
  }

  private noteLeft(
    { why, walk }: Extract<AnswerVerdict, { kind: 'leave' }>,
    asked: PairMember,
    nowMs: number,
  ): void {
    if (walk !== undefined) this.reader.ask(walk, nowMs)
    if (why !== undefined) this.fallbacks[why] += 1
    this.pins.set(asked, { images: undefined, untilMs: nowMs + walkMs }, nowMs)
  }

  /**
   * A client asks for a name of the zone. If the name can be the first step towards a name that ends in one of our namespaces,
   * the client's next step looks like a first step in that namespace, but is not one.
   */
  private noteStep({ name, client }: PairMember, nowMs: number): void {
    const { known, lists } = this.parts
    const step = readFirstStep(name, known.zone)
    if (step === undefined || step.labels.length < 2) return
    if (!lists.namespaces.has(step.labels.at(-1) ?? '')) return
    const [svcZone] = clusterSuffixes(known.zone)
    const key = `${client} ${step.labels.join('')}${svcZone}`
    this.nextSteps.set(key, nowMs + stepMs)
  }

  /** Judges a look-up that has no pin yet. */
  private judgeWalk(step: FirstStep, list: SearchList, inquiry: Inquiry): AnswerVerdict {
    const { nowMs } = inquiry
    const walk = this.reader.read(step, list, nowMs)
    if (walk.refusal !== undefined) return leave(walk.refusal, walk)
    if (walk.wanted.length > 0) return this.hold(walk, inquiry) ?? leave('evidence', walk)
    const images = imagesOf(inquiry.member().name, walk, nowMs)
    if (images === undefined) return leave('absolute', walk)
    return { kind: 'give', images, untilMs: walk.untilMs, fresh: { walk, step, list } }
  }

  /** What answer mode knows about a name, for people. */
  explain(name: string, nowMs: number): string | undefined {
    const { known, lists, judge } = this.parts
    const step = readFirstStep(name, known.zone)
    if (step === undefined || !lists.namespaces.has(step.namespace)) return undefined
    if (this.state !== 'on') return `off: ${stateTexts[this.state]}`
    if (!isPublic(step)) return 'not for this name: it does not look like one of the outside world'
    const octets = Buffer.from(name, 'latin1')
    const isDenied = judge.denialOf(octets, octets.length, nowMs) !== undefined
    return `on: clients of this namespace whose list is known get the absolute name's addresses${isDenied ? '' : ', once this name is denied'}`
  }

  private listOf(step: FirstStep, client: string): SearchList | undefined {
    const { lists } = this.parts
    if (!lists.namespaces.has(step.namespace) || !isPublic(step)) return undefined
    const list = lists.find(step.namespace, client)
    // A name with `ndots` dots is asked as it is first.
    return list === undefined || step.labels.length > list.ndots ? undefined : list
  }

  /** The slowest piece of missing evidence that the question can wait for; all of it is asked. */
  private hold(walk: Walk, { asker }: Inquiry): AnswerVerdict | undefined {
    if (asker.turns >= turnsMax.answerMode) return undefined
    const { own, inFlight } = this.parts
    const client = asker.clientAddress()
    let room = inFlight.room
    let held: AnswerVerdict | undefined
    for (const awaited of walk.wanted) {
      const plan = own.planJoin(awaited.name, awaited.qtype, room > 0)
      if (plan === undefined) continue
      if (plan.ticket === undefined) room -= 1
      if (inFlight.mayWait(plan.ticket, client)) held = { kind: 'hold', walk, awaited, plan }
    }
    return held
  }

  private tell(): void {
    const { state } = this
    if (state === this.toldState) return
    this.toldState = state
    this.parts.reports.onAnswerState(state)
  }
}

/** @returns the message that a client gets, with present TTLs: they are written into the pinned image */
export function givenImage(given: Given, qtype: number, nowMs: number): Buffer {
  const image = imageFor(given, qtype)
  writeTtls(image, Math.floor((given.untilMs - nowMs) / 1000))
  return image.image
}

/** @returns the pinned message, with the TTLs that were written last */
export function imageFor({ images }: Given, qtype: number): AliasImage {
  return qtype === RrType.a ? images.a : images.aaaa
}

type Given = Extract<AnswerVerdict, { kind: 'give' }>

function leave(why: WalkReason | undefined, walk?: Walk): AnswerVerdict {
  return { kind: 'leave', why, walk }
}

/** Only questions that every stub asks, and no validator. */
function isAddress(question: Question): boolean {
  const { qtype, qclass, dnssecOk, checkingDisabled, recursionDesired } = question
  const isType = qtype === RrType.a || qtype === RrType.aaaa
  return isType && qclass === RrClass.in && recursionDesired && !dnssecOk && !checkingDisabled
}

function imagesOf(name: string, { target, a, aaaa }: Walk, nowMs: number): Images | undefined {
  const imageOf = (entry: CacheEntry | undefined, qtype: number) =>
    entry && aliasImage({ name, target, qtype }, entry.aged(nowMs))
  const [ofA, ofAaaa] = [imageOf(a, RrType.a), imageOf(aaaa, RrType.aaaa)]
  if (ofA === undefined || ofAaaa === undefined) return undefined
  return ofA.hasAddress || ofAaaa.hasAddress ? { a: ofA, aaaa: ofAaaa } : undefined
}
