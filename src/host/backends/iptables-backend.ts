/**
 * Applies, renews and checks the iptables form of a plan, whose texts iptables-rules.ts makes. An address is intercepted while
 * this process keeps writing it into the kernel's `recent` lists, which are files below /proc/net/xt_recent.
 */
import { writeFileSync } from 'node:fs'
import { savedTable } from '../facts.ts'
import { Accepts } from '../firewall/accepts.ts'
import type { Nftables } from '../nft/nftables.ts'
import type { Plan, PlannedAddress } from '../plan.ts'
import type { Rules } from '../rules.ts'
import type { Ran, RunProgram } from '../run-program.ts'
import { type Trouble, trouble, troubleOf } from '../trouble.ts'
import {
  leaseHits,
  leaseName,
  leaseWrites,
  type OwnTable,
  ownChains,
  ownTables,
  restoreText,
  standbyListName,
} from './iptables-rules.ts'
import { addressesOf, standbyRenewalShare } from './nft-rules.ts'

/** How long a call may wait for the lock of xtables. */
const lockWaitSeconds = 5
/** Each check reads `raw`; every tenth reads the other tables, too, because each costs a process. */
const otherTablesEvery = 10

export class IptablesRules implements Rules {
  onLost: (trouble: Trouble) => void = () => {}
  private readonly run: RunProgram
  private readonly nftables: Nftables | undefined
  /** For firewalls in nftables, or in the other variant. */
  private readonly accepts: Accepts
  private plan: Plan | undefined
  private live: readonly PlannedAddress[] = []
  private liveUntilMs = 0
  private renewer: NodeJS.Timeout | undefined
  /** Addresses that this process wrote into the kernel's lists. */
  private readonly written = new Set<string>()
  private checks = 0
  private nextStandbyMs = 0
  /** Our lines in the save output right after each restore, by `family table`. */
  private readonly made = new Map<string, string>()

  constructor(run: RunProgram, nftables: Nftables | undefined) {
    this.run = run
    this.nftables = nftables
    this.accepts = new Accepts(run, nftables)
  }

  get isInstalled(): boolean {
    return this.plan !== undefined
  }

  async installLasting(plan: Plan): Promise<Trouble[]> {
    this.plan = plan
    const troubles: Trouble[] = []
    for (const family of familiesOf(plan)) {
      troubles.push(...(await this.restore(plan, family, ownTables)))
    }
    this.renewStandby(plan, true)
    troubles.push(...(await this.accepts.install(plan)))
    return troubles
  }

  async install(plan: Plan): Promise<Trouble[]> {
    const troubles = await this.installLasting(plan)
    clearInterval(this.renewer)
    const everyMs = (plan.leaseSeconds * 1000) / leaseWrites
    this.renewer = setInterval(() => this.extendOrTell(), everyMs).unref()
    return troubles
  }

  async renew(answered: readonly PlannedAddress[]): Promise<Trouble[]> {
    const { plan } = this
    if (plan === undefined) return []
    const live = this.accepts.passable(answered)
    const ended = this.live.filter(({ address }) => !live.some((one) => one.address === address))
    this.live = live
    this.liveUntilMs = performance.now() + plan.lifetimeMs
    for (const one of ended) this.end(one)
    // Leases that run already are left alone: an additional write would make them longer.
    const failed = this.extend(live.filter(({ address }) => !this.written.has(address)))
    if (failed !== undefined) return [trouble('rules_flushed', failed)]
    return live.length < answered.length ? this.accepts.refusals() : []
  }

  async check(): Promise<Trouble[]> {
    const { plan } = this
    if (plan === undefined) return []
    this.checks += 1
    const tables = this.checks % otherTablesEvery === 0 ? ownTables : (['raw'] as const)
    const troubles: Trouble[] = []
    for (const family of familiesOf(plan)) {
      if ((await this.driftedTables(plan, family, tables)).length === 0) continue
      // A program that flushed one table may have flushed all; without the standby in nat nothing would answer after the daemon's end.
      const drifted = await this.driftedTables(plan, family, ownTables)
      const what = `${program(plan, family)}: rules in ${drifted.join(', ')} were not as they were made`
      troubles.push(trouble('rules_flushed', what))
      troubles.push(...(await this.restore(plan, family, drifted)))
      this.renewStandby(plan, true)
    }
    this.renewStandby(plan)
    troubles.push(...(await this.accepts.check(plan)))
    return troubles
  }

  async updateStandby(plan: Plan): Promise<Trouble[]> {
    this.plan = plan
    const troubles: Trouble[] = []
    for (const family of familiesOf(plan)) {
      troubles.push(...(await this.restore(plan, family, ['nat'])))
    }
    this.renewStandby(plan, true)
    return troubles
  }

  async close(isFollowed: boolean): Promise<void> {
    clearInterval(this.renewer)
    // The node's lists are shared with the successor, which would need a second to fill them again.
    if (!isFollowed) for (const one of this.live) this.end(one)
    this.live = []
    this.plan = undefined
  }

