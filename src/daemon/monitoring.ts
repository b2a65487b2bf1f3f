/** Hands every part's numbers to the metrics registry, and serves them over HTTP. Knows all parts, changes none. */

import type { Cache } from '../core/cache.ts'
import type { InFlight } from '../core/in-flight.ts'
import { addressText } from '../net/bind.ts'
import type { UpstreamExchange } from '../net/exchange.ts'
import { standardPages, timed } from '../observe/admin-pages.ts'
import { type AdminAddress, AdminServer } from '../observe/admin-server.ts'
import {
  cacheStateFamilies,
  cacheUseFamilies,
  inFlightFamilies,
  prefetchFamilies,
} from '../observe/families-cache.ts'
import {
  daemonFamilies,
  healthBoundsSeconds,
  healthFamilies,
  pluginFamilies,
  reloadFamilies,
  setupFamilies,
} from '../observe/families-daemon.ts'
import { tcpFamilies, udpFamilies } from '../observe/families-listener.ts'
import { processFamilies } from '../observe/families-process.ts'
import { queryFamilies } from '../observe/families-query.ts'
import { groupFamilies, upstreamFamilies } from '../observe/families-upstream.ts'
import type { Log } from '../observe/log.ts'
import { Metrics } from '../observe/metrics.ts'
import type { QueryCounters } from '../observe/query-counters.ts'
import type { Readiness } from '../observe/readiness.ts'
import { RuntimeStats } from '../observe/runtime-stats.ts'
import type { GroupView, ProcessFacts, ReloadStats, UpstreamView } from '../observe/stats.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { readKernelDrops } from '../platform/kernel-drops.ts'
import type { Listeners } from './listeners.ts'

export interface MonitoredParts {
  readonly cache: Cache
  readonly inFlight: InFlight
  readonly questionsMax: () => number
  readonly counters: () => QueryCounters
  readonly exchange: UpstreamExchange
  readonly listeners: Listeners
  readonly pipeline: Pipeline
  readonly readiness: Readiness
  readonly reloads: () => ReloadStats
  readonly log: Log
  readonly facts: ProcessFacts
}

export class Monitoring {
  private readonly parts: MonitoredParts
  private readonly metrics = new Metrics()
  private readonly runtime = new RuntimeStats()
  private readonly healthSlots = new Float64Array(healthBoundsSeconds.length + 2)
  private kernelDrops: ReadonlyMap<string, number> = new Map()
  private server: AdminServer | undefined
  private listening: AdminAddress | undefined

  constructor(parts: MonitoredParts) {
    this.parts = parts
    this.runtime.start()
    this.addFamilies()
    this.metrics.beforeScrape(() => this.runtime.refresh())
    this.metrics.beforeScrape(async () => {
      this.kernelDrops = await readKernelDrops(parts.listeners.addresses)
    })
  }

  /** Moves the admin server to another address; undefined turns it off. @returns where it listens, with its real port */
  async listen(at: AdminAddress | undefined): Promise<AdminAddress | undefined> {
    await this.server?.stop()
    this.server = undefined
    this.listening = undefined
    if (at === undefined) return undefined
    const server = new AdminServer({
      listen: at,
      pages: this.pages(),
      onDefect: (error) => this.parts.log.error({ err: error }, 'admin page failed'),
    })
    this.listening = await server.start()
    this.server = server
    return this.listening
  }

  async stop(): Promise<void> {
    await this.server?.stop()
    this.runtime.stop()
  }

  private pages() {
    const { readiness } = this.parts
    const pages = standardPages({
      metrics: () => this.metrics.scrape(),
      ready: () => readiness.reasons(),
      isStarted: () => readiness.isStarted,
    })
    const health = pages.get('/health')
    if (health !== undefined) pages.set('/health', timed(health, this.healthSlots))
    return pages
  }

  private addFamilies(): void {
    const { parts, metrics } = this
    const { counters, cache, inFlight, listeners } = parts
    metrics.add(queryFamilies(counters))
    metrics.add(cacheUseFamilies(counters))
    metrics.add(cacheStateFamilies(counters, () => cache))
    metrics.add(prefetchFamilies(counters, () => cache.stats.prefetches))
    metrics.add(inFlightFamilies(() => inFlight, parts.questionsMax))
    metrics.add(
      udpFamilies(
        () =>
          listeners.pairs.map(({ udp }) => ({
            address: addressText(udp.address),
            io: 'portable',
            stats: udp.stats,
          })),
        () => this.kernelDrops,
      ),
    )
    metrics.add(
      tcpFamilies(() =>
        listeners.pairs.map(({ tcp }) => ({ address: addressText(tcp.address), stats: tcp.stats })),
      ),
    )
    metrics.add(upstreamFamilies(() => this.upstreamViews()))
    metrics.add(groupFamilies(() => this.groupViews()))
    metrics.add(pluginFamilies(counters))
    metrics.add(reloadFamilies(parts.reloads))
    metrics.add(healthFamilies(this.healthSlots))
    metrics.add(setupFamilies(() => new Map()))
    metrics.add(
      daemonFamilies(() => ({
        defects: this.defects(),
        loops: parts.pipeline.loopsDetected,
        logLinesLost: parts.log.linesLost,
        isReady: parts.readiness.reasons().length === 0,
      })),
    )
    metrics.add(processFamilies(this.runtime, parts.facts))
  }

  private defects(): number {
    let sum = 0
    for (const { udp, tcp } of this.parts.listeners.pairs) {
      sum += udp.stats.handlerDefects + tcp.stats.handlerDefects
    }
    return sum
  }

  private upstreamViews(): UpstreamView[] {
    return this.parts.exchange.stats().flatMap(({ name: group, upstreams }) =>
      upstreams.map(({ name, isUp, connections, roundTripMs, counters }) => {
        const [transport = '', address = ''] = name.split('://')
        return {
          group,
          transport: transport === 'tls' ? 'tls' : transport === 'tcp' ? 'tcp' : 'udp',
          address: address.split('#')[0] ?? '',
          isUp,
          connections,
          roundTripMs,
          counters,
        }
      }),
    )
  }

  private groupViews(): GroupView[] {
    return this.parts.exchange.stats().map(({ name, counters }) => {
      const { timeout: timeouts, ...failures } = counters.failures
      return { name, counters: { ...counters, ...failures, timeouts } }
    })
  }
}
