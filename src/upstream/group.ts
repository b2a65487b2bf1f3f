/**
 * Upstreams that can replace each other: one zone's, the cluster's, or the node's resolvers. Holds the questions in flight,
 * chooses the upstream to ask, and knows whether the whole group is down. Sends nothing itself.
 */

import { formatUpstream } from '../address/upstream-url.ts'
import type { Ask, OutcomeSink } from '../core/ports.ts'
import { clientIn } from '../core/sharing/claim.ts'
import { Members } from '../core/sharing/members.ts'
import type { Claim } from '../core/sharing/shares.ts'
import type { ExchangeContext, Upstream } from './attempt.ts'
import { GroupCounters } from './counters.ts'
import { type ChoiceTerms, chooseUpstream } from './policy/choice.ts'
import { LoopSuspicion } from './policy/loop-suspicion.ts'
import { Patience } from './policy/patience.ts'
import { RetryBudget } from './policy/retry-budget.ts'
import { UpstreamQuestion } from './question.ts'
import type { OpenQuestion, QuestionGroup } from './question-group.ts'
import { UpstreamServer, type UpstreamWatcher } from './server.ts'
import type { ExchangeSettings, GroupConfig, UpstreamAddress } from './settings.ts'

/**
 * When all upstreams fail, one question in fifteen is asked twice and no more: a storm of failures must not be amplified (RFC
 * 9520
 * 3.1). When another upstream helps, the budget is refunded and sets no limit.
 */
const failoverShare = 1 / 3
const failoverBurst = 40
/**
 * How long a question waits when all upstreams are dead by proof: each is asked, because one may be back, but few wait long for it. A
 * sign of life gives it the usual time.
 */
const deadSilenceMs = 1000
/** A list of upstreams that was looked at is not looked at again within this time. */
const looksEveryMs = 50

/** Holds an outcome that must be reported in a later turn. */
export interface Deferred {
  deliver(): void
}

/** What the owner of all groups provides. */
export interface GroupOwner {
  readonly context: ExchangeContext
  defer(what: Deferred): void
  /**
   * None of the upstreams is there. Looks whether the group has others by now.
   * @param onLooked called in a later turn, when the group has its list of now
   * @returns false when its list is fixed
   */
  lookForOthers(group: UpstreamGroup, onLooked: () => void): boolean
  onStateChange(group: UpstreamGroup, upstream: UpstreamServer, up: boolean, why: string): void
  onRecovered(group: UpstreamGroup): void
}

export class UpstreamGroup implements UpstreamWatcher, QuestionGroup {
  readonly name: string
  readonly counters = new GroupCounters()
  readonly questions = new Members<OpenQuestion>()
  readonly context: ExchangeContext
  readonly hedges: RetryBudget
  /** Pays for asking again after SERVFAIL; refunded when that helped. */
  readonly failovers: RetryBudget
  settings: ExchangeSettings
  readonly patience = new Patience()
  readonly loops = new LoopSuspicion()
  private servers: readonly UpstreamServer[] = []
  private turn = 0
  private readonly owner: GroupOwner
  /** Questions failed because no upstream was reachable, and none has answered since. */
  private hasOutage = false
  private isLooking = false
  private lookedMs = Number.NEGATIVE_INFINITY

  constructor(config: GroupConfig, owner: GroupOwner) {
    this.name = config.name
    this.settings = config.settings
    this.owner = owner
    this.context = owner.context
    const { retryBudgetPercent } = config.settings
    this.hedges = new RetryBudget(retryBudgetPercent)
    this.failovers = new RetryBudget(retryBudgetPercent * failoverShare, failoverBurst)
    this.reconfigure(config)
  }

  get upstreams(): readonly UpstreamServer[] {
    return this.servers
  }

  get size(): number {
    return this.servers.length
  }

  /** The upstreams are no equals: the first speaks for all, as long as it lives. */
  get isOrdered(): boolean {
    return this.settings.policy === 'sequential'
  }

  get silenceMs(): number {
    const { silenceMs } = this.settings
    return this.isGivenUp ? Math.min(silenceMs, deadSilenceMs) : silenceMs
  }

  get isDown(): boolean {
    return this.servers.every((server) => !server.isUp)
  }

  /** Keeps the connections and the health of upstreams that stay; the others finish their questions. */
  reconfigure(config: GroupConfig): void {
    this.settings = config.settings
    this.hedges.setPercent(config.settings.retryBudgetPercent)
    this.failovers.setPercent(config.settings.retryBudgetPercent * failoverShare)
    const before = this.servers
    this.servers = config.upstreams.map((address) => this.serverFor(address, before))
    const gone = before.filter((server) => !this.servers.includes(server))
    for (const server of gone) server.retire()
    if (gone.length > 0) this.tellOfOthers()
  }

  private tellOfOthers(): void {
    for (const question of this.questions.all()) question.onRegrouped()
  }

