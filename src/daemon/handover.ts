/**
 * The daemon's part in a hand-over: what it takes from its predecessor at the start, what it gives to its successor, and what it
 * does afterwards. The order of the messages and their bounds are in src/handover.
 */
import type { Config } from '../config/schema.ts'
import type { Restored } from '../core/cache/dump.ts'
import { dumpCache } from '../handover/cache-file.ts'
import { HeldSockets } from '../handover/held-sockets.ts'
import { Predecessor, type PredecessorEvent, type Service } from '../handover/predecessor.ts'
import { type Followed, follow, type OnConnection, type Successor } from '../handover/successor.ts'
import type { HandoverEvent } from '../observe/families/handover.ts'
import type { Log } from '../observe/log.ts'
import type { Clock } from '../platform/clock.ts'
import { errorCode } from '../system/bind.ts'
import { loadSystemCalls, type SystemCalls } from '../system/system-calls.ts'
import type { DaemonOptions } from './daemon-options.ts'
import type { DataPath } from './data-path.ts'
import { restoreDump } from './warm-start.ts'

/** Between two attempts to get the sockets. */
const retryMs = 100

/** The part of the configuration that a hand-over needs. */
export interface HandoverConfig {
  readonly listen: Config['listen']
  readonly admin: Config['admin']
  readonly cache: { readonly bytesMax: number }
}

export interface HandoverParts {
  readonly settings: Config['handover']
  readonly log: Log
  /** Takes over a cache. @throws when it is damaged, foreign or of another version */
  readonly restore: (dump: Buffer) => Restored
  readonly cacheDump: () => AsyncIterable<Buffer>
  /** As in `PredecessorOptions`. */
  readonly kernelProgram: () => number | undefined
  /** The daemon's work for its successor. */
  readonly service: Service
  /** The one in force. */
  readonly config: () => HandoverConfig
}

/** Parts of a daemon that are handed over. */
export interface DaemonParts {
  readonly path: DataPath
  readonly clock: Clock
  readonly succession: Service
}

/**
 * @returns undefined when hand-over is not configured, or a supervisor does it for all of its workers
 * @throws UnsupportedPlatform when it is configured and this machine cannot do it
 */
export function makeHandover(
  { link, log }: DaemonOptions,
  { path, clock, succession }: DaemonParts,
  config: () => Config,
): Handover | undefined {
  const { handover: settings } = config()
  if (link !== undefined || settings.socket === null) return undefined
  const parts: HandoverParts = {
    settings,
    log,
    config,
    service: succession,
    restore: (dump) => restoreDump(dump, path, clock.nowMs()),
    cacheDump: () => dumpCache(path.cache, () => clock.nowMs()),
    kernelProgram: () => path.hitWatch?.program,
  }
  return new Handover(settings.socket, parts, loadSystemCalls())
}

export class Handover {
  readonly held: HeldSockets
  readonly counts: Record<HandoverEvent, number> = {
    followed: 0,
    'handed-over': 0,
    failed: 0,
    stranger: 0,
    resumed: 0,
    'cache-refused': 0,
  }
  entriesRestored = 0
  private readonly at: string | null
  private readonly parts: HandoverParts
  private readonly calls: SystemCalls
  private predecessor: Predecessor | undefined
  private following: Successor | undefined
  /** Why the last attempt to follow failed: logged once, not at each attempt. */
  private refusal = ''

  /** @param at null: sockets are held, but this process neither follows another nor can be followed */
  constructor(at: string | null, parts: HandoverParts, calls: SystemCalls) {
    this.at = at
    this.parts = parts
    this.calls = calls
    this.held = new HeldSockets(calls)
  }

