/**
 * What is known of one upstream from how real questions fared: whether it answers, refuses or is silent. Silence about names is not
 * the death of a server, so silence takes one down only when it leaves something unanswered that it has answered before. Pure: time
 * and randomness are passed in.
 */

/** How far an upstream is trusted. Numbers, because the lowest is chosen. */
export const Rank = {
  well: 0,
  /** Recently silent, or unhelpful: equals are asked before it, and those that stand below it in an order are not. */
  doubtful: 1,
  /** Dead, by proof that is not old: asked only if all others are, too; a trial per `trialEveryMs` shows whether it is back. */
  down: 2,
} as const
export type Rank = (typeof Rank)[keyof typeof Rank]

/** Two a second at most, and service is back within a second of the upstream's return. */
const trialEveryMs = 500
/** Added at random, so that the nodes of a cluster do not send trials in step. */
const trialJitterMs = 100
/** A lone refusal may be one dead pod behind a service address. */
const refusalsMax = 2
/** Silence takes an upstream `down` only with this many unanswered questions ... */
const strikesMax = 3
/** ... over at least this long: a burst lost within one second is no outage. */
const strikeSpanMs = 1000
/** Without proof it takes this long, and it is then down but not dead. */
const longStrikeSpanMs = 10_000
/**
 * Proof of death holds this long after the latest sign of it. Trials renew it while questions come; without questions nobody would
 * see the upstream return, and the first name of the morning would be asked of the wrong one.
 */
const proofHoldsMs = 2500
/** How long it says nothing before what it was sent in that time may be lost: the usual packets of a question are sent within a second. */
const silenceMinMs = 900
/** How long an upstream stays doubtful that answers, but without helping any client. */
const unwellMs = 5000
/** Rescues by other upstreams in a row after which SERVFAIL is the upstream's fault, not the name's. */
const rescuesMax = 3

export class UpstreamHealth {
  /** When the last valid reply came, whatever its content. */
  lastReplyMs = Number.NEGATIVE_INFINITY
  /** The latest silence that has ended: from one reply to the next. */
  private silentFromMs = Number.NEGATIVE_INFINITY
  private silentUntilMs = Number.NEGATIVE_INFINITY
  private strikes = 0
  private firstStrikeMs = 0
  /** Of silences and refusals. */
  private latestFaultMs = Number.NEGATIVE_INFINITY
  private refusals = 0
  private rescues = 0
  private unwellUntilMs = Number.NEGATIVE_INFINITY
  private nextTrialMs = Number.NEGATIVE_INFINITY
  private down = false
  private isProven = false

  /** It has answered nothing for long, for whatever reason. */
  get isDown(): boolean {
    return this.down
  }

  /** It is down, and there is proof that is not old. */
  isDead(nowMs: number): boolean {
    return this.down && this.isProven && nowMs - this.latestFaultMs < proofHoldsMs
  }

  rank(nowMs: number): Rank {
    if (this.isDead(nowMs)) return Rank.down
    const isDoubtful = this.down || this.strikes > 0 || nowMs < this.unwellUntilMs
    return isDoubtful ? Rank.doubtful : Rank.well
  }

  /** Whether it said nothing for a second from the first of a question's packets on, and spoke again only after the last. */
  mayHaveMissed(firstMs: number, lastMs: number): boolean {
    if (firstMs < this.silentFromMs || lastMs > this.silentUntilMs) return false
    return this.silentUntilMs - firstMs >= silenceMinMs
  }

  /** A valid reply came. @returns true when that brought the upstream back up */
  replied(nowMs: number): boolean {
    if (nowMs - this.lastReplyMs >= silenceMinMs) {
      this.silentFromMs = this.lastReplyMs
      this.silentUntilMs = nowMs
    }
    this.lastReplyMs = nowMs
    this.strikes = 0
    this.refusals = 0
    this.isProven = false
    const wasDown = this.down
    this.down = false
    return wasDown
  }

  /**
   * A question waited longer than usual, without a reply to any question in that time.
   * @param isProof it has answered this very question before
   * @returns true when that took the upstream down
   */
  stayedSilent(nowMs: number, isProof: boolean): boolean {
    if (this.strikes === 0) this.firstStrikeMs = nowMs
    this.strikes++
    this.latestFaultMs = nowMs
    if (isProof) this.isProven = true
    // One that has never answered anything may be there for names that nobody has asked it yet.
    const isStranger = this.lastReplyMs === Number.NEGATIVE_INFINITY
    const spanMs = this.isProven || isStranger ? strikeSpanMs : longStrikeSpanMs
    const isEnough = this.strikes >= strikesMax && nowMs - this.firstStrikeMs >= spanMs
    return isEnough && this.takeDown(nowMs)
  }

  /**
   * It refused a packet or a connection, or cannot be reached.
   * @param isCertain over UDP and over TCP
   * @returns true when that took the upstream down
   */
  refused(nowMs: number, isCertain = false): boolean {
    this.latestFaultMs = nowMs
    this.refusals += isCertain ? refusalsMax : 1
    if (this.refusals < refusalsMax) return false
    this.isProven = true
    return this.takeDown(nowMs)
  }

  /** Another upstream had a usable answer where this one said SERVFAIL or REFUSED. */
  wasRescued(nowMs: number): void {
    if (++this.rescues >= rescuesMax) this.isUnwell(nowMs)
  }

  /** It had a usable answer. */
  helped(): void {
    this.rescues = 0
  }

  /** It answers, but should be avoided where equals can answer (because it drops its connections, say). */
  isUnwell(nowMs: number): void {
    this.unwellUntilMs = nowMs + unwellMs
  }

  /**
   * Takes the right to one trial of an upstream that is not well.
   * @param random 0 to 1
   */
  takeTrial(nowMs: number, random: number): boolean {
    if (nowMs < this.nextTrialMs) return false
    this.nextTrialMs = nowMs + trialEveryMs + random * trialJitterMs
    return true
  }

  private takeDown(nowMs: number): boolean {
    if (this.down) return false
    this.down = true
    this.nextTrialMs = nowMs + trialEveryMs
    return true
  }
}
