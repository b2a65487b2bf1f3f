/** Ties hits answered by the kernel to the daemon: whether they may be on, for which addresses, and where their numbers go. */
import type { Endpoint } from '../../address/endpoint.ts'
import { isWildcard, parseEndpoint, rangeOf } from '../../config/address.ts'
import { CacheEntry } from '../../core/cache/entry.ts'
import { typeIn } from '../../core/cache/key.ts'
import { newReplyFacts, ReplySource } from '../../core/facts.ts'
import { Transport } from '../../core/ports.ts'
import type { InterceptionView } from '../../host/interception-view.ts'
import type { AttachmentRules, Placement } from '../../kernel/attachments.ts'
import { KernelHits } from '../../kernel/kernel-hits.ts'
import { whyNotLoaded } from '../../kernel/load-failure.ts'
import { readTable } from '../../kernel/program.ts'
import type { HitUses, ShadowSettings } from '../../kernel/shadow.ts'
import { defectLogger } from '../../observe/defects.ts'
import type { HitsOffReason, KernelHitsStats } from '../../observe/stats.ts'
import type { QuerySampler } from '../../pipeline/replies.ts'
import { loadSystemCalls } from '../../system/system-calls.ts'
import type { DaemonOptions } from '../daemon-options.ts'
import type { DataPath } from '../data-path.ts'
import { knownServers } from '../routing.ts'
import type { HitWatch } from './hit-watch.ts'
import { firewallChains, placementRules } from './placement-rules.ts'

/** What the reply carries beside the image, by shape of the query (kernel/layout.ts), and what the query carries. */
const optBytes = 11
const queryOptBytes = [0, 11, 23] as const
const headerAndTail = 12 + 4
/** No stub uses them, and echo, chargen or DNS servers do (core/question/source-guard.ts). */
const lowPorts = Array.from({ length: 1024 }, (_, port) => port)

/** What the data path does not know. */
export interface HitSurroundings {
  /** Listening addresses by their index in the counters. */
  readonly servers: () => readonly string[]
  readonly interception: () => InterceptionView
}

interface Why {
  readonly off: HitsOffReason
  readonly text: string
}

const nothing = {
  interfaces: 0,
  leftAlone: { policy: 0, program: 0, uplink: 0, refused: 0 },
  entries: 0,
  counts: [],
}

export class HitControl implements HitWatch {
  private readonly listening: QuerySampler = {
    record: (_arrival, { stored }, { transport }) => {
      if (stored instanceof CacheEntry && transport === Transport.udp)
        this.hits?.shadow.noteHit(stored)
    },
  }
  private readonly path: DataPath
  private readonly options: Pick<DaemonOptions, 'log' | 'link'>
  private readonly around: HitSurroundings
  private hits: KernelHits | undefined
  private why: Why = { off: 'mode', text: 'kernelHits.mode is off' }
  /** A start tries twice. */
  private saidWhy = ''
  private readonly facts = newReplyFacts()

  constructor(path: DataPath, options: HitControl['options'], around: HitSurroundings) {
    this.path = path
    this.options = options
    this.around = around
    path.watchHits(this)
  }

  /** Nobody hears of replies while it is off: a hit costs what it did. */
  get sampler(): QuerySampler | undefined {
    return this.hits === undefined ? undefined : this.listening
  }

  /** Loads the program, where it is wanted; blocks meanwhile. Never throws: without it the daemon answers alone. */
  load(): void {
    const { log } = this.options
    if (this.path.outlook.config.kernelHits.mode === 'off' || this.hits !== undefined) return
    try {
      const why = this.refusal()
      if (why === undefined) this.hits = this.make()
      else this.why = why
    } catch (error) {
      this.why = failed(error)
    }
    if (this.hits !== undefined) this.path.watchHits(this)
    else if (this.saidWhy !== this.why.text) log.warn({ why: this.why.text }, 'kernel hits: off')
    this.saidWhy = this.why.text
  }

  get program(): number | undefined {
    return this.hits?.id
  }

  /** Attaches the program. Never rejects. @param beside as in `KernelHits.start` */
  async start(beside?: number): Promise<void> {
    this.load()
    await this.hits?.start(beside).catch(async (error: unknown) => {
      await this.stop()
      this.why = failed(error)
      this.options.log.warn({ why: this.why.text }, 'kernel hits: off')
    })
  }

  explain(entry: CacheEntry | undefined): readonly string[] {
    const isHeld = entry !== undefined && this.hits?.shadow.holds(entry) === true
    return isHeld ? ['kernel    gives this answer itself, at interfaces of pods'] : []
  }

  clear(): void {
    this.hits?.clear()
  }

  changed(): void {
    const { hits } = this
    if (hits === undefined) return
    hits.shadow.settings = this.shadowSettings()
    hits.changed()
  }

  /** Nothing is answered any more when the call returns; the rest takes a moment. */
  async stop(): Promise<void> {
    const { hits } = this
    this.hits = undefined
    if (hits !== undefined) this.why = { off: 'stopped', text: 'the daemon does not serve' }
    if (hits === undefined) return
    const stopping = hits.stop()
    this.path.watchHits(this)
    await stopping
  }

