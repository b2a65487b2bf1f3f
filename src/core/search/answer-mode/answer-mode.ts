/**
 * Answer mode: the first question of a walk along a search list gets what its last would find, so that a pod asks two
 * questions in place of eight. Opt-in, because it is right only if the list is known exactly, and because who asks for
 * `N.<ns>.svc.Z` as such gets N, too (searchpath 3.5, 3.6). Whenever a condition does not hold, nothing is answered here, and
 * the client walks.
 */
import { RrClass, RrType } from '../../../wire/constants.ts'
import type { Question } from '../../../wire/question.ts'
import type { CacheEntry } from '../../cache/entry.ts'
import { LatestMap } from '../../cache/latest-map.ts'
import type { Decision, Moment } from '../../decision.ts'
import { turnsMax } from '../../question/arrival.ts'
import type { InFlight } from '../../question/in-flight.ts'
import { clusterSuffixes, type FirstStep, isPublic, readFirstStep } from '../first-step.ts'
import type { PairMember, Pairs } from '../pairs.ts'
import type { SearchReports } from '../reports.ts'
import { aliasImage, writeTtls } from './alias-image.ts'
import type { SearchList, SearchLists } from './lists.ts'
import { type Images, Pins } from './pins.ts'
import { type AnswerState, isOffForGood, stateTexts } from './state.ts'
import { type Walk, type WalkParts, WalkReader, type WalkReason } from './walk.ts'

/** Who was left to walk is left so for as long: the other half of the look-up, and its retries, must not be told otherwise. */
const walkMs = 2000
/** By then a look-up has come to its second step: glibc gives up on a silent server after 2 x 5 s. */
const stepMs = 10_000
const stepsMax = 4096

export interface AnswerModeParts extends WalkParts {
  readonly lists: SearchLists
  readonly inFlight: InFlight
  readonly pairs: Pairs
  readonly reports: SearchReports
}

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
  /** Names, by client, that come next on walks under way. */
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

  /** Numbers for whoever watches. */
  view() {
    return { state: this.state, answered: this.answered, fallbacks: this.fallbacks }
  }

  /** A denial of ours was wrong: none of this can be relied on any more. */
  stop(): void {
    this.isStopped = true
    this.pins.clear()
    this.tell()
  }

  get hasPins(): boolean {
    return this.pins.size > 0
  }

  /** Whether the client was told of an answer a moment ago. */
  isPinned(asked: PairMember, nowMs: number): boolean {
    return this.pins.peek(asked, nowMs)?.images !== undefined
  }

  /**
   * A client asks for a name of the zone. If that can be the first step for a name that ends in a namespace of ours, its next step
   * looks like a first one of that namespace, and is none.
   */
  noteStep({ name, client }: PairMember, nowMs: number): void {
    const { known, lists } = this.parts
    const step = readFirstStep(name, known.zone)
    if (step === undefined || step.labels.length < 2) return
    if (!lists.namespaces.has(step.labels.at(-1) ?? '')) return
    const [svcZone] = clusterSuffixes(known.zone)
    const key = `${client} ${step.labels.join('')}${svcZone}`
    this.nextSteps.set(key, nowMs + stepMs)
  }

  /**
   * @param asked its name is that of the question
   * @returns undefined when the question is to be decided as if there was no answer mode
   */
  begin(asked: PairMember, question: Question, moment: Moment): Buffer | Decision | undefined {
    if (!isAddress(question)) return undefined
    const { nowMs } = moment
    const pin = this.pins.get(asked, nowMs)
    if (pin !== undefined) return pin.images && this.give(pin.images, pin.untilMs, asked, nowMs)
    this.tell()
    if (isOffForGood(this.state)) return undefined
    const step = readFirstStep(asked.name, this.parts.known.zone)
    const list = step && this.listOf(step, asked.client)
    if (step === undefined || list === undefined) return undefined
    // Switched on by the answer to one half, it must not come between the two.
    if (this.state !== 'on') return this.leave(asked, nowMs)
    return this.decide(step, list, asked, moment)
  }

  /** Nothing was decided about this look-up yet. */
  private decide(
    step: FirstStep,
    list: SearchList,
    asked: PairMember,
    moment: Moment,
  ): Buffer | Decision | undefined {
    const { nowMs } = moment
    const { name, client } = asked
    // The other half of it was denied.
    if (this.parts.pairs.holds(asked, nowMs)) return this.leave(asked, nowMs)
    const isLater = nowMs < (this.nextSteps.get(`${client} ${name}`) ?? 0)
    if (isLater) return this.fallBack('second-step', asked, nowMs)
    const walk = this.reader.read(step, list, nowMs)
    if (walk.refusal !== undefined) return this.fallBack(walk.refusal, asked, nowMs)
    if (walk.wanted.length > 0)
      return this.hold(walk, client, moment) ?? this.fallBack('evidence', asked, nowMs)
    const images = imagesOf(name, walk, nowMs)
    if (images === undefined) return this.fallBack('absolute', asked, nowMs)
    this.reader.check(step, list, nowMs)
    this.pins.set(asked, { images, untilMs: walk.untilMs }, nowMs)
    return this.give(images, walk.untilMs, asked, nowMs)
  }

  private give(images: Images, untilMs: number, { qtype }: PairMember, nowMs: number): Buffer {
    this.answered += 1
    const image = qtype === RrType.a ? images.a : images.aaaa
    writeTtls(image, Math.floor((untilMs - nowMs) / 1000))
    return image.image
  }

  /** What answer mode has to say about a name, for people. */
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
    // With `ndots` dots the name itself is asked first.
    return list === undefined || step.labels.length > list.ndots ? undefined : list
  }

  /** Has the rest of the evidence asked for, and lets the question wait for the slowest part of it. */
  private hold(walk: Walk, client: string, { decision }: Moment): Decision | undefined {
    const { own, inFlight } = this.parts
    for (const { name, qtype } of walk.wanted) own.ask(name, qtype)
    if (decision.turns >= turnsMax.answerMode) return undefined
    for (const { name, qtype } of walk.wanted.toReversed()) {
      const asked = own.join(name, qtype, false)
      if (asked === undefined || !inFlight.mayWait(asked.ticket, client)) continue
      decision.wait(asked.ticket, false, false)
      decision.follows = 'answerMode'
      return decision
    }
    return undefined
  }

  /** The client walks, and both halves of its look-up do. */
  private fallBack(why: WalkReason, asked: PairMember, nowMs: number): undefined {
    this.fallbacks[why] += 1
    this.leave(asked, nowMs)
  }

  private leave(asked: PairMember, nowMs: number): undefined {
    this.pins.set(asked, { images: undefined, untilMs: nowMs + walkMs }, nowMs)
  }

  private tell(): void {
    const { state } = this
    if (state === this.toldState) return
    this.toldState = state
    this.parts.reports.onAnswerState(state)
  }
}

/** Only what every stub asks, and no validator. */
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
