/**
 * The connections of one pool: how many there may be now, and which of them the next question takes. A connection whose head is
 * slow is held: it takes no question that could wait behind it, and another is opened in its place. Sends nothing.
 */
import type { Shares } from '../../core/sharing/shares.ts'
import type { Attempt, ExchangeContext, Upstream } from '../attempt.ts'
import { DialBudget } from '../policy/dial-budget.ts'
import type { ServerSpeed } from '../policy/server-speed.ts'
import { SpareLanes } from '../policy/spare-lanes.ts'
import { Standing, type StreamHabits } from '../policy/stream-habits.ts'
import { type ConnectionHost, StreamConnection } from './stream-connection.ts'

const quietMsMin = 100
/** Silence after which a connection may be gone: then another may be tried in its place. */
const goneAfterMs = 300
/** A server that closes each connection with its answer has none open, and is there all the same. */
const provenMs = 1000
/** Longer than a turn of a busy event loop; a slow answer is noticed before many questions queue behind it. */
const briskGapMs = 10
/** A server is alive for this many times the age of an old head after an answer. */
const livelyFactor = 4
/** While nothing answers, as many connections again are tried beside those that are silent. */
const stalledFactor = 2
/** A dial costs some 0.1 ms of CPU: forty at once would hold up everything else. */
const dialingMax = 8

export class StreamLanes {
  readonly all: StreamConnection[] = []
  readonly dials = new DialBudget()
  private readonly host: ConnectionHost
  private readonly upstream: Upstream
  private readonly context: ExchangeContext
  private readonly habits: StreamHabits

  private readonly places: Shares
  private readonly speed: Pick<ServerSpeed, 'slowAfterMs'>
  private readonly spare = new SpareLanes()

  constructor(
    host: ConnectionHost,
    parts: {
      upstream: Upstream
      context: ExchangeContext
      habits: StreamHabits
      places: Shares
      speed: Pick<ServerSpeed, 'slowAfterMs'>
    },
  ) {
    this.places = parts.places
    this.speed = parts.speed
    this.host = host
    this.upstream = parts.upstream
    this.context = parts.context
    this.habits = parts.habits
  }

  /** The connection is for its head alone, until the next answer. */
  hold(connection: StreamConnection, { claim }: Attempt): void {
    if (connection.isHeld || connection.state === 'closed') return
    connection.heldFor = claim
    this.places.take(claim)
  }

  /** The same, for a head that nobody expected to be slow. */
  holdOld(connection: StreamConnection, head: Attempt): void {
    if (!connection.isHeld) this.spare.note(this.context.wheel.nowMs())
    this.hold(connection, head)
  }

  /** An answer has come, or the connection has ended. */
  free(connection: StreamConnection): void {
    if (connection.heldFor !== undefined) this.places.giveBack(connection.heldFor)
    connection.heldFor = undefined
    connection.isHeadSlow = false
    connection.isLent = false
  }

  remove(connection: StreamConnection): void {
    this.free(connection)
    this.all.splice(this.all.indexOf(connection), 1)
  }

  get openCount(): number {
    return this.count(({ state }) => state === 'open')
  }

  get heldCount(): number {
    return this.count(({ isHeld }) => isHeld)
  }

  get isDialing(): boolean {
    return this.all.some(({ state }) => state === 'dialing')
  }

  /** Whether every open connection is held. */
  get isHeldUp(): boolean {
    return this.heldCount > 0 && this.all.every(({ isHeld, state }) => isHeld || state !== 'open')
  }

  /**
   * Whether heads are old and nothing is answered: a server that has stalled, or slow names on every connection. Then a connection
   * carries one question, and the newest goes first, because a quick one among them tells which of the two it is.
   */
  isStuck(nowMs: number): boolean {
    const { connections, slowAfterMs } = this.host.settings
    if (nowMs - this.upstream.health.lastReplyMs <= slowAfterMs) return false
    const silent = this.count((it) => it.isHeld && !it.isHeadSlow && !it.isLent)
    return silent > 0 && silent >= Math.min(connections, this.openCount)
  }

  /** Whether the server has answered just now, or owes no answer but to questions that are expected to be slow. */
  isLively(nowMs: number): boolean {
    const { slowAfterMs } = this.host.settings
    if (nowMs - this.upstream.health.lastReplyMs < livelyFactor * slowAfterMs) return true
    return !this.all.some(
      (connection) => !connection.isLent && connection.isQuiet(nowMs, slowAfterMs),
    )
  }

  /** Since when the server has had questions and answered none. @param answered one that was among them */
  silentSinceMs({ sentMs }: Attempt): number {
    let sinceMs = sentMs
    for (const { load, quietSinceMs } of this.all)
      if (load > 0) sinceMs = Math.min(sinceMs, quietSinceMs)
    return Math.max(sinceMs, this.upstream.health.lastReplyMs)
  }

  /** Retires what is too old or used up. */
  tidy(nowMs: number): void {
    const servesOnce = this.habits.servesOnce(nowMs)
    for (const connection of this.all) {
      connection.checkAge(nowMs)
      // A used one may already be closing.
      if (servesOnce && connection.sent > 0) connection.retireSoon(nowMs)
    }
  }

