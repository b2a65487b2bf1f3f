/**
 * Carries questions to upstreams and brings back one outcome for each: the `Exchange` of `core/ports.ts` over sockets. Owns the
 * groups, and the timer wheel and random pool that they share. The path of one question is in `upstream/question.ts`, the
 * transports are in `upstream/udp.ts` and `upstream/stream/stream-pool.ts`. Never caches, never logs.
 */
import type { Ask, Exchange, ExchangeFailure, OutcomeSink } from '../core/ports.ts'
import { TimerWheel } from '../platform/timer-wheel.ts'
import { ResponseScan } from '../wire/scan.ts'
import type { ExchangeContext } from './attempt.ts'
import type { GroupCounters, UpstreamCounters } from './counters.ts'
import { type Deferred, type GroupOwner, UpstreamGroup } from './group.ts'
import { RandomPool, RecentPorts } from './random.ts'
import type { UpstreamServer } from './server.ts'
import type { GroupConfig } from './settings.ts'

export interface ExchangeEvents {
  /** For the log. @param upstream its name, `udp://10.0.0.2:53` */
  onStateChange?(change: StateChange): void
  /** A group answers again after questions had failed because none of its upstreams was reachable. */
  onRecovered?(group: string): void
  /**
   * No upstream of a group is there. Looks whether it has others by now.
   * @param onLooked to be called in a later turn, after `reconfigure` if it has
   * @returns false when the list of the group is fixed
   */
  lookForOthers?(group: string, onLooked: () => void): boolean
}

export interface StateChange {
  readonly group: string
  readonly upstream: string
  readonly up: boolean
  readonly why: string
}

export interface ExchangeOptions extends ExchangeEvents {
  /** PEM, instead of the certificates that Node trusts. */
  readonly tlsCa?: string
}

/** Numbers of one upstream; the counters are live objects. */
export interface UpstreamStats {
  readonly name: string
  readonly counters: UpstreamCounters
  readonly isUp: boolean
  /** Questions in flight and queued. */
  readonly load: number
  readonly connections: number
  /** Those whose questions are slow. */
  readonly connectionsHeld: number
  readonly roundTripMs: number
  readonly hedgeDelayMs: number
}

/** Numbers of one group. */
export interface GroupStats {
  readonly name: string
  readonly counters: GroupCounters
  readonly inFlight: number
  readonly upstreams: readonly UpstreamStats[]
}

export class UpstreamExchange implements Exchange<Ask>, GroupOwner {
  readonly context: ExchangeContext
  private readonly events: ExchangeEvents
  private readonly groups = new Map<string, UpstreamGroup>()
  /** Removed from the configuration with questions still in flight. */
  private readonly retired = new Set<UpstreamGroup>()
  private readonly deferred: Deferred[] = []
  private readonly deliverDeferred = () => this.flush()
  private isStopped = false

  constructor(groups: readonly GroupConfig[], options: ExchangeOptions = {}) {
    this.events = options
    this.context = {
      wheel: new TimerWheel(),
      random: new RandomPool(),
      recentPorts: new RecentPorts(),
      scan: new ResponseScan(),
      ...(options.tlsCa === undefined ? {} : { tlsCa: options.tlsCa }),
    }
    this.reconfigure(groups)
  }

  start(ask: Ask, sink: OutcomeSink<Ask>): void {
    const group = this.groups.get(ask.group)
    if (group === undefined || this.isStopped) {
      const why: ExchangeFailure = this.isStopped ? 'shutdown' : 'unreachable'
      this.defer({ deliver: () => sink.onOutcome(ask, { kind: 'failed', why }) })
      return
    }
    group.start(ask, sink)
  }

  /**
   * Takes over a new set of groups. Groups keep their counters by name, upstreams their connections and health by address;
   * questions in flight are finished.
   */
  reconfigure(groups: readonly GroupConfig[]): void {
    const names = new Set(groups.map((group) => group.name))
    for (const [name, group] of this.groups) if (!names.has(name)) this.retire(name, group)
    for (const config of groups) {
      const known = this.groups.get(config.name)
      if (known === undefined) this.groups.set(config.name, new UpstreamGroup(config, this))
      else known.reconfigure(config)
    }
  }

  /** Fails every question in flight with `shutdown` and closes all sockets. */
  stop(): void {
    this.isStopped = true
    for (const group of [...this.groups.values(), ...this.retired]) group.stop()
    this.flush()
  }

  stats(): GroupStats[] {
    return [...this.groups.values()].map((group) => ({
      name: group.name,
      counters: group.counters,
      inFlight: group.questions.size,
      upstreams: group.upstreams.map(statsOf),
    }))
  }

  defer(what: Deferred): void {
    if (this.deferred.push(what) === 1) setImmediate(this.deliverDeferred)
  }

  lookForOthers(group: UpstreamGroup, onLooked: () => void): boolean {
    return !this.isStopped && this.events.lookForOthers?.(group.name, onLooked) === true
  }

  onStateChange(group: UpstreamGroup, upstream: UpstreamServer, up: boolean, why: string): void {
    this.events.onStateChange?.({ group: group.name, upstream: upstream.name, up, why })
  }

  onRecovered(group: UpstreamGroup): void {
    this.events.onRecovered?.(group.name)
  }

  private retire(name: string, group: UpstreamGroup): void {
    this.groups.delete(name)
    for (const old of this.retired) if (old.questions.size === 0) this.retired.delete(old)
    this.retired.add(group)
    group.retire()
  }

  private flush(): void {
    for (const what of this.deferred.splice(0)) what.deliver()
  }
}

function statsOf(server: UpstreamServer): UpstreamStats {
  return {
    name: server.name,
    counters: server.counters,
    isUp: server.isUp,
    load: server.load,
    connections: server.connections,
    connectionsHeld: server.connectionsHeld,
    roundTripMs: server.roundTripMs,
    hedgeDelayMs: server.hedgeDelay.delayMs,
  }
}
