/** One question in a group that a test plays: upstreams that note what they are sent, a clock that the test turns. */
import * as assert from 'uvu/assert'
import type { UpstreamTransport } from '../../src/address/upstream-url.ts'
import type { Ask, Outcome } from '../../src/core/ports.ts'
import type { Attempt, Upstream } from '../../src/upstream/attempt.ts'
import { type AttemptFailure, GroupCounters } from '../../src/upstream/counters.ts'
import type { Dialect } from '../../src/upstream/policy/dialect.ts'
import { LoopSuspicion } from '../../src/upstream/policy/loop-suspicion.ts'
import { Patience } from '../../src/upstream/policy/patience.ts'
import { RetryBudget } from '../../src/upstream/policy/retry-budget.ts'
import { UpstreamQuestion } from '../../src/upstream/question.ts'
import type { OpenQuestion, QuestionGroup } from '../../src/upstream/question-group.ts'
import type { ExchangeSettings } from '../../src/upstream/settings.ts'
import { scanResponse } from '../../src/wire/scan.ts'
import { aRecord, responseTo } from '../core/support.ts'
import { Clock, NotingUpstream, startMs } from './parts.ts'
import { askFor, settings } from './support.ts'

/** Of the test that runs; none may leave a timer behind. */
const begun: UpstreamQuestion[] = []
/** For `after.each`. */
export function endAll(): void {
  for (const question of begun.splice(0)) question.fail('shutdown')
}

/** Puts on the wire what it is given, unless it waits for a connection or fails. */
export class Sending extends NotingUpstream {
  private readonly clock: Clock
  waits = false

  constructor(clock: Clock, name: string, transport: UpstreamTransport) {
    super(transport, name)
    this.clock = clock
  }

  override send(attempt: Attempt): AttemptFailure | undefined {
    if (!this.waits && this.failure === undefined) attempt.sentMs = this.clock.nowMs
    return super.send(attempt)
  }
}

export interface Setup {
  readonly upstreams?: number
  readonly transport?: UpstreamTransport
  readonly settings?: Partial<ExchangeSettings>
  readonly isOrdered?: boolean
}

export class Asking implements QuestionGroup {
  readonly clock = new Clock()
  readonly context = this.clock.context
  readonly settings: ExchangeSettings
  readonly counters = new GroupCounters()
  readonly patience = new Patience()
  readonly loops = new LoopSuspicion()
  readonly hedges = new RetryBudget(0)
  readonly failovers = new RetryBudget(0)
  readonly all: Sending[]
  readonly question: UpstreamQuestion
  readonly ask: Ask & { waiters: number[] } = { ...askFor('www.example'), waiters: [] }
  /** `answer 0 from a`, `failed timeout`. */
  readonly told: string[] = []
  isDown = false
  isOrdered: boolean
  isCovered = true
  ends = 0
  outages = 0
  /** The list of upstreams is being looked at again. */
  isLooking = false
  private readonly deferred: OpenQuestion[] = []

  constructor({
    upstreams = 2,
    transport = 'udp',
    settings: changes = {},
    isOrdered = false,
  }: Setup = {}) {
    this.isOrdered = isOrdered
    this.settings = { ...settings, ...changes }
    const names = ['a', 'b', 'c'].slice(0, upstreams)
    this.all = names.map((name) => new Sending(this.clock, name, transport))
    const onOutcome = (_ask: unknown, outcome: Outcome) => this.told.push(tell(outcome))
    this.question = new UpstreamQuestion(this, this.ask, { onOutcome })
    begun.push(this.question)
  }

  static begun(setup?: Setup): Asking {
    const asking = new Asking(setup)
    asking.question.begin()
    return asking
  }

  nowMs(): number {
    return this.clock.nowMs
  }

  get silenceMs(): number {
    return this.settings.silenceMs
  }

  get size(): number {
    return this.all.length
  }

  comesBefore(one: Upstream, other: Upstream): boolean {
    const order: readonly Upstream[] = this.all
    return this.isOrdered && order.indexOf(one) < order.indexOf(other)
  }

  has(upstream: Upstream): boolean {
    const all: readonly Upstream[] = this.all
    return all.includes(upstream)
  }

  firstChoice(): Sending | undefined {
    return this.otherChoice([])
  }

  otherChoice(tried: readonly unknown[]): Sending | undefined {
    return this.all.find((upstream) => !tried.includes(upstream))
  }

  spend(): boolean {
    return this.isCovered
  }

  end(): void {
    this.ends += 1
  }

  defer(question: OpenQuestion): void {
    this.deferred.push(question)
  }

  awaitsOthers(): boolean {
    return this.isLooking
  }

  noteOutage(): void {
    this.outages += 1
  }

  /** What was sent, in order: `a first`. */
  get sent(): string[] {
    return this.all
      .flatMap((upstream) => upstream.sent.map((attempt) => ({ attempt, upstream })))
      .toSorted((one, other) => one.attempt.madeMs - other.attempt.madeMs)
      .map(({ attempt, upstream }) => `${upstream.name} ${attempt.kind}`)
  }

  attempt(index: number, which = -1): Attempt {
    const attempt = this.all[index]?.sent.at(which)
    if (attempt === undefined) throw new Error('nothing was sent')
    return attempt
  }

  /** A reply to the last that was sent to an upstream, unless `which` says otherwise; `isBare` is one without OPT. */
  reply(
    index: number,
    { rcode = 0, tc = false, which = -1, isEmpty = false, isBare = false } = {},
  ): void {
    const answers = isEmpty || rcode !== 0 ? [] : [aRecord('www.example', '192.0.2.1')]
    const whole = responseTo('www.example', 'A', { rcode, answers, flags: tc ? 0x0200 : 0 })
    const reply = isBare ? whole.subarray(0, -11) : whole
    reply.writeUInt16BE(isBare ? 0 : 1, 10)
    assert.ok(scanResponse(reply, reply.length, this.context.scan))
    const attempt = this.attempt(index, which)
    attempt.isDone = true
    this.question.onReply(attempt, reply, this.context.scan)
    reply.fill(0xff)
  }

  dialect(index: number): Dialect {
    const upstream = this.all[index]
    if (upstream === undefined) throw new Error('no such upstream')
    return upstream.dialect
  }

  lose(index: number, why: AttemptFailure): void {
    this.attempt(index).fail(why)
  }

  at(afterMs: number): void {
    this.clock.nowMs = startMs + afterMs
    this.question.onTimer(this.clock.nowMs)
  }

  deliver(): string[] {
    for (const question of this.deferred.splice(0)) question.deliver()
    return this.told
  }
}

function tell(outcome: Outcome): string {
  if (outcome.kind === 'failed') return `failed ${outcome.why}`
  const { scan, upstream } = outcome
  return `answer ${scan.rcode} from ${upstream}${scan.tc ? ' with TC' : ''}`
}