  stats(): KernelHitsStats {
    const { hits, why } = this
    if (hits === undefined) return { off: why.off, why: why.text, ...nothing }
    if (this.mustSeeAll())
      return { off: 'queries', why: 'each query has to be seen', ...hits.view() }
    return { off: undefined, why: '', ...hits.view() }
  }

  private refusal(): Why | undefined {
    if (this.options.link !== undefined)
      return { off: 'workers', text: 'there are several processes, each with a cache of its own' }
    return readTable() === undefined
      ? { off: 'program', text: 'this build has no program for the kernel (npm run build:kernel)' }
      : undefined
  }

  /** The query log, and who looks at live queries, must hear of each; no entry is everybody's while questions are rewritten. */
  private mustSeeAll(): boolean {
    const { path } = this
    const { log } = path.outlook.config
    return (
      log.queries.sampleOneIn !== 0 ||
      log.dnstap.socket !== null ||
      path.isWatched ||
      path.shadowGeneration < 0
    )
  }

  private make(): KernelHits {
    const { path } = this
    const { kernelHits, listen } = this.path.outlook.config
    const table = readTable()
    if (table === undefined) throw new Error('no table')
    const rules = placementRules(kernelHits)
    return new KernelHits(
      {
        calls: loadSystemCalls(),
        table,
        cache: path.cache,
        generation: () => path.shadowGeneration,
        nowMs: path.nowMs,
        isPresent: (entry) => path.resolver.isPresent(entry),
        refresh: (entry) => path.refresh(entry),
        onHits: (uses) => this.count(uses),
        servers: () => this.servers(),
        guardedPorts: () => this.guardedPorts(),
        chains: firewallChains,
        onPlacement: (placement) => this.logPlacement(placement, rules),
        onDefect: defectLogger(this.options.log),
      },
      {
        ...this.shadowSettings(),
        ...rules,
        entriesMax: kernelHits.entriesMax,
        // Sockets are opened later.
        serversMax: listen.length,
      },
    )
  }

  private shadowSettings(): ShadowSettings {
    const { interception, udp, cache } = this.path.outlook.config
    // Our own OPT record says that we send no more (RFC 9715), and a larger packet might not get through.
    const replyBytesMax = Math.min(udp.replyBytesMax, 1232)
    return { leaseMs: interception.lifetimeMs, replyBytesMax, rotates: cache.rotate }
  }

  /**
   * Those that the kernel may answer for. An address that is not intercepted now is CoreDNS's. None while each query has to be seen.
   */
  private servers(): readonly (Endpoint | undefined)[] {
    const { interception: settings } = this.path.outlook.config
    if (this.mustSeeAll()) return []
    const interception = this.around.interception()
    const active = new Set(
      interception.addresses.flatMap((one) => (one.isActive ? [one.address] : [])),
    )
    const intercepted = [...settings.addresses, ...settings.clusterIps].map(
      ({ address }) => address,
    )
    return this.own().map((at) => {
      if (at === undefined || isWildcard(at) || rangeOf(at) === 'loopback') return undefined
      const isOurs = settings.mode === 'none' || !intercepted.includes(at.address)
      return isOurs || active.has(at.address) ? at : undefined
    })
  }

  private own(): readonly (Endpoint | undefined)[] {
    return this.around.servers().map((text) => {
      const parsed = parseEndpoint(text)
      return parsed.ok ? parsed.value : undefined
    })
  }

  private guardedPorts(): number[] {
    const own = this.own().filter((at) => at !== undefined)
    const known = knownServers(this.path.outlook.routing, own)
    return [...lowPorts, ...known.map(({ port }) => port)]
  }

  private count({ entry, server, shape, hits }: HitUses): void {
    const { facts } = this
    const { key, isDenial, imageBytes } = entry
    const hasOpt = shape % 3 !== 0
    facts.serverIndex = server
    facts.zoneIndex = entry.route.zoneIndex
    facts.family = shape < 3 ? 4 : 6
    facts.qtype = typeIn(key)
    facts.rcode = entry.rcode
    facts.source = isDenial ? ReplySource.cacheDenial : ReplySource.cacheSuccess
    facts.queryBytes = headerAndTail + entry.name.length + (queryOptBytes[shape % 3] ?? 0)
    facts.replyBytes = imageBytes + (hasOpt ? optBytes : 0)
    this.path.outlook.counters.repliedElsewhere(facts, hits)
  }

  private logPlacement(placement: Placement, { isForced, bridges }: AttachmentRules): void {
    const { log } = this.options
    const attached = [...placement].flatMap(([name, why]) => (why === undefined ? [name] : []))
    const leftAlone = Object.fromEntries(
      [...placement].flatMap(([name, why]) => (why === undefined ? [] : [[name, why.text]])),
    )
    log.info({ attached, leftAlone }, 'kernel hits: interfaces')
    if ((isForced || bridges.length > 0) && attached.length > 0) {
      log.warn(
        { attached },
        'kernel hits: no policy or other program at the interfaces that kernelHits.interfaces and kernelHits.bridges name sees what the kernel answers',
      )
    }
  }
}

function failed(error: unknown): Why {
  const { kind, text } = whyNotLoaded(error)
  return { off: kind, text }
}
