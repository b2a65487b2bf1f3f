/**
 * Keeps the standby's targets fresh: CoreDNS's pods change within seconds in a roll-out, and when the daemon dies, the standby must
 * know the living ones. Looks only when somebody has changed rules of the kind that kube-proxy writes: for nftables, whose generation
 * the kernel counts, that is one system call; iptables-legacy has no such number, so that it is read again now and then.
 */
import { type Detection, hasKubeProxyRules, standbyNow } from './detect.ts'
import type { HostFacts } from './facts.ts'
import { GenerationWatch } from './nft/generation-watch.ts'
import { type NodeTools, usableNftables } from './node-tools.ts'
import type { StandbyFound } from './standby-targets.ts'

/** CoreDNS ends 5 s after it was taken out of its Service (`lameduck` of kubeadm's Corefile). */
const legacyEveryMs = 1500
/** At most a twentieth of the time goes into reading: a node with thousands of Services takes long. */
const legacyPauseFactor = 20

export class StandbyFollower {
  private readonly tools: NodeTools
  private readonly wanted: Pick<Detection, 'settings' | 'clusterUpstreams'>
  private readonly facts: HostFacts
  private readonly watch: GenerationWatch | undefined
  private nextReadMs = performance.now() + legacyEveryMs

  /** @param facts the node as it was seen last; another look needs another follower */
  constructor(tools: NodeTools, wanted: StandbyFollower['wanted'], facts: HostFacts) {
    this.tools = tools
    this.wanted = wanted
    this.facts = facts
    const nftables = usableNftables(tools)
    this.watch = nftables && new GenerationWatch(nftables)
  }

  /** @returns undefined where nothing can have changed; `all` where another kube-proxy is there than before, or one at all */
  async look(): Promise<StandbyFound | 'all' | undefined> {
    if (this.wanted.settings.standbyTo.length > 0) return undefined
    const { kubeProxy, iptables: variant } = this.facts
    const nftables = usableNftables(this.tools)
    if (nftables !== undefined && (kubeProxy !== 'iptables' || variant === 'nft')) {
      if (!(await this.watch?.hasMoved())) return undefined
      if (kubeProxy === 'none') return (await hasKubeProxyRules(nftables)) ? 'all' : undefined
    } else if (kubeProxy !== 'iptables' || performance.now() < this.nextReadMs) return undefined
    const startMs = performance.now()
    const source = { run: this.tools.run, nftables, kubeProxy, variant }
    const found = await standbyNow(source, this.wanted)
    const tookMs = performance.now() - startMs
    this.nextReadMs = performance.now() + Math.max(legacyEveryMs, tookMs * legacyPauseFactor)
    return found.gaps.length > this.facts.standbyGaps.length ? 'all' : found
  }
}
