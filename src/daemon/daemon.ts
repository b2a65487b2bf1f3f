/**
 * The composition root: builds the parts from the configuration, starts them in order, gives each its share of a changed
 * configuration, stops them in reverse. It decides nothing about DNS.
 */
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import type { Upstream } from '../address/upstream-url.ts'
import type { Config } from '../config/schema.ts'
import type { HeldSockets } from '../handover/held-sockets.ts'
import type { Interception, InterceptionEnd } from '../host/interception.ts'
import { chooseUdpIo } from '../listen/udp-io.ts'
import { defectLogger } from '../observe/defects.ts'
import { serverLabel } from '../observe/families/listener.ts'
import { QueryCounters } from '../observe/query-counters.ts'
import { Readiness } from '../observe/readiness.ts'
import { SystemClock } from '../platform/clock.ts'
import { CorefileTrust } from './corefile-trust.ts'
import type { DaemonOptions } from './daemon-options.ts'
import { DataPath, type Outlook } from './data-path.ts'
import { type Handover, makeHandover } from './handover.ts'
import { HitControl } from './hits/hit-control.ts'
import { Housekeeping } from './housekeeping.ts'
import { buildInterception, interceptedBy } from './intercept.ts'
import { Listeners } from './listeners.ts'
import { Monitoring } from './monitoring.ts'
import { Reloads } from './reloads.ts'
import { planRouting, type Routing, upstreamTexts, warnOfLoops, warnOfRouting } from './routing.ts'
import { pollUntil, Succession } from './succession.ts'
import { startAsWorker } from './workers/duties.ts'

export class Daemon {
  private readonly options: DaemonOptions
  readonly onDefect: (error: unknown) => void
  private readonly readiness = new Readiness(['interception'])
  readonly clock = new SystemClock()
  readonly path: DataPath
  readonly listeners: Listeners
  readonly monitoring: Monitoring
  private interception: Interception
  private readonly hits: HitControl
  /** Undefined when hand-over is not configured, or the supervisor does it. */
  private readonly handover: Handover | undefined
  private config: Config
  private resolvers: readonly Upstream[]
  private routing: Routing
  private readonly trust: CorefileTrust
  private counters = new QueryCounters([], [])
  readonly reloads: Reloads
  private readonly housekeeping: Housekeeping
  readonly succession: Succession
  private isStopping = false

  /**
   * Opens nothing yet.
   * @throws UnsupportedPlatform when the configuration requires batched sockets and this machine has none
   */
  constructor(config: Config, options: DaemonOptions) {
    this.options = options
    this.onDefect = defectLogger(options.log)
    this.config = config
    this.resolvers = options.resolvers
    this.routing = this.plan(config.listen)
    this.trust = new CorefileTrust(config, options.corefile, options.log)
    this.path = new DataPath(this.outlook([]), options, this.clock)
    this.succession = this.makeSuccession()
    this.handover = makeHandover(options, this, () => this.config)
    this.listeners = new Listeners({
      handler: this.path.pipeline,
      settings: config,
      io: chooseUdpIo(config.io),
      held: this.held,
      first: options.first,
      number: options.link?.plan.number ?? 0,
      onDefect: this.onDefect,
    })
    this.housekeeping = new Housekeeping({
      clock: this.clock,
      readiness: this.readiness,
      log: options.log,
      addresses: () => this.listeners.addresses,
      onRound: (lateMs) => this.monitoring.round(lateMs),
      onDefect: this.onDefect,
    })
    this.reloads = new Reloads(config)
    this.interception = buildInterception(this.config, this.options.log, this.readiness)
    this.hits = new HitControl(this.path, options, {
      servers: () => this.listeners.servers,
      interception: () => this.interception.view,
    })
    this.monitoring = new Monitoring({
      path: this.path,
      nowMs: () => this.clock.nowMs(),
      questionsMax: () => this.config.inFlight.questionsMax,
      config: () => this.config,
      counters: () => this.counters,
      listeners: this.listeners,
      readiness: this.readiness,
      handover: () => this.handover,
      held: this.held,
      link: options.link,
      reloads: () => this.reloads.stats,
      interception: () => this.interception,
      log: options.log,
      facts: options.facts,
    })
  }

  /** Listening addresses with their real ports. */
  get listening(): string[] {
    return this.listeners.addresses.map(formatEndpoint)
  }

  /** How far the search path trusts the cluster domain. */
  get trustLevel(): string {
    return this.path.search.path === undefined ? 'off' : this.trust.verdict.level
  }

  /** What the interception does on this node, and why. */
  get interceptionWhy(): readonly string[] {
    return this.interception.why
  }

  /** Upstreams by group, as in `cluster: tcp://10.96.0.11:53`. */
  get upstreams(): string[] {
    return upstreamTexts(this.routing)
  }

  /**
   * Opens all sockets and serves.
   * @returns addresses of the admin servers
   * @throws BindError or AdminBindError; nothing stays open then
   */
  async start(): Promise<string[]> {
    this.readiness.set('listeners', { kind: 'waiting', for: 'their sockets' })
    this.readiness.set('self-query', { kind: 'waiting', for: 'its first answer' })
    try {
      const open = () => this.listeners.openMissing(this.config.listen)
      // A worker has its sockets and the cache from its supervisor.
      await startAsWorker(this.options, this)
      this.hits.load()
      await this.interception.prepare()
      await (this.handover === undefined ? open() : this.handover.openWith(open))
      const admin = await this.beginServing()
      await this.handover?.serving()
      const why = await this.housekeeping.checkSelf()
      await this.interception.start()
      await this.hits.start(this.handover?.programBefore)
      await this.handover?.takeOver(why, (wanted, client) => this.listeners.adopt(wanted, client))
      await this.monitoring.openPrivate()
      this.options.link?.ready()
      return admin
    } catch (error) {
      this.handover?.abandon()
      await this.close(0, 'abandoned')
      throw error
    }
  }

