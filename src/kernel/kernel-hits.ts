/**
 * Hits answered by the kernel, as a part of the daemon: loads the program, attaches it where it may be, keeps lease, addresses and counters
 * up to date, and takes everything away. Without the kernel, the rights or the program it is off and says why. Never needed for anything.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import type { Cache } from '../core/cache/cache.ts'
import type { CacheEntry } from '../core/cache/entry.ts'
import type { SystemCalls } from '../system/system-calls.ts'
import {
  type AttachmentRules,
  Attachments,
  type NodeFacts,
  type Obstacle,
  type Placement,
} from './attachments.ts'
import { HitMaps } from './hit-maps.ts'
import { Links, watchLinks } from './links.ts'
import { refuseOldKernel } from './load-failure.ts'
import { policyIn } from './policy.ts'
import { type InstructionTable, type LoadedProgram, loadProgram, unloadProgram } from './program.ts'
import { Refill } from './refill.ts'
import { type HitUses, roundMs, Shadow, type ShadowSettings } from './shadow.ts'

/** After a change of an interface: they come in bursts. */
const lookDelayMs = 50
/** Other people's programs at tcx come without a word: they are looked for so often. */
const lookEveryRounds = 5
/** The firewall's chains, which take longer to read. */
const chainsEveryMs = 60_000
/** The process that we follow answers meanwhile, but does not wait for long. */
const readyMsMax = 2000

export interface HitSettings extends ShadowSettings {
  readonly interfaces: readonly string[]
  readonly except: readonly string[]
  readonly bridges: readonly string[]
  readonly isForced: boolean
  readonly entriesMax: number
  /** Served addresses at the most. */
  readonly serversMax: number
}

export interface KernelHitsParts {
  readonly calls: SystemCalls
  readonly table: InstructionTable
  readonly cache: Cache
  /** Generation of the routes in force. */
  readonly generation: () => number
  readonly nowMs: () => number
  /** As in `ShadowParts`. */
  readonly isPresent: (entry: CacheEntry) => boolean
  readonly refresh: (entry: CacheEntry) => void
  readonly onHits: (uses: HitUses) => void
  /** Served addresses, by their index in the counters; those that must not be answered for now are undefined. */
  readonly servers: () => readonly (Endpoint | undefined)[]
  /** Source ports that the daemon looks at more closely. */
  readonly guardedPorts: () => Iterable<number>
  /** The chains of the firewall, as `iptables-save` prints them; undefined when they cannot be read. */
  readonly chains: () => Promise<string | undefined>
  readonly onPlacement: (placement: Placement) => void
  readonly onDefect: (error: unknown) => void
}

export interface KernelHitsView {
  readonly interfaces: number
  /** Interfaces that match and are left alone. */
  readonly leftAlone: Readonly<Record<Obstacle['kind'], number>>
  readonly entries: number
  /** Hits, then what was passed up by reason, in the order of `passedReasons`. */
  readonly counts: readonly number[]
}

export class KernelHits {
  readonly settings: HitSettings
  readonly shadow: Shadow
  private readonly parts: KernelHitsParts
  private readonly program: LoadedProgram
  private readonly maps: HitMaps
  private readonly attachments: Attachments
  private readonly links: Links
  private readonly refill: Refill
  private watch: ReturnType<typeof watchLinks> | undefined
  private timer: NodeJS.Timeout | undefined
  private lookTimer: NodeJS.Timeout | undefined
  private looking: Promise<void> | undefined
  private isClosed = false
  private rounds = 0
  private served: readonly (Endpoint | undefined)[] = []
  private placement: Placement = new Map()
  private placementText = ''
  private chains: Promise<string | undefined> = Promise.resolve(undefined)
  private chainsAtMs = Number.NEGATIVE_INFINITY

  /**
   * Loads the program, and watches the cache; answers nothing yet. Blocks for some 0.2 s, the verifier's.
   * @throws BpfError, or another error with `code`
   */
  constructor(parts: KernelHitsParts, settings: HitSettings) {
    const { calls } = parts
    refuseOldKernel(calls)
    this.parts = parts
    this.settings = settings
    const sizes = { answersMax: settings.entriesMax, servers: settings.serversMax }
    this.program = loadProgram(calls, parts.table, sizes, settings.bridges.length > 0)
    this.links = new Links(calls)
    const random = randomBytes(16)
    const secret = { seed: random.readBigUInt64LE(0), multiplier: random.readBigUInt64LE(8) | 1n }
    this.maps = new HitMaps({ calls, maps: this.program.maps, sizes, secret })
    this.attachments = new Attachments(calls, this.program, settings)
    this.shadow = new Shadow(
      {
        ...parts,
        maps: this.maps,
        bootNs: () => calls.bootNs(),
        later: (ms, work) => setTimeout(() => this.isClosed || work(), ms).unref(),
      },
      settings,
    )
    parts.cache.watcher = this.shadow
    this.refill = new Refill({ ...parts, shadow: this.shadow })
    this.refill.begin()
    // They take a while, and are there when it starts.
    if (!settings.isForced) this.firewall().catch(parts.onDefect)
  }

