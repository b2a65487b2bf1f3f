/**
 * Addresses without rules: what comes to them arrives by itself, and nothing stands in for them. A standby rule of an earlier
 * configuration would take every query, because none of them evades connection tracking here: so it goes.
 */
import { nftTroubles } from '../firewall/accepts.ts'
import type { Nftables } from '../nft/nftables.ts'
import type { Plan, PlannedAddress } from '../plan.ts'
import type { Rules } from '../rules.ts'
import type { RunProgram } from '../run-program.ts'
import { type Trouble, troubleOf } from '../trouble.ts'
import { removalText } from './iptables-rules.ts'
import { ownedTablePattern, standbyPattern } from './nft-rules.ts'

export class NoRules implements Rules {
  onLost: (trouble: Trouble) => void = () => {}
  readonly isInstalled = true
  private readonly run: RunProgram
  private readonly nftables: Nftables | undefined

  /** @param nftables undefined when the kernel's nftables cannot be used: there is no standby table then */
  constructor(run: RunProgram, nftables: Nftables | undefined) {
    this.run = run
    this.nftables = nftables
  }

  async installLasting(plan: Plan): Promise<Trouble[]> {
    return [...(await this.sweep()), ...(await this.sweepIptables(plan))]
  }

  async install(plan: Plan): Promise<Trouble[]> {
    return await this.installLasting(plan)
  }

  async renew(_live: readonly PlannedAddress[]): Promise<Trouble[]> {
    return []
  }

  async check(): Promise<Trouble[]> {
    return await this.sweep()
  }

  async updateStandby(): Promise<Trouble[]> {
    return []
  }

  async close(): Promise<void> {}

  /** A daemon that is still running, and intercepts, needs its standby until it ends. */
  private async sweep(): Promise<Trouble[]> {
    const { nftables } = this
    const names = ((await nftables?.tables()) ?? []).map(({ name }) => name)
    if (nftables === undefined || names.some((name) => ownedTablePattern.test(name))) return []
    const troubles: Trouble[] = []
    for (const name of names.filter((one) => standbyPattern.test(one))) {
      const done = await nftables.change([{ kind: 'deleteTable', family: 'inet', name }])
      if (!done.ok && done.code !== 'ENOENT') troubles.push(...nftTroubles(done, `${name}: `))
    }
    return troubles
  }

  /** Standby rules of the iptables backend. Its lease has run out by now, or belongs to a daemon that goes on without a standby. */
  private async sweepIptables({ variant, addresses }: Plan): Promise<Trouble[]> {
    const troubles: Trouble[] = []
    for (const family of new Set(addresses.map((one) => one.family))) {
      const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}`
      const { stdout } = await this.run(`${program}-save`, ['-t', 'nat'])
      const text = variant === undefined ? undefined : removalText('nat', stdout)
      if (text === undefined) continue
      const ran = await this.run(`${program}-restore`, ['--noflush', '--wait', '5'], text)
      if (!ran.ok) troubles.push(troubleOf(program, ran, 'rules_failed'))
    }
    return troubles
  }
}
