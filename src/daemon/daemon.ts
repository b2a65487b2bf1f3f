/**
 * The composition root: builds every part from the configuration, starts them in order, gives a changed configuration
 * to each, stops them in reverse. It decides nothing about DNS.
 */
import { createHash } from 'node:crypto'
import type { Endpoint, Upstream } from '../config/address.ts'
import type { Config } from '../config/schema.ts'
import type { Interception } from '../host/interception.ts'
import { addressText } from '../net/bind.ts'
import { chooseUdpIo, type UdpIo } from '../net/udp-io.ts'
import { upstreamName } from '../net/upstream-settings.ts'
import { serverLabel } from '../observe/families-listener.ts'
import type { Log } from '../observe/log.ts'
import { QueryCounters } from '../observe/query-counters.ts'
import { Readiness } from '../observe/readiness.ts'
import type { ProcessFacts, ReloadStats } from '../observe/stats.ts'
import { SystemClock } from '../platform/clock.ts'
import { DataPath, type Outlook } from './data-path.ts'
import { buildInterception } from './intercept.ts'
import { Listeners } from './listeners.ts'
import { Monitoring } from './monitoring.ts'
import { planRouting, type Routing } from './routing.ts'
import { judgeTrust, type TrustVerdict } from './search-trust.ts'
import { selfQuery } from './self-query.ts'

export interface DaemonOptions {
  readonly log: Log
  readonly facts: ProcessFacts
  /** Name servers of resolv.conf, for when no external upstreams are configured. */
  readonly resolvers: readonly Upstream[]
  /** Text of CoreDNS's Corefile, when the configuration names one. */
  readonly corefile?: string
  /** Addresses of this host's interfaces. */
  readonly localAddresses: () => readonly string[]
}

/** Looks for a suspended machine, and asks ourselves a question while that has not been answered. */
const housekeepingMs = 1000
/** How often the self-query is repeated once it was answered. */
const selfQueryEveryMs = 5000
/** kubelet brings a changed ConfigMap within 90 s, CoreDNS's `reload` loads it within 45 s; the rest is slack. */
const trustDelayMs = 180_000
/** How often a draining daemon looks whether anybody still waits. */
const drainPollMs = 20

export class Daemon {
  private readonly options: DaemonOptions
  private readonly readiness = new Readiness()
  private readonly clock = new SystemClock()
  private readonly path: DataPath
  private readonly listeners: Listeners
  private readonly monitoring: Monitoring
  private readonly interception: Interception
  private config: Config
  private resolvers: readonly Upstream[]
  private routing: Routing
  /** Text of CoreDNS's Corefile, when there is one to read. */
  private corefile: string | undefined
  private trust: TrustVerdict
  private corefileTimer: NodeJS.Timeout | undefined
  private counters = new QueryCounters([], [])
  private reloads: ReloadStats
  private housekeeper: NodeJS.Timeout | undefined
  private nextSelfQueryMs = 0
  private isStopping = false

  /**
   * Opens nothing yet.
   * @throws UnsupportedPlatform when the configuration insists on batched sockets and they cannot be had
   */
  constructor(config: Config, options: DaemonOptions) {
    this.options = options
    this.config = config
    this.resolvers = options.resolvers
    this.corefile = options.corefile
    this.routing = this.plan(config.listen)
    this.trust = judgeTrust(config, this.corefile)
    this.path = new DataPath(this.outlook([]), options.log, this.clock)
    const io = chooseUdpIo(config.io)
    this.listeners = new Listeners(this.path.pipeline, config, io, (error) => this.onDefect(error))
    this.reloads = reloadStats(config, { succeeded: 0, failed: 0 })
    this.interception = buildInterception(config, options.log, this.readiness)
    this.monitoring = new Monitoring({
      path: this.path,
      nowMs: () => this.clock.nowMs(),
      questionsMax: () => this.config.inFlight.questionsMax,
      counters: () => this.counters,
      listeners: this.listeners,
      readiness: this.readiness,
      interception: this.interception,
      reloads: () => this.reloads,
      log: options.log,
      facts: options.facts,
    })
  }

  /** Listening addresses with their real ports. */
  get listening(): string[] {
    return this.listeners.addresses.map(addressText)
  }

  /** How datagrams are read and written. */
  get io(): UdpIo {
    return this.listeners.io
  }

  /** How far the cluster domain is trusted by the search path. */
  get trustLevel(): string {
    return this.path.search.stage === undefined ? 'off' : this.trust.level
  }

  /** What was chosen for the node, and why. */
  get interceptionWhy(): readonly string[] {
    return this.interception.why
  }

  /** Upstreams by group, as in `cluster: tcp://10.96.0.11:53`. */
  get upstreams(): string[] {
    return this.routing.groups.map(
      ({ name, upstreams }) => `${name}: ${upstreams.map(upstreamName).join(' ') || 'none'}`,
    )
  }

  /**
   * Binds everything and answers.
   * @returns address of the admin server, if there is one
   * @throws BindError, or the system's error of the admin server; nothing is left open then
   */
  async start(): Promise<string | undefined> {
    this.readiness.set('listeners', { kind: 'waiting', for: 'their sockets' })
    this.readiness.set('self-query', { kind: 'waiting', for: 'its first answer' })
    try {
      await this.interception.prepare()
      await this.listeners.openMissing(this.config.listen)
      this.applyOutlook()
      const admin = await this.monitoring.listen(this.config.admin.listen ?? undefined)
      this.readiness.set('listeners', { kind: 'ready' })
      this.warnOfLoops()
      await this.checkSelf()
      await this.interception.start()
      this.housekeeper = setInterval(() => this.keepHouse(), housekeepingMs)
      return admin && `${admin.address}:${admin.port}`
    } catch (error) {
      await this.close(0)
      throw error
    }
  }