  /**
   * Opens the sockets: those of the process that serves or, when there is none, new ones. Retries while that process is exiting, or
   * while another process is following it.
   * @throws BindError
   */
  async openWith(open: () => Promise<void>): Promise<void> {
    const endMs = performance.now() + this.parts.settings.timeoutMs
    for (;;) {
      const kind = await this.follow()
      try {
        await open()
        return
      } catch (error) {
        const mayPass =
          this.at !== null && kind !== 'following' && errorCode(error) === 'EADDRINUSE'
        if (!mayPass || performance.now() > endMs) throw error
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }

  /** Gets the sockets and the cache of the process that serves, if there is one; that process goes on serving meanwhile. */
  private async follow(): Promise<Followed['kind']> {
    const { settings, log, config } = this.parts
    const { timeoutMs } = settings
    const { at, calls } = this
    if (at === null) return 'nobody'
    const followed = await follow({ at, timeoutMs, calls, dumpBytesMax: config().cache.bytesMax })
    if (followed.kind === 'refused') {
      this.counts.failed += 1
      if (this.refusal !== followed.why) {
        log.warn({ at, why: followed.why }, 'hand-over: the process that serves cannot be followed')
      }
      this.refusal = followed.why
    } else if (followed.kind === 'following') {
      this.following = followed.successor
      followed.successor.starting()
      this.held.adopt(followed.successor.sockets)
      await this.takeCache(followed.successor)
    }
    return followed.kind
  }

  /** This process reads from the sockets now: the other one stops reading, so every reply comes from this process. */
  async serving(): Promise<void> {
    await this.following?.serving()
  }

  /**
   * Lets the predecessor go, and waits for a successor from now on.
   * @param why the self-query was not answered; undefined when it was
   * @param adopt gets the client connections of the predecessor; without it they end there
   */
  async takeOver(why: string | undefined, adopt?: OnConnection): Promise<void> {
    const { log } = this.parts
    const { following } = this
    if (following !== undefined) {
      // The predecessor goes on serving.
      if (why !== undefined) throw new Error(`hand-over given up: self-query: ${why}`)
      let connections = 0
      const onConnection: OnConnection = (server, client) => {
        connections += 1
        adopt?.(server, client)
      }
      await following.done(adopt && onConnection, (end) => {
        this.following = undefined
        log.info({ connections, why: end }, 'hand-over: the process before us has gone')
      })
      this.counts.followed += 1
      log.info({ entries: this.entriesRestored }, 'hand-over: we serve now')
    }
    this.held.keepFor(this.parts.config())
    await this.await()
  }

  /** This process serves again, because its successor has ended. */
  async resumed(): Promise<void> {
    this.counts.resumed += 1
    this.parts.log.warn({}, 'hand-over: the process that had followed us has ended; we serve again')
    await this.await()
  }

  /** The outcome of restoring the cache in a worker; all workers got the same cache. */
  noteRestored({ entries, isRefused }: { entries: number; isRefused: boolean }): void {
    this.entriesRestored = Math.max(this.entriesRestored, entries)
    if (isRefused) this.counts['cache-refused'] = 1
  }

  /** Waits for a successor. Serving goes on when the socket to wait at cannot be opened. */
  async await(): Promise<void> {
    const { settings, service, log, cacheDump, kernelProgram } = this.parts
    const { at, calls } = this
    if (at === null) return
    const { timeoutMs } = settings
    const ours = { sockets: () => this.held.all, cacheDump, kernelProgram }
    const onEvent = (event: PredecessorEvent, detail: string) => this.note(event, detail)
    const waits = settings.afterwards === 'wait'
    const predecessor = new Predecessor({ at, timeoutMs, waits, calls, service, ...ours, onEvent })
    try {
      await predecessor.start()
      this.predecessor = predecessor
    } catch (error) {
      this.counts.failed += 1
      log.error({ at, err: error }, 'hand-over: nobody can follow us, the socket cannot be had')
    }
  }

  /** Gives up following: the predecessor goes on as it is. */
  abandon(): void {
    this.following?.abandon()
  }

  /** Resolves when no hand-over to a successor is under way. Bounded by the time-out. */
  async idle(): Promise<void> {
    await this.predecessor?.idle()
  }

  /** Number of the predecessor's program in the kernel; undefined without one. */
  get programBefore(): number | undefined {
    return this.following?.program
  }

  /** Whether the predecessor still waits, and would serve at once if this process ended. */
  get isWaitedFor(): boolean {
    return this.following?.isWaitedFor === true
  }

  /** Tells a waiting predecessor that this process no longer serves. */
  async resign(): Promise<void> {
    await this.predecessor?.stop()
    this.following?.abandon()
  }

  async stop(): Promise<void> {
    await this.resign()
    this.held.close()
  }

  private async takeCache(successor: Successor): Promise<void> {
    const { restore, log } = this.parts
    try {
      const { entries, skipped } = restore(await successor.cacheDump())
      this.entriesRestored = entries
      log.info({ entries, skipped }, 'hand-over: cache taken over')
    } catch (error) {
      this.counts['cache-refused'] += 1
      const why = error instanceof Error ? error.message : String(error)
      log.warn({ why }, 'hand-over: cache not taken over; we start with an empty one')
    }
  }

  private note(event: PredecessorEvent, detail: string): void {
    const { log } = this.parts
    switch (event) {
      case 'stranger':
        this.counts.stranger += 1
        log.warn({ detail }, 'hand-over: somebody who is not us wanted to follow; refused')
        return
      case 'started':
        log.info({}, 'hand-over: a successor has come')
        return
      case 'given-up':
        this.counts.failed += 1
        log.warn({ why: detail }, 'hand-over: the successor has failed; we serve on')
        return
      case 'failed':
        this.counts.failed += 1
        log.error({ why: detail }, 'hand-over: failed')
        return
      case 'handed-over':
        this.counts['handed-over'] += 1
        log.info({}, 'hand-over: the successor serves')
    }
  }
}