  /** The program's number. */
  get id(): number {
    return this.program.id
  }

  /**
   * Attaches, and answers from now on.
   * @param beside number of the program of the process that we follow: it answers until that process lets go
   */
  async start(beside: number | undefined): Promise<void> {
    const { parts } = this
    if (beside !== undefined) this.attachments.standBeside(beside)
    this.maps.guard(parts.guardedPorts())
    this.watch = watchLinks(parts.calls, () => this.lookSoon())
    this.timer = setInterval(() => this.round(), roundMs)
    this.timer.unref()
    this.round()
    const ready = this.refill.done.then(() => this.look())
    await Promise.race([ready, delay(readyMsMax, undefined, { ref: false })])
  }

  /** Everything comes back before the daemon changes what it answers. */
  clear(): void {
    this.shadow.clear()
  }

  /** What the daemon answers has changed: what it would answer as before comes back. */
  changed(): void {
    this.maps.guard(this.parts.guardedPorts())
    this.serve()
    this.shadow.takeLast()
    this.refill.begin()
  }

  /** Nothing is answered from now on: in the same call the program is gone from all interfaces. */
  async stop(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    const { parts, shadow, program } = this
    this.refill.end()
    shadow.suspend()
    this.attachments.close()
    clearInterval(this.timer)
    clearTimeout(this.lookTimer)
    if (parts.cache.watcher === shadow) parts.cache.watcher = undefined
    shadow.clear()
    shadow.takeLast()
    await this.looking
    await this.links.close()
    unloadProgram(parts.calls, program)
    await this.watch?.close()
    if (this.watch !== undefined) parts.calls.closeDescriptor(this.watch.fd)
  }

  view(): KernelHitsView {
    const leftAlone = { policy: 0, program: 0, uplink: 0, refused: 0 }
    for (const why of this.placement.values()) if (why !== undefined) leftAlone[why.kind] += 1
    return {
      interfaces: this.attachments.count,
      leftAlone,
      entries: this.shadow.entries,
      counts: this.isClosed ? [] : this.maps.readCounts(),
    }
  }

  private round(): void {
    this.serve()
    this.shadow.round()
    this.rounds += 1
    // At first, too: programs of the process before us go when we serve.
    if (this.rounds <= 2 || this.rounds % lookEveryRounds === 0) this.lookSoon()
  }

  /** Follows the addresses that come and go with the interception. */
  private serve(): void {
    // Of an address that came later there are no counters.
    const wanted = this.parts.servers().slice(0, this.maps.sizes.servers)
    for (const [i, before] of this.served.entries()) {
      const after = wanted[i]
      if (before !== undefined && (after === undefined || !isSame(before, after)))
        this.maps.noLongerServe(before)
    }
    for (const [i, after] of wanted.entries()) {
      const before = this.served[i]
      if (after !== undefined && (before === undefined || !isSame(before, after)))
        this.maps.serve(after, i)
    }
    this.served = wanted
  }

  private lookSoon(): void {
    if (this.isClosed || this.lookTimer !== undefined) return
    this.lookTimer = setTimeout(() => {
      this.lookTimer = undefined
      this.look().catch(this.parts.onDefect)
    }, lookDelayMs)
    this.lookTimer.unref()
  }

  private async look(): Promise<void> {
    const before = this.looking
    const looking = (async () => {
      await before
      if (!this.isClosed) await this.lookNow()
    })()
    this.looking = looking.catch(() => undefined)
    await looking
  }

  private firewall(): Promise<string | undefined> {
    const nowMs = performance.now()
    if (nowMs >= this.chainsAtMs + chainsEveryMs) {
      this.chains = this.parts.chains()
      this.chainsAtMs = nowMs
    }
    return this.chains
  }

  private async lookNow(): Promise<void> {
    const { parts, settings } = this
    const facts = await readNodeFacts(this.links, settings, () => this.firewall())
    if (this.isClosed) return
    this.placement = this.attachments.update(facts)
    const text = JSON.stringify([...this.placement].toSorted())
    if (text === this.placementText) return
    this.placementText = text
    parts.onPlacement(this.placement)
  }
}

/** @param chains the firewall's, as `iptables-save` prints them; undefined when they cannot be read */
export async function readNodeFacts(
  links: Links,
  { isForced }: Pick<AttachmentRules, 'isForced'>,
  chains: () => Promise<string | undefined>,
): Promise<NodeFacts> {
  const all = await links.all()
  const withClassifiers = await links.withClassifiers()
  const text = isForced ? '' : await chains()
  const names = all.map(({ name }) => name)
  const policy = text === undefined ? "the firewall's chains cannot be read" : policyIn(names, text)
  return { links: all, withClassifiers, policy }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return formatEndpoint(one) === formatEndpoint(other)
}
