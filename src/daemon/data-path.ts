/** Builds the parts between the listeners and the upstreams, and hands each its share of a changed configuration. */
import type { Endpoint } from '../address/endpoint.ts'
import type { Config } from '../config/schema.ts'
import { AliasCrossings } from '../core/alias-crossing.ts'
import { Cache } from '../core/cache/cache.ts'
import type { CacheEntry } from '../core/cache/entry.ts'
import { FailureCache } from '../core/cache/failure-cache.ts'
import { typeIn } from '../core/cache/key.ts'
import { Joiner } from '../core/joining.ts'
import { InFlight } from '../core/question/in-flight.ts'
import { MissBudget } from '../core/question/miss-budget.ts'
import { OwnQuestions } from '../core/question/own-questions.ts'
import { SourceGuard } from '../core/question/source-guard.ts'
import { Resolver } from '../core/resolver.ts'
import { Router } from '../core/router.ts'
import type { SearchSlot } from '../core/search/search-path.ts'
import { SearchTotals } from '../core/search/totals.ts'
import { Settler } from '../core/settlement.ts'
import type { LocalStage } from '../local/local-stage.ts'
import { Rewritings } from '../local/rewritings.ts'
import { makeLocalStages } from '../local/stages.ts'
import { noSearch } from '../observe/families/search.ts'
import { FlightRecorder } from '../observe/live/flight-recorder.ts'
import { QueryWatch } from '../observe/live/query-watch.ts'
import type { Log } from '../observe/log.ts'
import type { QueryCounters } from '../observe/query-counters.ts'
import { QueryLog } from '../observe/query-log.ts'
import { searchReports } from '../observe/search-reports.ts'
import type { KernelHitsStats, SearchView } from '../observe/stats.ts'
import { Pipeline, type PipelineSettings } from '../pipeline/pipeline.ts'
import { Replies, type ReplyContext } from '../pipeline/replies.ts'
import { WaitingRoom } from '../pipeline/waiting-room.ts'
import type { Clock } from '../platform/clock.ts'
import { TimerWheel } from '../platform/timer-wheel.ts'
import { UpstreamExchange } from '../upstream/exchange.ts'
import { Tapping } from './dnstap/tapping.ts'
import type { HitWatch } from './hits/hit-watch.ts'
import { LocalFiles } from './local-files.ts'
import { localOutlook } from './local-outlook.ts'
import { isOfResolvConf, knownServers, type Routing } from './routing.ts'
import { makeSearchPath } from './search/make-search.ts'
import type { TrustVerdict } from './search-trust.ts'
import { selfIdentity } from './self-query.ts'
import type { PathOptions, StandIns } from './stand-ins.ts'
import { Tracing } from './traces/tracing.ts'

/** What the data path gets from outside; all of it may change while the daemon runs. */
export interface Outlook {
  readonly config: Config
  readonly routing: Routing
  /** Our own listening sockets. */
  readonly own: readonly Endpoint[]
  readonly counters: QueryCounters
  readonly trust: TrustVerdict
}

export class DataPath {
  readonly cache: Cache
  readonly inFlight: InFlight
  readonly exchange: UpstreamExchange
  readonly resolver: Resolver
  readonly local: readonly LocalStage[]
  readonly rewritings = new Rewritings()
  /** Of local stages. */
  private readonly files: LocalFiles
  private config: Config
  private readonly crossings: AliasCrossings
  private readonly joiner: Joiner
  readonly pipeline: Pipeline
  /** Empty without cluster upstreams, or when switched off. */
  readonly search: SearchSlot = { path: undefined }
  readonly failures: FailureCache
  readonly router: Router
  readonly settler: Settler
  private readonly replies: Replies
  /** The last slow and failed queries. */
  readonly flights: FlightRecorder
  /** Queries as they come, for who looks. */
  readonly watch: QueryWatch
  private readonly budget: MissBudget
  private readonly own: OwnQuestions
  private readonly searchTotals = new SearchTotals()
  /** Settings that the search path in force was built from. */
  private searchBasis = ''
  private readonly log: Log
  private readonly standIns: StandIns | undefined
  readonly nowMs: () => number
  outlook: Outlook
  private readonly room: WaitingRoom
  hitWatch: HitWatch | undefined
  readonly tapping = new Tapping(() => this.replies.written)
  /** Slow and failed queries for a collector. */
  readonly tracing: Tracing

