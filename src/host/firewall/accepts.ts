/**
 * Keeps the chains of other programs open to our packets: chains that drop unaccepted packets get accept rules at their head, which are
 * put back after the chain was rewritten. Chains that only their owner can open are named, so that no query is intercepted only to be
 * dropped.
 */
import type { NetlinkResult } from '../../system/netlink.ts'
import { acceptRestoreText } from '../backends/iptables-rules.ts'
import { acceptRules, addressesOf, ruleComment } from '../backends/nft-rules.ts'
import type { GuardedChain } from '../facts.ts'
import { GenerationWatch } from '../nft/generation-watch.ts'
import type { NftChange } from '../nft/model.ts'
import type { Nftables } from '../nft/nftables.ts'
import type { Plan, PlannedAddress } from '../plan.ts'
import type { RunProgram } from '../run-program.ts'
import { type Trouble, trouble, troubleOf } from '../trouble.ts'
import { guardedChains, guardedInSave } from './guarded-chains.ts'

/** iptables-legacy has no number that shows a change: every fifth check reads it again, and checks come once a second. */
const legacyEvery = 5

export class Accepts {
  private readonly run: RunProgram
  private readonly nftables: Nftables | undefined
  private chains: readonly GuardedChain[] = []
  private readonly watch: GenerationWatch | undefined
  private checks = 0
  /** A chain could not be opened; the next check tries again. */
  private hasFailed = false

  constructor(run: RunProgram, nftables: Nftables | undefined) {
    this.run = run
    this.nftables = nftables
    this.watch = nftables && new GenerationWatch(nftables)
  }

  async install(plan: Plan): Promise<Trouble[]> {
    this.chains = plan.accept
    return await this.open(plan)
  }

  /** A firewall may be switched on or rewritten at any time: until our rules are in it, it drops intercepted queries. */
  async check(plan: Plan): Promise<Trouble[]> {
    this.checks += 1
    const isChanged = (await this.watch?.hasMoved()) ?? false
    const hasLegacy = plan.variant === 'legacy' || this.chains.some(isLegacy)
    const isLegacyDue = hasLegacy && this.checks % legacyEvery === 0
    if (!isChanged && !isLegacyDue && !this.hasFailed) return []
    const native = this.chains.filter((chain) => !isLegacy(chain))
    const legacy = this.chains.filter(isLegacy)
    this.chains = [
      ...(isChanged && this.nftables !== undefined
        ? await guardedChains(this.nftables, plan.port)
        : native),
      ...(isLegacyDue ? await this.readLegacy() : legacy),
    ]
    return await this.open(plan)
  }

  /** @returns addresses whose queries no chain drops on their way to the daemon */
  passable(addresses: readonly PlannedAddress[]): readonly PlannedAddress[] {
    const closed = this.chains.filter((chain) => chain.closed !== undefined)
    return addresses.filter(({ family }) => !closed.some((chain) => concerns(chain, family)))
  }

  /** The chains that drop the queries of all other addresses. */
  refusals(): Trouble[] {
    return this.chains.flatMap(({ family, table, chain, closed }) =>
      closed === undefined
        ? []
        : [trouble('firewall_refuses', `${family} ${table} ${chain}: ${closed}`)],
    )
  }

  private async open(plan: Plan): Promise<Trouble[]> {
    const troubles: Trouble[] = []
    for (const chain of this.chains) {
      if (chain.closed === undefined) troubles.push(...(await this.openOne(plan, chain)))
    }
    this.hasFailed = troubles.length > 0
    return troubles
  }

  private async openOne(plan: Plan, chain: GuardedChain): Promise<Trouble[]> {
    if (chain.owner === 'iptables') return await this.openByIptables(plan, chain)
    const { nftables } = this
    const wanted = acceptRules(chain, plan)
    const there = ((await nftables?.rules(chain)) ?? []).filter(
      ({ comment }) => comment === ruleComment,
    )
    if (nftables === undefined || there.length >= wanted.length) return []
    const changes: NftChange[] = [
      ...there.map(({ handle }) => ({ kind: 'deleteRule', at: chain, handle }) as const),
      ...wanted.map((rule) => ({ kind: 'insertRule', at: chain, rule }) as const),
    ]
    const done = await nftables.change(changes)
    return nftTroubles(done, `${chain.family} ${chain.table} ${chain.chain}: `)
  }

  private async openByIptables(plan: Plan, { family, chain, variant }: GuardedChain) {
    const number = family === 'ip6' ? 6 : 4
    // The iptables backend has its own rules in these chains.
    if (plan.backend === 'iptables' && variant === plan.variant) return []
    if (variant === undefined || addressesOf(plan, number).length === 0) return []
    const program = `${number === 4 ? 'iptables' : 'ip6tables'}-${variant}`
    const saved = await this.run(`${program}-save`, ['-t', 'filter'])
    const rules = saved.stdout.split('\n').filter((line) => line.startsWith(`-A ${chain} `))
    if (rules.some((line) => line.includes(`"${ruleComment}"`))) return []
    const text = acceptRestoreText(plan, number, chain === 'INPUT' ? 'INPUT' : 'OUTPUT')
    const ran = await this.run(`${program}-restore`, ['--noflush', '--wait', '5'], text)
    return ran.ok ? [] : [troubleOf(program, ran, 'rules_failed')]
  }

  private async readLegacy(): Promise<GuardedChain[]> {
    const found: GuardedChain[] = []
    for (const [program, family] of [
      ['iptables-legacy-save', 'ip'],
      ['ip6tables-legacy-save', 'ip6'],
    ] as const) {
      const { stdout } = await this.run(program, ['-t', 'filter'])
      found.push(...guardedInSave(stdout, family))
    }
    return found
  }
}

function isLegacy({ variant }: GuardedChain): boolean {
  return variant === 'legacy'
}

function concerns({ family }: GuardedChain, of: 4 | 6): boolean {
  return family === 'inet' || family === (of === 4 ? 'ip' : 'ip6')
}

export function nftTroubles(done: NetlinkResult, place = ''): Trouble[] {
  if (done.ok) return []
  const stderr = `${place}${done.code === 'EPERM' ? 'operation not permitted' : done.why}`
  return [
    troubleOf('nf_tables', { ok: false, stdout: '', stderr, isMissing: false }, 'rules_failed'),
  ]
}
