/**
 * Follows changes of the node within seconds, between the complete looks: CoreDNS's pods move in a roll-out, kube-proxy starts or changes
 * its mode. Reads rules only after another program has changed them: for nftables, whose generation the kernel counts, the check is
 * one system call; iptables-legacy has no such number and is read again at intervals.
 */
import { type Detection, kubeProxyIn, standbyNow } from './detect.ts'
import type { HostFacts } from './facts.ts'
import type { StandbyFound } from './kube-proxy/standby-targets.ts'
import { GenerationWatch } from './nft/generation-watch.ts'
import { type NodeTools, usableNftables } from './node-tools.ts'

/** Well below the 5 s between a CoreDNS pod's removal from its Service and its end (`lameduck` of kubeadm's Corefile). */
const legacyEveryMs = 1500
/** Pause after a reading, as a multiple of its duration: at most a twentieth of the time is spent reading. */
const pauseFactor = 20

export class NodeFollower {
  private readonly tools: NodeTools
  private readonly wanted: Pick<Detection, 'settings' | 'clusterUpstreams'>
  private readonly facts: HostFacts
  private readonly watch: GenerationWatch | undefined
  private readonly isLegacy: boolean
  private nextLegacyMs = performance.now() + legacyEveryMs

  /** @param facts of the last complete look; the next one needs a new follower */
  constructor(tools: NodeTools, wanted: NodeFollower['wanted'], facts: HostFacts) {
    this.tools = tools
    this.wanted = wanted
    this.facts = facts
    this.isLegacy = facts.iptables === 'legacy'
    const nftables = usableNftables(tools)
    this.watch = nftables && new GenerationWatch(nftables)
  }

  /** @returns undefined when nothing has changed; `all` when a complete look is needed */
  async look(): Promise<StandbyFound | 'all' | undefined> {
    const hasMoved = (await this.watch?.hasMoved()) ?? false
    const isLegacyTime = this.isLegacy && performance.now() >= this.nextLegacyMs
    if (hasMoved && (await this.hasOtherKubeProxy())) return 'all'
    const { kubeProxy, standbyGaps } = this.facts
    const isDue = kubeProxy === 'iptables' && this.isLegacy ? isLegacyTime : hasMoved
    if (!isDue || this.wanted.settings.standbyTo.length > 0) return undefined
    const startMs = performance.now()
    const found = await standbyNow(this.source, this.wanted)
    const tookMs = performance.now() - startMs
    this.nextLegacyMs = performance.now() + Math.max(legacyEveryMs, tookMs * pauseFactor)
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
}
