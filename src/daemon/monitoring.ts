/** Connects the counters of every part with the metric families, and serves the admin pages over HTTP. Knows all parts, changes none. */

import { formatEndpoint } from '../address/endpoint.ts'
import type { Config } from '../config/schema.ts'
import type { HeldSockets } from '../handover/held-sockets.ts'
import type { Interception } from '../host/interception.ts'
import { tokenAccess } from '../observe/admin-access.ts'
import { standardPages, timed } from '../observe/admin-pages.ts'
import { contentType, type Exposition } from '../observe/exposition.ts'
import { allFamilies, type MetricSources, newHealthSlots } from '../observe/families/all.ts'
import type { HandoverView } from '../observe/families/handover.ts'
import { olderFamilies } from '../observe/families/older.ts'
import type { Log } from '../observe/log.ts'
import { Metrics } from '../observe/metrics.ts'
import type { QueryCounters } from '../observe/query-counters.ts'
import type { Readiness } from '../observe/readiness.ts'
import { RuntimeStats } from '../observe/runtime-stats.ts'
import type {
  GroupView,
  ProcessFacts,
  ReloadStats,
  UpstreamView,
  WorkersView,
} from '../observe/stats.ts'
import { readKernelDrops } from '../platform/kernel-drops.ts'
import type { ListenAddress } from '../system/bind.ts'
import { type AdminListening, AdminServers } from './admin-servers.ts'
import type { DataPath } from './data-path.ts'
import { setupErrors } from './intercept.ts'
import type { Listeners } from './listeners.ts'
import { explainPage } from './operator/explain-page.ts'
import { Operator } from './operator/operator.ts'
import { PrivateSide, type PrivateSocketSetting } from './operator/private-side.ts'
import { summaryOf } from './operator/summary.ts'
import { stateOf } from './state-report.ts'
import { readToken, readTokenFile } from './token-file.ts'
import type { WorkerLink } from './workers/link.ts'
import type { WorkerAnswer, WorkerPage } from './workers/plan.ts'

/** A process that is sent SIGUSR2 again and again writes its state once in this time. */
const stateEveryMs = 1000

/** `admin` of the configuration. */
export interface AdminSettings extends AdminListening {
  readonly hostNames: readonly string[]
  readonly socket: PrivateSocketSetting
  readonly tokenFile: string | null
  readonly olderNames: boolean
}

export interface MonitoredParts {
  readonly path: DataPath
  readonly nowMs: () => number
  readonly questionsMax: () => number
  readonly config: () => Config
  readonly counters: () => QueryCounters
  readonly listeners: Listeners
  readonly readiness: Readiness
  readonly interception: () => Interception
  readonly handover: () => HandoverView | undefined
  readonly held: HeldSockets | undefined
  /** In a worker: its colleagues, whose numbers belong on the same pages. */
  readonly link: WorkerLink | undefined
  readonly reloads: () => ReloadStats
  readonly log: Log
  readonly facts: ProcessFacts
}

export class Monitoring {
  private readonly parts: MonitoredParts
  private readonly metrics = new Metrics()
  private readonly runtime = new RuntimeStats()
  private readonly healthSlots = newHealthSlots()
  private kernelDrops: ReadonlyMap<string, number> = new Map()
  private readonly servers: AdminServers
  private readonly privateSide: PrivateSide
  readonly operator: Operator
  /** Path of the operator's socket; undefined without one. */
  privateSocket: string | undefined
  /** Queries as of the last round. */
  private handled = 0