  constructor(outlook: Outlook, options: PathOptions, clock: Clock) {
    const { config, routing } = outlook
    const { log } = options
    this.log = log
    this.standIns = options.standIns
    this.nowMs = () => clock.nowMs()
    this.cache = new Cache(config.cache)
    this.failures = new FailureCache(config.cache.failureTtl)
    this.inFlight = new InFlight(config.inFlight)
    this.router = new Router(routing.zones)
    this.budget = new MissBudget(config.inFlight)
    this.exchange = this.makeExchange(routing, options)
    this.replies = new Replies(this.replyContext(outlook))
    this.flights = new FlightRecorder(config.admin, this.nowMs)
    this.tracing = new Tracing(log, options.facts ?? { version: '' })
    this.trace(outlook)
    this.watch = new QueryWatch(this.nowMs, (watcher) => this.replies.watchBy(watcher))
    const { cache, failures, inFlight, router, isAltered } = this
    this.own = new OwnQuestions({ cache, failures, inFlight, router, isAltered })
    this.files = new LocalFiles(log, () => this.configureLocal())
    this.config = config
    this.local = makeLocalStages(localOutlook(config, this.router, this.files))
    const { own, search, local } = this
    this.settler = new Settler({ cache, failures, router, search, local })
    const { settler } = this
    this.crossings = new AliasCrossings({ own, settler, local }, config.aliases.crossingsMax)
    this.joiner = new Joiner({ cache, failures, router, settler })
    const parts = { cache, failures, inFlight, router, settler, own, search, local }
    this.resolver = new Resolver(parts)
    this.outlook = outlook
    this.room = this.makeRoom()
    this.pipeline = this.makePipeline(outlook)
    this.rewritings.reconfigure(config, this.resolver)
    this.renewSearch(outlook)
  }

  /** Takes over a changed configuration: no cached answer and no question in flight is lost. */
  reconfigure(outlook: Outlook): void {
    const { config, routing } = outlook
    this.outlook = outlook
    this.hitWatch?.clear()
    this.cache.reconfigure(config.cache)
    this.failures.reconfigure(config.cache.failureTtl)
    this.inFlight.reconfigure(config.inFlight)
    this.budget.reconfigure(config.inFlight)
    this.exchange.reconfigure(routing.groups)
    this.crossings.crossingsMax = config.aliases.crossingsMax
    this.router.replace(routing.zones)
    this.config = config
    this.flights.reconfigure(config.admin)
    this.trace(outlook)
    this.configureLocal()
    this.rewritings.reconfigure(config, this.resolver)
    this.renewSearch(outlook)
    this.replies.reconfigure(this.replyContext(outlook))
    this.pipeline.reconfigure(pipelineSettings(outlook))
    this.hitWatch?.changed()
  }

  /** Undefined when nobody could answer beside us. */
  get hits(): KernelHitsStats | undefined {
    return this.hitWatch?.stats()
  }

  /** Whether somebody wants to see all queries now. */
  get isWatched(): boolean {
    return this.replies.isWatched
  }

  /** @param watch undefined: only we answer from now on */
  watchHits(watch: HitWatch | undefined): void {
    this.hitWatch = watch
    this.replies.reconfigure(this.replyContext(this.outlook))
  }

  /** Generation of the routes, by which an entry is known to be what everybody gets; of no entry while questions are rewritten. */
  get shadowGeneration(): number {
    return this.resolver.isRewriting ? -1 : this.router.generation
  }

  /** Asks for the answer of an entry again, whatever the cache says. */
  refresh(entry: CacheEntry): void {
    if (this.own.ask(entry.name, typeIn(entry.key))) this.cache.stats.prefetches += 1
    this.room.askOwn()
  }

  /** Asks nobody and looks at no file any more. */
  stop(): void {
    this.exchange.stop()
    this.watch.stop()
    this.tapping.stop()
    this.tracing.stop()
    this.files.stop()
  }

  /** A rehearsal tells nobody. */
  private trace({ config, own }: Outlook): void {
    if (this.standIns === undefined) this.flights.sink = this.tracing.follow(config.log, own)
  }