  /**
   * Runs five times in the life of a lease, and not at all while the event loop is blocked.
   * @returns why it failed: the kernel drops a list with the last rule that names it
   */
  private extend(addresses: readonly PlannedAddress[]): string | undefined {
    if (performance.now() > this.liveUntilMs) return undefined
    for (const one of addresses) {
      // A new address starts with as many writes as the rule demands.
      const times = this.written.has(one.address) ? 1 : leaseHits
      for (let i = 0; i < times; i++) {
        const why = write(one, '+')
        if (why !== undefined) return why
      }
      this.written.add(one.address)
    }
    return undefined
  }

  /** @param isNew the rules have just been made, and perhaps their list: the kernel drops it with the last rule that names it */
  private renewStandby(plan: Plan, isNew = false): void {
    const { standbyExpiryMs, standby, addresses } = plan
    if (standbyExpiryMs === 0 || standby.length === 0) return
    if (!isNew && performance.now() < this.nextStandbyMs) return
    this.nextStandbyMs = performance.now() + standbyExpiryMs * standbyRenewalShare
    // A list that cannot be written has lost its rules, which the next check finds.
    for (const one of addresses.filter(({ role }) => role === 'own')) {
      write(one, '+', standbyListName(one.family))
    }
  }

  private end(one: PlannedAddress): void {
    write(one, '-')
    this.written.delete(one.address)
  }

  private extendOrTell(): void {
    const failed = this.extend(this.live)
    if (failed === undefined) return
    this.written.clear()
    this.onLost(trouble('rules_flushed', failed))
  }

  private async restore(
    plan: Plan,
    family: 4 | 6,
    tables: readonly OwnTable[],
  ): Promise<Trouble[]> {
    // All tables, because iptables shows an absent table as an empty one when it is asked by name.
    const { stdout } = await this.run(`${program(plan, family)}-save`, [])
    const missing = await this.missingChains(plan, family)
    const text = tables
      .map((table) => {
        const state = { table, saved: savedTable(stdout, table), missing: missing[table] }
        return restoreText(plan, family, state)
      })
      .join('')
    const name = `${program(plan, family)}-restore`
    const ran = await this.run(name, ['--noflush', '--wait', String(lockWaitSeconds)], text)
    if (!ran.ok) return [whyNot(name, ran)]
    for (const table of tables) {
      this.made.set(`${family} ${table}`, ours(await this.save(plan, family, table)))
    }
    return []
  }

  /** Built-in chains that iptables-nft would create: its save program shows them as if they existed. */
  private async missingChains(plan: Plan, family: 4 | 6): Promise<Record<OwnTable, string[]>> {
    const bases = plan.variant === 'nft' ? await this.nftables?.baseChains() : undefined
    const isThere = (table: OwnTable, name: string) =>
      bases?.some(
        (one) =>
          one.family === (family === 4 ? 'ip' : 'ip6') && one.table === table && one.chain === name,
      ) ?? true
    const missing: Record<OwnTable, string[]> = { raw: [], filter: [], nat: [] }
    for (const { table, from } of ownChains) if (!isThere(table, from)) missing[table].push(from)
    return missing
  }

  private async driftedTables(
    plan: Plan,
    family: 4 | 6,
    tables: readonly OwnTable[],
  ): Promise<OwnTable[]> {
    const drifted: OwnTable[] = []
    for (const table of tables) {
      const now = ours(await this.save(plan, family, table))
      if (now !== this.made.get(`${family} ${table}`)) drifted.push(table)
    }
    return drifted
  }

  private async save(plan: Plan, family: 4 | 6, table: OwnTable): Promise<string> {
    return (await this.run(`${program(plan, family)}-save`, ['-t', table])).stdout
  }
}

function whyNot(name: string, ran: Ran): Trouble {
  if (/recent/.test(ran.stderr)) {
    const what = `${name}: the kernel has no match "recent" (module xt_recent), without which rules would outlive the daemon: ${ran.stderr}`
    return trouble('kernel_too_old', what)
  }
  return troubleOf(name, ran, 'rules_failed')
}

function familiesOf(plan: Plan): (4 | 6)[] {
  return ([4, 6] as const).filter((family) => addressesOf(plan, family).length > 0)
}

function program(plan: Plan, family: 4 | 6): string {
  return `${family === 4 ? 'iptables' : 'ip6tables'}-${plan.variant ?? 'nft'}`
}

/** Our lines, without counters. */
function ours(saved: string): string {
  const lines = saved.split('\n').filter((line) => line.includes('NEARDNS-'))
  return lines.map((line) => line.replace(/ \[\d+:\d+\]$/, '')).join('\n')
}

/** @returns why the kernel's list could not be changed */
function write(
  { address, family }: PlannedAddress,
  sign: '+' | '-',
  list = leaseName(family),
): string | undefined {
  const path = `/proc/net/xt_recent/${list}`
  try {
    writeFileSync(path, `${sign}${address}\n`)
    return undefined
  } catch (error) {
    return `${path}: ${error instanceof Error ? error.message : String(error)}`
  }
}