  constructor(parts: MonitoredParts) {
    this.parts = parts
    this.operator = new Operator({ ...parts, summary: () => summaryOf(parts) })
    this.servers = new AdminServers({
      held: parts.held,
      log: parts.log,
      pages: () => ({
        ...this.served(),
        hostNames: parts.config().admin.hostNames,
        access: tokenAccess(() => readToken(parts.config().admin.tokenFile)),
      }),
    })
    this.privateSide = new PrivateSide({ log: parts.log, pages: () => this.served() })
    const families = allFamilies(this.sources())
    this.metrics.add(families)
    this.metrics.add(olderFamilies(families), () => parts.config().admin.olderNames)
    for (const stage of parts.path.local) this.metrics.add(stage.families())
    this.metrics.add(parts.path.rewritings.families())
    this.metrics.beforeScrape(() => this.runtime.refresh())
    this.metrics.beforeScrape(async () => {
      this.kernelDrops = await readKernelDrops(parts.listeners.addresses)
    })
  }

  /** Opens the operator's socket, once the clients are ours. */
  async openPrivate(): Promise<void> {
    const { link, config, handover } = this.parts
    // One of the workers is enough: each speaks for all.
    const isOurs = (link?.plan.number ?? 0) === 0
    // With a hand-over, of this process or of its supervisor, whoever has the path leaves it to us.
    const isFollower = link !== undefined || handover() !== undefined
    if (!isOurs) return
    this.operator.followPods()
    this.privateSocket = await this.privateSide.listen(config().admin.socket, isFollower)
  }

  /** Follows changed settings. @throws AdminBindError */
  async reconfigure(before: AdminSettings): Promise<void> {
    const admin = this.parts.config().admin
    if (JSON.stringify(before) === JSON.stringify(admin)) return
    await this.listen(admin)
    await this.openPrivate()
  }

  /** Moves the admin servers to these addresses. @returns where they listen, with their real ports @throws AdminBindError */
  async listen(at: AdminListening): Promise<string[]> {
    // Only for those who look.
    if (at.listen.length === 0) this.runtime.stop()
    else this.runtime.start()
    this.lookAtToken()
    return await this.servers.listen(at)
  }

  private lookAtToken(): void {
    const { log, config } = this.parts
    const path = config().admin.tokenFile
    const read = path === null ? undefined : readTokenFile(path)
    if (read?.ok === false) log.warn({ path, why: read.why }, 'admin: no token opens the pages')
  }

  /** @param lateMs by how much this round is late. @returns whether queries came since the last one */
  round(lateMs: number): boolean {
    const { handled } = this.parts.counters()
    const isBusy = handled !== this.handled
    this.handled = handled
    this.runtime.round(isBusy, lateMs)
    return isBusy
  }

  /** Another process answers from now on. */
  async retire(): Promise<void> {
    this.runtime.stop()
    this.operator.stop()
    await Promise.all([this.servers.retire(), this.privateSide.retire()])
  }

  async stop(): Promise<void> {
    this.operator.stop()
    await Promise.all([this.servers.stop(), this.privateSide.stop()])
    this.runtime.stop()
  }

  /** Writes one line about the state of all parts into the log, for an operator who cannot reach the admin pages. */
  logState(): void {
    const { log } = this.parts
    if (log.limited('state', stateEveryMs) !== undefined) log.info(stateOf(this.parts), 'state')
  }

  private served() {
    return {
      pages: this.pages(),
      questions: [
        { prefix: '/explain/', answer: (rest: string) => explainPage(this.parts.path, rest) },
      ],
      calls: this.operator.calls,
      onDefect: (error: unknown) => this.parts.log.error({ err: error }, 'admin page failed'),
    }
  }

  private pages() {
    const { readiness } = this.parts
    const pages = standardPages({
      metrics: () => this.wholeExposition(),
      ready: () => this.allReasons(),
      isStarted: () => readiness.isStarted,
    })
    const health = pages.get('/health')
    if (health !== undefined) pages.set('/health', timed(health, this.healthSlots))
    return pages
  }

  /** This process's share of a page about all workers. @returns undefined when it cannot be made; the log says why */
  async page(page: WorkerPage): Promise<WorkerAnswer | undefined> {
    const { log, readiness } = this.parts
    if (page === 'ready') return { families: [], reasons: readiness.reasons() }
    try {
      return { families: await this.metrics.read(), reasons: [] }
    } catch (error) {
      log.error({ err: error }, 'admin page failed')
      return undefined
    }
  }

