/** Applies, renews and checks the nftables form of a plan. What is put there is nft-rules.ts's. */
import { randomBytes } from 'node:crypto'
import type { NetlinkResult } from '../system/netlink.ts'
import type { GuardedChain } from './facts.ts'
import { acceptRestoreText } from './iptables-rules.ts'
import { GenerationWatch } from './nft/generation-watch.ts'
import type { NftChange, NftTable } from './nft/model.ts'
import type { Nftables } from './nft/nftables.ts'
import {
  acceptRules,
  addressesOf,
  ownedTable,
  ownedTablePattern,
  renewal,
  ruleComment,
  standbyName,
  standbyPattern,
  standbyTable,
} from './nft-rules.ts'
import type { Plan, PlannedAddress } from './plan.ts'
import type { Rules } from './rules.ts'
import type { RunProgram } from './run-program.ts'
import { type Trouble, trouble, troubleOf } from './trouble.ts'

/** Chains of others are looked at so often at most: for those of iptables that costs a process each. */
const acceptsEveryMs = 2000

export class NftRules implements Rules {
  onLost: (trouble: Trouble) => void = () => {}
  private readonly run: RunProgram
  private readonly nftables: Nftables
  private readonly watch: GenerationWatch
  private areAcceptsDue = false
  private nextAcceptsMs = 0
  private plan: Plan | undefined
  /** The owned table; random, so that two daemons on a node do not meet: pids are all alike in containers. */
  private owned: string | undefined
  /** Somebody else has taken the owned table away; it is being made again. */
  private isLost = false
  private live: readonly PlannedAddress[] = []
  /** Of the standby table's chains when they had just been made. */
  private standbyPrints: readonly string[] = []

  constructor(run: RunProgram, nftables: Nftables) {
    this.run = run
    this.nftables = nftables
    this.watch = new GenerationWatch(nftables)
  }

  get isInstalled(): boolean {
    return this.owned !== undefined
  }

  async installLasting(plan: Plan): Promise<Trouble[]> {
    this.plan = plan
    await this.sweepStandby(plan)
    return [...(await this.installStandby(plan)), ...(await this.installAccepts(plan))]
  }

  async install(plan: Plan): Promise<Trouble[]> {
    return [...(await this.installLasting(plan)), ...(await this.installOwned(plan))]
  }

  async renew(live: readonly PlannedAddress[]): Promise<Trouble[]> {
    const { plan, owned } = this
    this.live = live
    if (plan === undefined || owned === undefined) return []
    const done = await this.nftables.change(renewal(owned, plan, live))
    if (done.ok) return []
    if (done.code !== 'ENOENT') {
      this.owned = undefined
      return troublesOf(done)
    }
    this.isLost = true
    this.onLost(trouble('rules_flushed', `the table ${owned} was gone`))
    return []
  }

  async check(): Promise<Trouble[]> {
    const { plan } = this
    if (plan === undefined) return []
    if (this.owned === undefined || this.isLost) return await this.installOwned(plan)
    const hasMoved = await this.watch.hasMoved()
    this.areAcceptsDue ||= hasMoved
    return [...(hasMoved ? await this.checkStandby(plan) : []), ...(await this.checkAccepts(plan))]
  }

  private async checkStandby(plan: Plan): Promise<Trouble[]> {
    const prints = await this.printsOf(standbyTable(plan))
    if (prints.join() === this.standbyPrints.join()) return []
    const what = `the table ${standbyName(plan)} was not as it was made`
    return [trouble('rules_flushed', what), ...(await this.installStandby(plan))]
  }

  private async checkAccepts(plan: Plan): Promise<Trouble[]> {
    if (!this.areAcceptsDue || performance.now() < this.nextAcceptsMs) return []
    this.areAcceptsDue = false
    this.nextAcceptsMs = performance.now() + acceptsEveryMs
    return await this.installAccepts(plan)
  }

  async updateStandby(plan: Plan): Promise<Trouble[]> {
    this.plan = plan
    return await this.installStandby(plan)
  }

  async close(): Promise<void> {
    const { owned } = this
    this.plan = undefined
    this.owned = undefined
    if (owned === undefined) return
    await this.nftables.change([deletionOf(owned)])
  }

