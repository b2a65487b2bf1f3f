/** Applies, renews and checks the nftables form of a plan, which nft-rules.ts makes. */
import { randomBytes } from 'node:crypto'
import { Accepts, nftTroubles } from '../firewall/accepts.ts'
import { GenerationWatch } from '../nft/generation-watch.ts'
import type { NftChange, NftTable } from '../nft/model.ts'
import type { Nftables } from '../nft/nftables.ts'
import type { Plan, PlannedAddress } from '../plan.ts'
import type { Rules } from '../rules.ts'
import type { RunProgram } from '../run-program.ts'
import { type Trouble, trouble } from '../trouble.ts'
import {
  ownedTable,
  ownedTablePattern,
  renewal,
  standbyName,
  standbyPattern,
  standbyRenewal,
  standbyRenewalShare,
  standbyTable,
} from './nft-rules.ts'

export class NftRules implements Rules {
  onLost: (trouble: Trouble) => void = () => {}
  private readonly nftables: Nftables
  private readonly watch: GenerationWatch
  private readonly accepts: Accepts
  private plan: Plan | undefined
  /** Name of the owned table; random, so that two daemons on a node differ: process IDs are alike in containers. */
  private owned: string | undefined
  /** The owned table was removed by another program, and is being made again. */
  private isLost = false
  private live: readonly PlannedAddress[] = []
  /** Fingerprints of the standby table's chains, taken right after they were made. */
  private standbyPrints: readonly string[] = []
  private nextStandbyMs = 0

  constructor(run: RunProgram, nftables: Nftables) {
    this.nftables = nftables
    this.watch = new GenerationWatch(nftables)
    this.accepts = new Accepts(run, nftables)
  }

  get isInstalled(): boolean {
    return this.owned !== undefined
  }

  async installLasting(plan: Plan): Promise<Trouble[]> {
    this.plan = plan
    await this.sweepStandby(plan)
    return [...(await this.installStandby(plan)), ...(await this.accepts.install(plan))]
  }

  async install(plan: Plan): Promise<Trouble[]> {
    return [...(await this.installLasting(plan)), ...(await this.installOwned(plan))]
  }

  async renew(live: readonly PlannedAddress[]): Promise<Trouble[]> {
    const { plan, owned } = this
    const passable = this.accepts.passable(live)
    this.live = passable
    if (plan === undefined || owned === undefined) return []
    const done = await this.nftables.change(renewal(owned, plan, passable))
    if (done.ok) return passable.length < live.length ? this.accepts.refusals() : []
    if (done.code !== 'ENOENT') {
      this.owned = undefined
      return nftTroubles(done)
    }
    this.isLost = true
    this.onLost(trouble('rules_flushed', `the table ${owned} was gone`))
    return []
  }

  async check(): Promise<Trouble[]> {
    const { plan } = this
    if (plan === undefined) return []
    if (this.owned === undefined || this.isLost) return await this.installOwned(plan)
    const standby = (await this.watch.hasMoved()) ? await this.checkStandby(plan) : []
    await this.renewStandby(plan)
    return [...standby, ...(await this.accepts.check(plan))]
  }

  /** A table that is gone meanwhile is made again by the next check. */
  private async renewStandby(plan: Plan): Promise<void> {
    const changes = standbyRenewal(plan)
    if (changes.length === 0 || performance.now() < this.nextStandbyMs) return
    this.nextStandbyMs = performance.now() + plan.standbyExpiryMs * standbyRenewalShare
    await this.nftables.change(changes)
  }

  private async checkStandby(plan: Plan): Promise<Trouble[]> {
    const prints = await this.printsOf(standbyTable(plan))
    if (prints.join() === this.standbyPrints.join()) return []
    const what = `the table ${standbyName(plan)} was not as it was made`
    return [trouble('rules_flushed', what), ...(await this.installStandby(plan))]
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

  /** Removes standby tables of an earlier configuration, unless a running daemon may use them. */
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
    const made: NftChange = { kind: 'replaceTable', table }
    const done = await this.nftables.change([made, ...standbyRenewal(plan)])
    if (!done.ok) return nftTroubles(done)
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

  /** Replaces the previous table in one transaction: interception is never interrupted. */
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
    if (!done.ok) return nftTroubles(done)
    return []
  }
}

function deletionOf(name: string): NftChange {
  return { kind: 'deleteTable', family: 'inet', name }
}
