/**
 * Sees what changes on a node within seconds, between the thorough looks: CoreDNS's pods move in a roll-out, kube-proxy starts or changes
 * its mode, a firewall comes up. Looks only when somebody has changed rules: for nftables, whose generation the kernel counts, that is
 * one system call; iptables-legacy has no such number, so that it is read again now and then.
 */
import { type Detection, kubeProxyIn, standbyNow } from './detect.ts'
import type { GuardedChain, HostFacts } from './facts.ts'
import { guardedByLegacy, guardedChains } from './guarded-chains.ts'
import { GenerationWatch } from './nft/generation-watch.ts'
import { type NodeTools, usableNftables } from './node-tools.ts'
import type { StandbyFound } from './standby-targets.ts'

/** CoreDNS ends 5 s after it was taken out of its Service (`lameduck` of kubeadm's Corefile). */
const legacyEveryMs = 1500
/** A dump of all chains: a node with thousands of Services has tens of thousands. */
const guardsEveryMs = 1000
/** At most a twentieth of the time goes into reading, however long that takes. */
const pauseFactor = 20

export class NodeFollower {
  private readonly tools: NodeTools
  private readonly wanted: Pick<Detection, 'settings' | 'clusterUpstreams'>
  private readonly facts: HostFacts
  private readonly watch: GenerationWatch | undefined
  private readonly isLegacy: boolean
  private areGuardsDue = false
  private nextGuardsMs = 0
  private nextLegacyMs = performance.now() + legacyEveryMs

  /** @param facts the node as it was seen last; another look needs another follower */
  constructor(tools: NodeTools, wanted: NodeFollower['wanted'], facts: HostFacts) {
    this.tools = tools
    this.wanted = wanted
    this.facts = facts
    this.isLegacy = facts.iptables === 'legacy'
    const nftables = usableNftables(tools)
    this.watch = nftables && new GenerationWatch(nftables)
  }

  /** @returns undefined where nothing has changed; `all` where a thorough look is needed */
  async look(): Promise<StandbyFound | 'all' | undefined> {
    const hasMoved = (await this.watch?.hasMoved()) ?? false
    const isLegacyTime = this.isLegacy && performance.now() >= this.nextLegacyMs
    this.areGuardsDue ||= hasMoved || isLegacyTime
    if (hasMoved && (await this.hasOtherKubeProxy())) return 'all'
    if (await this.hasOtherGuards()) return 'all'
    const { kubeProxy, standbyGaps } = this.facts
    const isDue = kubeProxy === 'iptables' && this.isLegacy ? isLegacyTime : hasMoved
    if (!isDue || this.wanted.settings.standbyTo.length > 0) return undefined
    const startMs = performance.now()
    const found = await standbyNow(this.source, this.wanted)
    this.nextLegacyMs = nextMs(startMs, legacyEveryMs)
    return found.gaps.length > standbyGaps.length ? 'all' : found
  }

  private get source() {
    const { kubeProxy, iptables: variant } = this.facts
    return { run: this.tools.run, nftables: usableNftables(this.tools), kubeProxy, variant }
  }

  private async hasOtherKubeProxy(): Promise<boolean> {
    const nftables = usableNftables(this.tools)
    const { kubeProxy } = this.facts
    if (nftables === undefined || kubeProxy === 'ipvs') return false
    const isInNftables = kubeProxy === 'nftables' || (kubeProxy === 'iptables' && !this.isLegacy)
    return (await kubeProxyIn(nftables)) !== (isInNftables ? kubeProxy : undefined)
  }

  /** Chains that no longer refuse do not matter: what was put into them does no harm. */
  private async hasOtherGuards(): Promise<boolean> {
    if (!this.areGuardsDue || performance.now() < this.nextGuardsMs) return false
    this.areGuardsDue = false
    const startMs = performance.now()
    const nftables = usableNftables(this.tools)
    const now = [
      ...(nftables === undefined ? [] : await guardedChains(nftables)),
      ...(this.isLegacy ? await guardedByLegacy(this.tools.run) : []),
    ]
    this.nextGuardsMs = nextMs(startMs, guardsEveryMs)
    const known = this.facts.guarded.map(nameOf)
    return now.some((chain) => !known.includes(nameOf(chain)))
  }
}

function nextMs(startMs: number, everyMs: number): number {
  const nowMs = performance.now()
  return nowMs + Math.max(everyMs, (nowMs - startMs) * pauseFactor)
}

function nameOf({ family, table, chain }: GuardedChain): string {
  return `${family} ${table} ${chain}`
}