  private async wholeExposition(): Promise<Exposition> {
    const ofAll = await this.parts.link?.ask('metrics')
    return ofAll === undefined ? this.metrics.scrape() : { contentType, body: ofAll.text }
  }

  /** All workers have to be ready. */
  private async allReasons(): Promise<readonly string[]> {
    const { link, readiness } = this.parts
    const own = readiness.reasons()
    if (link === undefined) return own
    const others = (await link.ask('ready'))?.reasons ?? []
    const { wanted, ready } = link.view?.workers ?? { wanted: link.plan.count, ready: 0 }
    const missing = ready < wanted ? [`workers: ${ready} of ${wanted} are ready`] : []
    return [...own, ...others, ...missing]
  }

  private sources(): MetricSources {
    const { parts } = this
    const { listeners, path } = parts
    const { cache, inFlight } = path
    return {
      process: parts.facts,
      runtime: this.runtime,
      counters: parts.counters,
      cache: () => cache,
      prefetches: () => cache.stats.prefetches,
      inFlight: () => inFlight,
      inFlightQuestionsMax: parts.questionsMax,
      upstreams: () => this.upstreamViews(),
      groups: () => this.groupViews(),
      search: () => path.searchView(parts.nowMs()),
      udp: () => listeners.pairs.map(({ udp }) => ({ ...viewOf(udp), io: listeners.io })),
      tcp: () => listeners.pairs.map(({ tcp }) => viewOf(tcp)),
      kernelDrops: () => this.kernelDrops,
      handover: () => parts.link?.view?.handover ?? parts.handover(),
      workers: () => parts.link?.view?.workers ?? alone,
      reload: () => parts.link?.view?.reload ?? parts.reloads(),
      daemon: () => ({
        defects: this.defects(),
        loops: path.inFlight.stats.returned,
        selfChecks: path.pipeline.selfChecks,
        crossings: path.crossingCounts,
        logLinesLost: parts.log.linesLost,
        isReady: parts.readiness.reasons().length === 0,
      }),
      interception: () => parts.interception().view,
      kernelHits: () => parts.path.hits,
      dnstap: () => parts.path.tapping.stats,
      traces: () => parts.path.tracing.stats,
      setupErrors: () => setupErrors(parts.interception().view.troubles),
      healthSlots: this.healthSlots,
    }
  }

  private defects(): number {
    let sum = 0
    for (const { udp, tcp } of this.parts.listeners.pairs) {
      sum += udp.stats.handlerDefects + tcp.stats.handlerDefects
    }
    return sum
  }

  private upstreamViews(): UpstreamView[] {
    return this.parts.path.exchange.stats().flatMap(({ name: group, upstreams }) =>
      upstreams.map(({ name, isUp, connections, connectionsHeld, roundTripMs, counters }) => {
        const [transport = '', address = ''] = name.split('://')
        return {
          group,
          transport: transport === 'tls' ? 'tls' : transport === 'tcp' ? 'tcp' : 'udp',
          address: address.split('#')[0] ?? '',
          isUp,
          connections,
          connectionsHeld,
          roundTripMs,
          counters,
        }
      }),
    )
  }

  private groupViews(): GroupView[] {
    return this.parts.path.exchange.stats().map(({ name, counters }) => {
      const { timeout: timeouts, ...failures } = counters.failures
      return { name, counters: { ...counters, ...failures, timeouts } }
    })
  }
}

const alone: WorkersView = { wanted: 1, ready: 1, restarts: { ended: 0, killed: 0, hung: 0 } }

/** What a listener counts, under the address it has. */
function viewOf<Stats>(listener: { readonly address: ListenAddress; readonly stats: Stats }) {
  return { address: formatEndpoint(listener.address), stats: listener.stats }
}