  /** Standby tables of an earlier configuration, unless a daemon is running whose they could be. */
  private async sweepStandby(plan: Plan): Promise<void> {
    const names = (await this.nftables.tables()).map(({ name }) => name)
    if (names.some((name) => ownedTablePattern.test(name) && name !== this.owned)) return
    const old = names.filter((name) => standbyPattern.test(name) && name !== standbyName(plan))
    for (const name of old) {
      await this.nftables.change([deletionOf(name)])
    }
  }

  private async installStandby(plan: Plan): Promise<Trouble[]> {
    const table = standbyTable(plan)
    const done = await this.nftables.change([{ kind: 'replaceTable', table }])
    if (!done.ok) return troublesOf(done)
    this.standbyPrints = await this.printsOf(table)
    return []
  }

  private async printsOf({ name, chains }: NftTable): Promise<string[]> {
    const prints: string[] = []
    for (const { name: chain } of chains) {
      prints.push(await this.nftables.fingerprint({ family: 'inet', table: name, chain }))
    }
    return prints
  }

  /** In the place of the one before, in one step: there is no moment in which what is intercepted is not. */
  private async installOwned(plan: Plan): Promise<Trouble[]> {
    const before = this.isLost ? undefined : this.owned
    const name = `neardns-${randomBytes(4).toString('hex')}`
    const done = await this.nftables.change([
      { kind: 'addTable', table: ownedTable(name, plan) },
      ...renewal(name, plan, this.live),
      ...(before === undefined ? [] : [deletionOf(before)]),
    ])
    this.owned = done.ok ? name : before
    this.isLost = false
    if (!done.ok) return troublesOf(done)
    return []
  }

  private async installAccepts(plan: Plan): Promise<Trouble[]> {
    const troubles: Trouble[] = []
    for (const chain of plan.accept) troubles.push(...(await this.installAccept(plan, chain)))
    return troubles
  }

  private async installAccept(plan: Plan, chain: GuardedChain): Promise<Trouble[]> {
    if (chain.owner === 'iptables') return await this.acceptByIptables(plan, chain)
    const wanted = acceptRules(chain, plan)
    const there = (await this.nftables.rules(chain)).filter(
      ({ comment }) => comment === ruleComment,
    )
    if (there.length >= wanted.length) return []
    const changes: NftChange[] = [
      ...there.map(({ handle }) => ({ kind: 'deleteRule', at: chain, handle }) as const),
      ...wanted.map((rule) => ({ kind: 'insertRule', at: chain, rule }) as const),
    ]
    const done = await this.nftables.change(changes)
    return done.ok ? [] : troublesOf(done, `${chain.family} ${chain.table} ${chain.chain}: `)
  }

  private async acceptByIptables(plan: Plan, { family, chain }: GuardedChain): Promise<Trouble[]> {
    const number = family === 'ip6' ? 6 : 4
    const { variant } = plan
    if (variant === undefined || addressesOf(plan, number).length === 0) return []
    const program = `${number === 4 ? 'iptables' : 'ip6tables'}-${variant}`
    const saved = await this.run(`${program}-save`, ['-t', 'filter'])
    const rules = saved.stdout.split('\n').filter((line) => line.startsWith(`-A ${chain} `))
    if (rules.some((line) => line.includes(`"${ruleComment}"`))) return []
    const text = acceptRestoreText(plan, number, chain === 'INPUT' ? 'INPUT' : 'OUTPUT')
    const ran = await this.run(`${program}-restore`, ['--noflush', '--wait', '5'], text)
    return ran.ok ? [] : [troubleOf(program, ran, 'rules_failed')]
  }
}

function deletionOf(name: string): NftChange {
  return { kind: 'deleteTable', family: 'inet', name }
}

function troublesOf(done: NetlinkResult, place = ''): Trouble[] {
  if (done.ok) return []
  const stderr = `${place}${done.code === 'EPERM' ? 'operation not permitted' : done.why}`
  return [
    troubleOf('nf_tables', { ok: false, stdout: '', stderr, isMissing: false }, 'rules_failed'),
  ]
}
