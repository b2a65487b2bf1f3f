/**
 * Keeps the node's addresses and rules as planned while the daemon answers, and lets queries through to CoreDNS when it does not.
 * Each round sends a query to every address over the real socket; an address that answered is intercepted for another short
 * while, any other runs out by itself. Knows no DNS: the caller's function sends the query.
 */
import type { Endpoint } from '../address/endpoint.ts'
import type { InterceptionSettings } from '../config/schema.ts'
import { rulesFor } from './backends/backend.ts'
import { ConntrackWatch } from './backends/conntrack.ts'
import { detect } from './detect.ts'
import { blindness, type HostFacts } from './facts.ts'
import { type InterceptionView, viewOf } from './interception-view.ts'
import { ensureAddresses, isLocal } from './links.ts'
import type { Nftables, openNftables } from './nft/nftables.ts'
import { NodeFollower } from './node-follower.ts'
import { type NodeTools, type ReadProc, usableNftables } from './node-tools.ts'
import { clearLeftovers } from './nodelocal/leftovers.ts'
import { isSamePlan, makePlan, type Plan, type PlannedAddress } from './plan.ts'
import { Rounds } from './rounds.ts'
import type { Rules } from './rules.ts'
import type { RunProgram } from './run-program.ts'
import { Timetable } from './timetable.ts'
import { type Trouble, type TroubleKind, trouble, troubleKinds } from './trouble.ts'
import { uninstall } from './uninstall.ts'

export interface InterceptionParts {
  readonly settings: InterceptionSettings
  readonly clusterUpstreams: readonly Endpoint[]
  readonly run: RunProgram
  readonly readProc: ReadProc
  /** Opens the kernel's nftables; the interception closes them. */
  readonly openNftables: typeof openNftables
  /** Sends a query to the daemon's own socket. @returns undefined when it answered, else why not */
  readonly ask: (at: Endpoint) => Promise<string | undefined>
  readonly onTrouble: (trouble: Trouble) => void
  /** Called with the intercepted addresses, and with what the daemon cannot read on the node, when either changes. */
  readonly onChange: (active: readonly string[], blindness: string | undefined) => void
}

/** Orderly: the setting `onStop` applies. Followed: a successor intercepts. Abandoned: the start has failed. */
export type InterceptionEnd = 'orderly' | 'followed' | 'abandoned'

export class Interception {
  readonly settings: InterceptionSettings
  private readonly parts: InterceptionParts
  private nftables: Nftables | string = 'not opened yet'
  private follower: NodeFollower | undefined
  private readonly conntrack = new ConntrackWatch()
  private facts: HostFacts | undefined
  private plan: Plan | undefined
  private rules: Rules | undefined
  private active: readonly PlannedAddress[] = []
  private readonly missing = new Set<string>()
  private readonly troubles = new Map<TroubleKind, number>(troubleKinds.map((kind) => [kind, 0]))
  private renewals = 0
  private readonly rounds = new Rounds((error) => this.reportDefect(error))
  private readonly timetable: Timetable
  private readonly round = this.rounds.alone(() => this.askAndRenew())
  private readonly maintain = this.rounds.alone(() => this.maintainAll())
  private readonly restoreAddresses = this.rounds.alone(() => this.restoreMissing())
  /** Arguments of the last `onChange`. */
  private told = ''

  constructor(parts: InterceptionParts) {
    this.parts = parts
    this.settings = parts.settings
    this.timetable = new Timetable(parts.settings)
  }

  get view(): InterceptionView {
    const { plan, facts, active, troubles, renewals } = this
    return viewOf({ plan, facts, active, troubles, renewals })
  }

  /** The decisions of the plan and their reasons, in sentences. */
  get why(): readonly string[] {
    return this.plan?.why ?? []
  }

  /** Before anything listens: looks at the node, clears leftovers of others, adds addresses and rules that intercept nothing yet. */
  async prepare(): Promise<void> {
    const { settings, run } = this.parts
    const wanted = settings.addresses.length + settings.clusterIps.length
    if (settings.mode === 'none' || wanted === 0) return
    const opened = await this.parts.openNftables()
    this.nftables = opened.ok ? opened.nftables : opened.why
    const facts = await this.look()
    const plan = makePlan(settings, facts)
    this.facts = facts
    this.plan = plan
    this.report(plan.troubles)
    if (plan.backend === 'none') return
    this.report(await clearLeftovers(run, facts))
    this.report(await ensureAddresses(run, plan))
    this.rules = rulesFor(plan, run, usableNftables(this.tools))
    this.rules.onLost = (lost) => this.onLost(lost)
    this.report(await this.rules.install(plan))
  }

  /** The listeners are open: intercepts the addresses that answer, round by round. */
  async start(): Promise<void> {
    if (this.rules === undefined) return
    await this.round()
    await this.maintain()
    const { renewMs, watchMs } = this.parts.settings
    this.rounds.every(renewMs, this.round, this.maintain)
    this.rounds.every(watchMs, () => this.watchAddresses())
  }

  /** New queries go to CoreDNS from now on. @returns whether any address was intercepted before */
  async disarm(): Promise<boolean> {
    this.rounds.stop()
    const isDiverted = this.active.length > 0
    await this.renew([])
    return isDiverted
  }

  /** Removes the rules, after the listeners have closed. */
  async close(end: InterceptionEnd): Promise<void> {
    this.rounds.stop()
    await this.rules?.close(end === 'followed')
    const hasRules = this.rules !== undefined
    this.rules = undefined
    const { settings, clusterUpstreams } = this.parts
    if (end === 'orderly' && hasRules && settings.onStop === 'remove') {
      this.report(await uninstall({ tools: this.tools, settings, clusterUpstreams }))
    }
    await usableNftables(this.tools)?.close()
    this.nftables = 'closed'
  }