  /**
   * Takes over a checked configuration. Sockets that stay keep their clients; the cache stays.
   * @throws BindError when a new address cannot be opened; everything goes on as before then
   */
  async reconfigure(config: Config): Promise<void> {
    await this.listeners.openMissing(config.listen)
    const before = this.config
    this.config = config
    this.applyOutlook()
    this.options.log.setLevel(config.log.level)
    await this.listeners.closeOthers(config.listen, config.drain.deadlineMs)
    if (JSON.stringify(before.admin) !== JSON.stringify(config.admin)) {
      await this.monitoring.listen(config.admin.listen ?? undefined)
    }
    this.reloads = reloadStats(config, { ...this.reloads, succeeded: this.reloads.succeeded + 1 })
    this.warnOfLoops()
  }

  /** Counts a configuration that was refused; the one in force stays. */
  noteRefusedConfig(): void {
    this.reloads = { ...this.reloads, failed: this.reloads.failed + 1, isLastGood: false }
  }

  /** The node's resolv.conf has changed. */
  useResolvers(resolvers: readonly Upstream[]): void {
    this.resolvers = resolvers
    this.applyOutlook()
    this.warnOfLoops()
  }

  /** CoreDNS's Corefile has changed: what may be concluded from it is judged anew. */
  useCorefile(text: string): void {
    clearTimeout(this.corefileTimer)
    const isMoreTrusted = judgeTrust(this.config, text).level === 'verified'
    // Doubt counts at once. Trust has to wait until every CoreDNS pod has got and loaded the file that we see already.
    this.corefileTimer = setTimeout(
      () => this.adoptCorefile(text),
      isMoreTrusted ? trustDelayMs : 0,
    )
  }

  private adoptCorefile(text: string): void {
    this.corefile = text
    this.applyOutlook()
  }

  /** Takes no new queries, answers those that wait or gives up on them at the deadline, closes everything. */
  async stop(): Promise<void> {
    if (this.isStopping) return
    this.isStopping = true
    this.readiness.set('listeners', { kind: 'stopping' })
    const { deadlineMs } = this.config.drain
    const endMs = performance.now() + deadlineMs
    // The way to CoreDNS is open before the first query could meet a closed socket.
    await this.interception.disarm()
    this.listeners.stopReceiving()
    while (this.path.inFlight.stats.waiters > 0 && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs))
    }
    await this.close(Math.max(0, endMs - performance.now()))
  }

  private async close(drainMs: number): Promise<void> {
    clearInterval(this.housekeeper)
    clearTimeout(this.corefileTimer)
    this.path.exchange.stop()
    await this.listeners.close(drainMs)
    await this.interception.close(this.isStopping)
    await this.monitoring.stop()
  }

  private applyOutlook(): void {
    const own = [...this.config.listen, ...this.listeners.addresses]
    this.routing = this.plan(own)
    const zones = this.routing.zones.map(({ zone }) => zone)
    const counters = new QueryCounters(this.listeners.servers.map(serverLabel), zones)
    counters.absorb(this.counters)
    this.counters = counters
    this.judgeTrust()
    this.path.reconfigure(this.outlook(this.listeners.addresses))
  }

  private judgeTrust(): void {
    const before = JSON.stringify(this.trust)
    this.trust = judgeTrust(this.config, this.corefile)
    const { level, reasons } = this.trust
    if (JSON.stringify(this.trust) !== before || reasons.length > 0) {
      this.options.log.info(
        { level, reasons },
        'search path: how far the cluster domain is trusted',
      )
    }
  }

  private plan(own: readonly Endpoint[]): Routing {
    return planRouting(this.config, this.resolvers, own, this.options.localAddresses())
  }

  private outlook(own: readonly Endpoint[]): Outlook {
    const { config, routing, counters, trust } = this
    return { config, routing, own, counters, trust }
  }

  private keepHouse(): void {
    const skippedMs = this.clock.check()
    if (skippedMs > 0)
      this.options.log.warn({ skippedMs }, 'time was skipped; cached answers have aged')
    if (performance.now() >= this.nextSelfQueryMs) {
      this.checkSelf().catch((error: unknown) => this.onDefect(error))
    }
  }

  private async checkSelf(): Promise<void> {
    const [first] = this.listeners.addresses
    if (first === undefined) return
    this.nextSelfQueryMs = performance.now() + housekeepingMs
    const why = await selfQuery(first)
    if (why === undefined) {
      this.nextSelfQueryMs = performance.now() + selfQueryEveryMs
      this.readiness.set('self-query', { kind: 'ready' })
    } else {
      this.readiness.set('self-query', { kind: 'failed', why })
    }
  }

  private warnOfLoops(): void {
    for (const { address, port } of this.routing.looping) {
      this.options.log.warn(
        { upstream: `${address}:${port}` },
        'upstream left out: it is one of our own listening addresses, so queries would go round for ever',
      )
    }
  }

  private onDefect(error: unknown): void {
    const { log } = this.options
    const heldBack = log.limited('defect', 1000)
    if (heldBack !== undefined)
      log.error({ err: error, heldBack }, 'defect: an exception was caught')
  }
}

function reloadStats(config: Config, counts: { succeeded: number; failed: number }): ReloadStats {
  return {
    ...counts,
    isLastGood: true,
    appliedSeconds: Math.floor(Date.now() / 1000),
    hash: createHash('sha512').update(JSON.stringify(config)).digest('hex'),
  }
}
