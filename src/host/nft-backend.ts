/** Applies, renews and checks the nftables form of a plan. The texts are nft-rules.ts's. */
import { randomBytes } from 'node:crypto'
import { type DroppingChain, nftObjects } from './facts.ts'
import { acceptRestoreText } from './iptables-rules.ts'
import {
  acceptText,
  addressesOf,
  ownedTablePattern,
  ownedTableText,
  renewText,
  ruleComment,
  standbyPattern,
  standbyTable,
  standbyTableText,
} from './nft-rules.ts'
import { OwnedTable } from './owned-table.ts'
import type { Plan, PlannedAddress } from './plan.ts'
import type { Rules } from './rules.ts'
import type { RunProgram } from './run-program.ts'
import { type Trouble, trouble, troubleOf } from './trouble.ts'

/** Chains of others are looked at in each so many checks: that costs a process each. */
const acceptEvery = 10

export class NftRules implements Rules {
  onLost: (trouble: Trouble) => void = () => {}
  private readonly run: RunProgram
  private plan: Plan | undefined
  private owner: OwnedTable | undefined
  /** Random, so that two daemons on a node do not meet; pids are all alike in containers. */
  private name = ''
  /** As nft printed the standby table when it had just been made. */
  private standbyText = ''
  private checks = 0

  constructor(run: RunProgram) {
    this.run = run
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
    const { plan, owner, name } = this
    if (plan === undefined || owner === undefined) return []
    const text = renewText(name, plan, live)
    const ran = live.length === 0 ? await owner.change(text, name) : await owner.add(text)
    if (ran.ok) return []
    await this.dropOwner()
    return [troubleOf('nft', ran, 'rules_failed')]
  }

  async check(): Promise<Trouble[]> {
    const { plan } = this
    if (plan === undefined) return []
    if (this.owner === undefined) return await this.installOwned(plan)
    const troubles: Trouble[] = []
    const listed = await this.owner.list(standbyTable(plan))
    if (!listed.ok || tableIn(listed.stdout) !== this.standbyText) {
      troubles.push(
        trouble('rules_flushed', `the table ${standbyTable(plan)} was not as it was made`),
      )
      troubles.push(...(await this.installStandby(plan)))
    }
    this.checks += 1
    if (this.checks % acceptEvery === 0) troubles.push(...(await this.installAccepts(plan)))
    return troubles
  }

  async updateStandby(plan: Plan): Promise<Trouble[]> {
    this.plan = plan
    return await this.installStandby(plan)
  }

  async close(): Promise<void> {
    await this.dropOwner()
    this.plan = undefined
  }

  /** Standby tables of an earlier configuration, unless a daemon is running whose they could be. */
  private async sweepStandby(plan: Plan): Promise<void> {
    const tables = nftObjects((await this.run('nft', ['--json', 'list', 'tables'])).stdout)
    const names = tables.flatMap(({ table }) => (table === undefined ? [] : [table.name]))
    if (names.some((name) => ownedTablePattern.test(name))) return
    for (const name of names) {
      if (!standbyPattern.test(name) || name === standbyTable(plan)) continue
      await this.run('nft', ['delete', 'table', 'inet', name])
    }
  }

  private async installStandby(plan: Plan): Promise<Trouble[]> {
    const ran = await this.run('nft', ['-f', '-'], standbyTableText(plan))
    if (!ran.ok) return [troubleOf('nft', ran, 'rules_failed')]
    const listed = await this.run('nft', ['list', 'table', 'inet', standbyTable(plan)])
    this.standbyText = tableIn(listed.stdout)
    return []
  }

  private async installOwned(plan: Plan): Promise<Trouble[]> {
    await this.dropOwner()
    const owner = new OwnedTable()
    this.name = `neardns-${randomBytes(4).toString('hex')}`
    const made = await owner.add(ownedTableText(this.name, plan))
    if (!made.ok) {
      await owner.close()
      return [troubleOf('nft', made, 'rules_failed')]
    }
    owner.onLost = (why) => {
      if (this.owner !== owner) return
      this.owner = undefined
      this.onLost(trouble('owner_lost', why))
    }
    this.owner = owner
    return []
  }

  private async installAccepts(plan: Plan): Promise<Trouble[]> {
    const troubles: Trouble[] = []
    for (const chain of plan.accept) troubles.push(...(await this.installAccept(plan, chain)))
    return troubles
  }

  private async installAccept(plan: Plan, chain: DroppingChain): Promise<Trouble[]> {
    if (chain.owner === 'iptables') return await this.acceptByIptables(plan, chain)
    const { family, table, chain: name } = chain
    const listed = await this.run('nft', ['list', 'chain', family, table, name])
    const ours = listed.stdout.split('\n').filter((line) => line.includes(ruleComment))
    if (plan.addresses.every(({ address }) => isNamed(address, chain, ours))) return []
    const ran = await this.run('nft', ['-f', '-'], acceptText(chain, plan))
    return ran.ok ? [] : [troubleOf('nft', ran, 'rules_failed')]
  }

  private async acceptByIptables(plan: Plan, { family, chain }: DroppingChain): Promise<Trouble[]> {
    const number = family === 'ip6' ? 6 : 4
    const { variant } = plan
    if (variant === undefined || addressesOf(plan, number).length === 0) return []
    const program = `${number === 4 ? 'iptables' : 'ip6tables'}-${variant}`
    const saved = await this.run(`${program}-save`, ['-t', 'filter'])
    if (saved.stdout.includes(`"${ruleComment}"`) && saved.stdout.includes(`-A ${chain} `)) {
      const ours = saved.stdout.split('\n').filter((line) => line.startsWith(`-A ${chain} `))
      if (ours.some((line) => line.includes(ruleComment))) return []
    }
    const text = acceptRestoreText(plan, number, chain === 'INPUT' ? 'INPUT' : 'OUTPUT')
    const ran = await this.run(`${program}-restore`, ['--noflush', '--wait', '5'], text)
    return ran.ok ? [] : [troubleOf(program, ran, 'rules_failed')]
  }

  private async dropOwner(): Promise<void> {
    const { owner } = this
    this.owner = undefined
    await owner?.close()
  }
}

/** Addresses of the other family cannot be in a chain of one. */
function isNamed(address: string, { family }: DroppingChain, rules: readonly string[]): boolean {
  if (family !== 'inet' && (family === 'ip6') !== address.includes(':')) return true
  return rules.some((rule) => new RegExp(`[ {]${address.replaceAll('.', '\\.')}[ ,]`).test(rule))
}

/** From `table` to its closing brace: what stands around it differs between an interactive nft and another. */
function tableIn(listed: string): string {
  return /^table [\s\S]*?^}$/m.exec(listed)?.[0] ?? ''
}