  /** Local stages take over the present configuration and the present texts of their files. */
  private configureLocal(): void {
    this.files.begin()
    const outlook = localOutlook(this.config, this.router, this.files)
    for (const stage of this.local) stage.reconfigure(outlook)
    this.files.end()
  }

  /** Answers whose aliases led from group to group, by what became of them. */
  get crossingCounts() {
    const { joined, fallbacks, failed } = this.joiner.stats
    const { endless } = this.crossings.stats
    return { joined, fallback: fallbacks, failed: failed - endless, endless }
  }

  /** The search path in force, and what all of them have counted. */
  searchView(nowMs: number): SearchView {
    const { path } = this.search
    return { ...noSearch, ...path?.view(nowMs), ...this.searchTotals.with(path?.counts()) }
  }

  /** What the kernel has of an answer, in lines for people. */
  kernelLines(entry: CacheEntry | undefined): readonly string[] {
    return this.hitWatch?.explain(entry) ?? []
  }

  /** Whether questions about a name may be answered otherwise than an upstream would. @param name folded wire form */
  readonly isAltered = (name: Uint8Array, nameBytes: number): boolean =>
    this.rewritings.concerns(name, nameBytes) ||
    this.local.some((stage) => stage.alters?.(name, nameBytes) === true)

  private makeRoom(): WaitingRoom {
    const { settler, inFlight, own, resolver, replies, budget, nowMs, standIns } = this
    const { crossings, joiner, flights } = this
    const exchange = standIns?.exchange ?? this.exchange
    const wheel = standIns?.timers ?? new TimerWheel(nowMs)
    const behind = { settler, crossings, joiner, inFlight, budget, exchange, wheel, flights }
    return new WaitingRoom({ resolver, replies, own, nowMs, ...behind })
  }

  private makePipeline(outlook: Outlook): Pipeline {
    const { resolver, replies, own, nowMs, room } = this
    const parts = { resolver, replies, own, nowMs, room, identity: selfIdentity() }
    return new Pipeline(parts, pipelineSettings(outlook))
  }

  /** Knowledge learned from another CoreDNS, or under other settings, is dropped. */
  private renewSearch({ config, trust }: Outlook): void {
    const { searchPath, cluster, clusterDomain, zones } = config
    const names = zones.map(({ name }) => name)
    const basis = JSON.stringify([searchPath, trust, cluster.upstreams, clusterDomain, names])
    if (basis === this.searchBasis) return
    this.searchBasis = basis
    this.searchTotals.add(this.search.path?.counts())
    const isUsable = searchPath.enabled && cluster.upstreams.length > 0
    this.search.path = isUsable ? makeSearchPath(config, trust, this.searchParts()) : undefined
    this.resolver.renew()
  }

  private searchParts() {
    const { cache, inFlight, router, own, isAltered, log } = this
    return { cache, inFlight, router, own, isAltered, reports: searchReports(log) }
  }

  private makeExchange({ groups }: Routing, { readResolvConf }: PathOptions): UpstreamExchange {
    return new UpstreamExchange(groups, {
      onStateChange: ({ group, upstream, up, why }) => {
        const line = { group, upstream, why }
        if (up) this.log.info(line, 'upstream up')
        else this.log.warn(line, 'upstream down')
      },
      onRecovered: (group) => this.failures.groupRecovered(group),
      lookForOthers: (group, onLooked) => {
        if (readResolvConf === undefined || !isOfResolvConf(group, this.config)) return false
        readResolvConf(onLooked)
        return true
      },
    })
  }

  private replyContext({ config, counters }: Outlook): ReplyContext {
    return {
      settings: {
        udpReplyBytesMax: config.udp.replyBytesMax,
        tcpIdleMs: config.tcp.idleMs,
        rotate: config.cache.rotate,
      },
      recorder: counters,
      nowMs: this.nowMs,
      sampler: this.standIns?.sampler ?? this.sampler(config),
    }
  }

  private sampler(config: Config) {
    const { log, listen } = config
    const { queries } = log
    const isLogged = queries.sampleOneIn !== 0
    const other = isLogged ? new QueryLog(this.log, queries, listen) : this.hitWatch?.sampler
    return this.tapping.beside(other, config)
  }
}

function pipelineSettings({ routing, own }: Outlook): PipelineSettings {
  return { guard: new SourceGuard(knownServers(routing, own)) }
}