  /** @returns the connection with the least to do, if any may take the question: of those with a question the one whose head is youngest */
  placeFor(attempt: Attempt, nowMs: number): StreamConnection | undefined {
    if (attempt.isApart) return this.idleFor(attempt, nowMs)
    const isOneByOne = this.isOneByOne(nowMs)
    let best: StreamConnection | undefined
    let leastLoad = Number.POSITIVE_INFINITY
    for (const connection of this.all) {
      const depthMax = isOneByOne ? 1 : this.depthOf(connection, nowMs)
      if (connection.isHeld || !connection.hasRoom(depthMax)) continue
      const load = this.loadOf(connection, nowMs)
      if (load > leastLoad || (load === leastLoad && !isYounger(connection, best))) continue
      // A hedge must not wait behind the question that it hedges.
      if (attempt.siblings.waitsOn(connection)) continue
      best = connection
      leastLoad = load
    }
    return best
  }

  /** A head that is not old yet, and older than quick ones become, counts for as many as a burst has. */
  private loadOf({ load, quietSinceMs }: StreamConnection, nowMs: number): number {
    const isDoubtful = load > 0 && nowMs - quietSinceMs > this.speed.slowAfterMs / 2
    return isDoubtful ? load + this.host.settings.burstPerConnection : load
  }

  /** @param apart questions that want a connection of their own */
  grow(nowMs: number, apart: number): void {
    const usable = this.count(({ isHeld, isRetiring }) => !isHeld && !isRetiring)
    const isShort = usable < this.host.settings.connections + this.spareWanted(nowMs)
    if (!isShort && apart === 0) return
    const dialing = this.count(({ state }) => state === 'dialing')
    const wantsMore = isShort || (dialing < apart && this.mayHold)
    if (!wantsMore || dialing >= dialingMax || this.isFull(nowMs, apart)) return
    if (!this.isProven(nowMs) && !this.dials.take(nowMs, this.context.random.fraction())) return
    this.all.push(new StreamConnection(this.host, this.context))
  }

  /** How many more than usual may take questions, so that one is free although heads turn old. */
  spareWanted(nowMs: number): number {
    const { connections } = this.host.settings
    return this.spare.wanted(nowMs, this.speed.slowAfterMs, connections * (stalledFactor - 1))
  }

  /** Questions apart leave the others their number. */
  private get mayHold(): boolean {
    return this.heldCount < Math.max(1, this.countMax - this.host.settings.connections)
  }

  private get countMax(): number {
    const { connections, connectionsMax } = this.host.settings
    return Math.max(connections, connectionsMax)
  }

  /** More than twice the usual number only for heads that are slow, and for questions apart while the server answers. */
  private isFull(nowMs: number, apart: number): boolean {
    if (this.all.length >= this.countMax) return true
    const { connections } = this.host.settings
    const slow = this.count(({ isHeadSlow, isLent }) => isHeadSlow || isLent)
    const wanted = this.isLively(nowMs) ? apart : 0
    const useful = this.count(
      (connection) =>
        (connection.load > 0 ? !connection.isQuiet(nowMs, goneAfterMs) : this.isIdle(connection)) ||
        connection.isHeadSlow ||
        connection.isLent,
    )
    return useful >= stalledFactor * connections + slow + wanted
  }

  /** Whether it may take a question: a used one only of a server that is known to answer a second one. */
  private isIdle({ isRetiring, sent }: StreamConnection): boolean {
    return !isRetiring && (sent === 0 || this.habits.answers(Standing.reused))
  }

  /** The last one, so that those in front stay in use and the others end when they are no longer needed. */
  private idleFor({ kind }: Attempt, nowMs: number): StreamConnection | undefined {
    if (!this.mayHold) return undefined
    const wantsFresh = kind !== 'first' && !this.habits.answers(Standing.reused)
    const idle = this.all.filter((connection) => !connection.isHeld && connection.hasRoom(1))
    // The last idle one is for the next quick question, as long as another can be opened.
    if (idle.length === 1 && !this.isFull(nowMs, 1)) return undefined
    return idle.findLast((connection) => !wantsFresh || connection.sent === 0)
  }

  /** Whether each connection carries one question. */
  private isOneByOne(nowMs: number): boolean {
    return !this.habits.isKnown || this.habits.servesSingly(nowMs) || this.isStuck(nowMs)
  }

  /** Questions that a connection may carry otherwise. */
  private depthOf(connection: StreamConnection, nowMs: number): number {
    const { queriesPerConnection, burstPerConnection } = this.host.settings
    if (!connection.isBrisk(nowMs, briskGapMs)) return queriesPerConnection
    return Math.max(queriesPerConnection, burstPerConnection)
  }

  /** Whether the server has answered lately, or has slow questions of which it is known that it answers. */
  private isProven(nowMs: number): boolean {
    if (nowMs - this.upstream.health.lastReplyMs < provenMs) return true
    const quietMs = Math.max(this.upstream.hedgeDelay.delayMs, quietMsMin)
    return this.all.some(
      (connection) =>
        connection.answers > 0 && (connection.isHeadSlow || !connection.isQuiet(nowMs, quietMs)),
    )
  }

  private count(has: (connection: StreamConnection) => boolean): number {
    let count = 0
    for (const connection of this.all) if (has(connection)) count++
    return count
  }
}

function isYounger(one: StreamConnection, other: StreamConnection | undefined): boolean {
  return one.load > 0 && other !== undefined && one.quietSinceMs > other.quietSinceMs
}