  private get tools(): NodeTools {
    const { run, readProc } = this.parts
    return { run, readProc, nftables: this.nftables }
  }

  private async askAndRenew(): Promise<void> {
    const answered = await this.askAll()
    if (!this.rounds.isStopped) await this.renew(answered)
  }

  /** Runs beside the rounds, because waiting for programs must not delay a renewal. */
  private async maintainAll(): Promise<void> {
    await this.checkRules()
    await this.followNode()
    await this.lookAgain()
    this.report(await this.conntrack.check())
  }

  /** @returns addresses that are on the node and answered */
  private async askAll(): Promise<PlannedAddress[]> {
    const { plan, parts } = this
    if (plan === undefined) return []
    const answers = await Promise.all(
      plan.addresses.map(async (one) => {
        const why = await parts.ask({ ...one, port: plan.port })
        if (why !== undefined) this.report([trouble('unanswered', `${one.address}: ${why}`)])
        return why === undefined ? [one] : []
      }),
    )
    return answers.flat().filter(({ address }) => !this.missing.has(address))
  }

  private async renew(live: readonly PlannedAddress[]): Promise<void> {
    const troubles = (await this.rules?.renew(live)) ?? []
    this.report(troubles)
    const now = troubles.length === 0 && this.rules?.isInstalled === true ? live : []
    if (now.length > 0) this.renewals += 1
    this.active = now
    const active = now.map(({ address }) => address)
    const blind = this.facts && blindness(this.facts)
    const told = JSON.stringify([active, blind])
    if (told !== this.told) this.parts.onChange(active, blind)
    this.told = told
  }

  private async checkRules(): Promise<void> {
    if (!this.timetable.isCheckDue(performance.now())) return
    const troubles = (await this.rules?.check()) ?? []
    this.report(troubles)
    this.timetable.checked(performance.now(), troubles)
    // Repaired rules intercept nothing yet.
    if (troubles.length > 0 && !this.rounds.isStopped) await this.renew(this.active)
  }

  private onLost(lost: Trouble): void {
    if (!this.timetable.takeRepair(performance.now())) return
    this.report([lost])
    this.rounds.run(async () => {
      const { plan, rules, active } = this
      if (this.rounds.isStopped || plan === undefined || rules === undefined) return
      this.report(await rules.check())
      await this.renew(active)
    })
  }

  private async watchAddresses(): Promise<void> {
    if ((await this.restoreAddresses()) === true) await this.round()
  }

  /**
   * Untracked packets to an address that has left the node are lost: kube-proxy does not translate them, and no socket receives them.
   * @returns whether any was missing
   */
  private async restoreMissing(): Promise<boolean> {
    const { plan, parts } = this
    if (plan === undefined) return false
    const gone: PlannedAddress[] = []
    for (const one of plan.addresses) if (!(await isLocal(one.address))) gone.push(one)
    if (gone.length === 0) return false
    for (const { address } of gone) this.missing.add(address)
    await this.renew(this.active.filter((one) => !gone.includes(one)))
    const what = `no longer on this node: ${gone.map(({ address }) => address).join(', ')}`
    this.report([trouble('address_gone', what), ...(await ensureAddresses(parts.run, plan))])
    for (const { address } of gone) if (await isLocal(address)) this.missing.delete(address)
    return true
  }

  private async followNode(): Promise<void> {
    const found = await this.follower?.look()
    const { plan, rules } = this
    if (found === undefined || plan === undefined || rules === undefined) return
    if (this.rounds.isStopped) return
    if (found === 'all') this.timetable.lookAtOnce()
    if (found === 'all' || found.targets.length === 0) return
    if (JSON.stringify(found.targets) === JSON.stringify(plan.standby)) return
    this.plan = { ...plan, standby: found.targets }
    this.report(await rules.updateStandby(this.plan))
  }

  /** Looks at the node again: its firewall may have changed, and kube-proxy may have started after the daemon. */
  private async lookAgain(): Promise<void> {
    const { plan, rules } = this
    if (plan === undefined || rules === undefined) return
    if (!this.timetable.isLookDue(performance.now())) return
    const facts = await this.look()
    const found = makePlan(this.parts.settings, facts)
    // kube-proxy may be starting: known pods are better than none.
    const standby = found.standby.length > 0 ? found.standby : plan.standby
    const next = { ...found, standby }
    if (this.rounds.isStopped || found.backend !== plan.backend || isSamePlan(next, plan)) return
    this.facts = facts
    this.plan = next
    const isStandbyOnly = isSamePlan({ ...next, standby: plan.standby }, plan)
    this.report(await (isStandbyOnly ? rules.updateStandby(next) : rules.install(next)))
    await this.round()
  }

  private async look(): Promise<HostFacts> {
    const { settings, clusterUpstreams } = this.parts
    const facts = await detect({ tools: this.tools, settings, clusterUpstreams })
    this.follower = new NodeFollower(this.tools, this.parts, facts)
    this.timetable.looked(performance.now(), facts)
    return facts
  }

  private report(troubles: readonly Trouble[]): void {
    for (const one of troubles) {
      this.troubles.set(one.kind, (this.troubles.get(one.kind) ?? 0) + 1)
      this.parts.onTrouble(one)
    }
  }

  private reportDefect(error: unknown): void {
    this.report([trouble('rules_failed', error instanceof Error ? error.message : String(error))])
  }
}