  /** Starts everything else, once the sockets are open. */
  private async beginServing() {
    this.applyOutlook()
    const admin = await this.monitoring.listen(this.config.admin)
    this.readiness.set('listeners', { kind: 'ready' })
    warnOfRouting(this.routing, this.config, this.options.log)
    this.housekeeping.start()
    return admin
  }

  /** Sockets that can be handed over. */
  private get held(): HeldSockets | undefined {
    return this.options.link?.held ?? this.handover?.held
  }

  private makeSuccession(): Succession {
    return new Succession({
      listeners: () => this.listeners,
      monitoring: () => this.monitoring,
      waiters: () => this.path.inFlight.stats.waiters,
      deadlineMs: () => this.config.drain.deadlineMs,
      onRetire: () => {
        this.readiness.set('listeners', { kind: 'stopping' })
        this.hits.stop().catch(this.onDefect)
        this.housekeeping.stop()
      },
      onRetired: async () => {
        // The other process has rules of its own by now, and renews those that both share.
        await this.interception.close('followed')
        // A worker ends: its supervisor may start another one.
        const isExiting = this.config.handover.afterwards === 'exit' || this.options.link
        if (isExiting) this.options.onSucceeded?.()
      },
      serve: () => this.serveAgain(),
      onDefect: this.onDefect,
    })
  }

  /** The successor has ended: serves again, with the sockets and the cache that this process kept. */
  private async serveAgain(): Promise<void> {
    if (this.isStopping) return
    this.interception = buildInterception(this.config, this.options.log, this.readiness)
    await this.interception.prepare()
    await this.listeners.openMissing(this.config.listen)
    await this.beginServing()
    await this.handover?.resumed()
    await this.interception.start()
    await this.hits.start()
    await this.monitoring.openPrivate()
  }

  /**
   * Applies a checked configuration. Addresses that stay keep their clients; the cache stays.
   * @throws BindError when a new address cannot be opened; nothing has changed then
   */
  async reconfigure(config: Config): Promise<void> {
    if (this.succession.isRetired) {
      this.config = config
      return
    }
    if (this.isStopping) return
    await this.listeners.openMissing(config.listen)
    // An end that came meanwhile has closed what was open before.
    if (this.isStopping) return await this.listeners.close(0)
    const before = this.config
    this.config = config
    this.applyOutlook()
    this.options.log.setLevel(config.log.level)
    // Rules are made at the start: they bring packets to these addresses until the next start.
    const wanted = [...config.listen, ...interceptedBy(this.interception.settings)]
    await this.listeners.closeOthers(wanted, config.drain.deadlineMs)
    await this.monitoring.reconfigure(before.admin)
    this.held?.keepFor(config)
    this.reloads.applied(config)
    warnOfRouting(this.routing, this.config, this.options.log)
  }

  /** The node's resolv.conf has changed. */
  useResolvers(resolvers: readonly Upstream[]): void {
    this.resolvers = resolvers
    this.applyOutlook()
    warnOfLoops(this.routing, this.options.log)
  }

  /** CoreDNS's Corefile has changed: the trust level is judged anew. */
  useCorefile(source: Required<DaemonOptions>['corefile']): void {
    this.trust.use(source, this.config, () => this.applyOutlook())
  }

  /** Takes no new queries, answers the waiting ones until the deadline, closes everything. */
  async stop(): Promise<void> {
    // A successor must get everything. Bounded by the hand-over's own time-out.
    await this.handover?.idle()
    if (this.isStopping) return
    this.isStopping = true
    this.readiness.set('listeners', { kind: 'stopping' })
    const endMs = performance.now() + this.config.drain.deadlineMs
    await this.hits.stop()
    // Queries go to CoreDNS before the first one could meet a closed socket.
    const isFollowed = this.handover?.isWaitedFor === true
    const isDiverted = !isFollowed && (await this.interception.disarm())
    // A waiting predecessor serves at once: queries from now on are for it.
    if (isFollowed) this.listeners.pauseReceiving()
    else await this.listeners.stopReceiving(isDiverted)
    this.listeners.stopAccepting()
    await this.handover?.resign()
    this.held?.close()
    await pollUntil(() => this.path.inFlight.stats.waiters === 0, endMs)
    await this.close(Math.max(0, endMs - performance.now()), isFollowed ? 'followed' : 'orderly')
  }

  private async close(drainMs: number, end: InterceptionEnd): Promise<void> {
    await this.hits.stop()
    this.housekeeping.stop()
    this.trust.stop()
    this.path.stop()
    await this.listeners.close(drainMs)
    await this.interception.close(end)
    await this.monitoring.stop()
    await this.handover?.stop()
    this.options.link?.stop()
  }

  private applyOutlook(): void {
    const own = [...this.config.listen, ...this.listeners.addresses]
    this.routing = this.plan(own)
    const zones = this.routing.zones.map(({ zone }) => zone)
    const older = this.counters
    this.counters = new QueryCounters(this.listeners.servers.map(serverLabel), zones)
    this.counters.absorb(older)
    this.trust.judge(this.config)
    this.path.reconfigure(this.outlook(this.listeners.addresses))
  }

  private plan(own: readonly Endpoint[]): Routing {
    return planRouting(this.config, this.resolvers, own, this.options.localAddresses())
  }

  private outlook(own: readonly Endpoint[]): Outlook {
    const { config, routing, counters, trust } = this
    return { config, routing, own, counters, trust: trust.verdict }
  }
}