  start(ask: Ask, sink: OutcomeSink<Ask>): void {
    const nowMs = this.nowMs()
    this.counters.questions++
    const client = clientIn(ask.claim)
    this.hedges.earn(nowMs, client)
    this.failovers.earn(nowMs, client)
    const question = new UpstreamQuestion(this, ask, sink)
    this.questions.add(question)
    question.begin()
    if (this.servers.length > 1) this.tryOutTheDoubtful(nowMs, ask)
  }

  retire(): void {
    for (const server of this.servers) server.retire()
  }

  stop(): void {
    for (const question of this.questions.all()) question.fail('shutdown')
    for (const server of this.servers) server.stop()
  }

  nowMs(): number {
    return this.context.wheel.nowMs()
  }

  /** @returns undefined when there is no upstream at all */
  firstChoice(nowMs: number): UpstreamServer | undefined {
    this.turn += 1
    return this.choose([], nowMs)
  }

  /** @returns an upstream that is not among `tried`, and not dead while another lives */
  otherChoice(tried: readonly Upstream[]): UpstreamServer | undefined {
    return this.choose(tried, this.nowMs())
  }

  /** Whether the order has one of them above the other. */
  comesBefore(one: Upstream, other: Upstream): boolean {
    if (!this.isOrdered) return false
    const order: readonly Upstream[] = this.servers
    const at = order.indexOf(one)
    return at >= 0 && at < order.indexOf(other)
  }

  has(upstream: Upstream): boolean {
    const servers: readonly Upstream[] = this.servers
    return servers.includes(upstream)
  }

  /** @returns false when the budget does not cover one more packet */
  spend(budget: RetryBudget, claim: Claim = []): boolean {
    const isCovered = budget.spend(this.nowMs(), 1, clientIn(claim))
    if (!isCovered) this.counters.budgetRefusals++
    return isCovered
  }

  end(question: OpenQuestion): void {
    this.questions.delete(question)
  }

  defer(question: OpenQuestion): void {
    this.owner.defer(question)
  }

  noteOutage(): void {
    this.hasOutage = true
  }

  awaitsOthers(): boolean {
    if (this.isLooking || this.nowMs() - this.lookedMs < looksEveryMs) return this.isLooking
    this.isLooking = this.owner.lookForOthers(this, () => this.onLooked())
    return this.isLooking
  }

  private onLooked(): void {
    this.isLooking = false
    this.lookedMs = this.nowMs()
    this.tellOfOthers()
  }

  onSignOfLife(isAnswer: boolean, nowMs: number): void {
    this.patience.noteLife(nowMs)
    if (isAnswer) this.patience.noteAnswer(nowMs)
    if (!this.hasOutage) return
    this.hasOutage = false
    this.owner.onRecovered(this)
  }

  onUpOrDown(upstream: UpstreamServer, up: boolean, why: string): void {
    this.owner.onStateChange(this, upstream, up, why)
    if (!up) this.watchForReturn(upstream)
    if (up || !this.isDown) return
    this.awaitsOthers()
    for (const server of this.servers) if (server !== upstream) server.becomeLastHope()
  }

  /** The last upstream there is takes every question, dead or not: only so is its return seen at once. */
  private choose(tried: readonly Upstream[], nowMs: number): UpstreamServer | undefined {
    const terms: ChoiceTerms = {
      policy: this.settings.policy,
      tried,
      nowMs,
      random: this.isOrdered ? 0 : this.context.random.fraction(),
      turn: this.turn,
      evenDead: this.isDead(nowMs),
    }
    return chooseUpstream(this.servers, terms)
  }

  private isDead(nowMs: number): boolean {
    return this.servers.every(({ health }) => health.isDead(nowMs))
  }

  /** All are silent, and at least one of them is dead by proof: a lone upstream that nobody has heard yet is worth the wait. */
  private get isGivenUp(): boolean {
    return this.isDown && this.servers.some(({ health }) => health.isDead(this.nowMs()))
  }

  /** While other upstreams do the work, those that are not well get a trial, so that no client pays for the test. */
  private tryOutTheDoubtful(nowMs: number, ask: Ask): void {
    for (const server of this.servers) {
      if (server.isWell(nowMs)) continue
      this.watchForReturn(server)
      server.tryOut(nowMs, ask)
    }
  }

  /** Equals can wait until somebody asks. */
  private watchForReturn(server: UpstreamServer): void {
    if (this.isOrdered && this.servers.length > 1) server.keepTrying(this.nowMs())
  }

  private serverFor(address: UpstreamAddress, before: readonly UpstreamServer[]): UpstreamServer {
    const name = formatUpstream(address)
    const known = before.find((server) => server.name === name)
    known?.reconfigure(this.settings)
    return known ?? new UpstreamServer(address, this.settings, this.context, this)
  }
}
