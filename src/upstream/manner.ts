/**
 * In which manner a question is sent to an upstream: with EDNS or without, over UDP or TCP, by what is known of the upstream
 * (policy/dialect.ts) and what this question has already met with there. Sends nothing.
 */
import type { Ask } from '../core/ports.ts'
import { isReturned } from '../core/question/returned.ts'
import { inRandomCase, withoutOpt } from '../wire/query.ts'
import { Attempt, type AttemptList, type AttemptOwner, type Upstream } from './attempt.ts'
import type { AttemptFailure } from './counters.ts'
import { type AttemptKind, isTcpBeside } from './policy/attempt-kind.ts'
import type { QuestionGroup } from './question-group.ts'

const none: readonly Attempt[] = []

/** The question that an attempt is made for. */
export interface AttemptPurpose {
  readonly owner: AttemptOwner
  readonly ask: Ask
  /** Of the same question so far. */
  readonly attempts: AttemptList
  readonly group: Pick<QuestionGroup, 'context' | 'loops'>
  readonly nowMs: number
}

/** Makes the next attempt, in the manner that is due. */
export function attemptFor(
  upstream: Upstream,
  kind: AttemptKind,
  purpose: AttemptPurpose,
): Attempt {
  const { owner, ask, attempts, nowMs } = purpose
  const { questionEnd } = ask
  const frame = frameFor(kind, upstream, purpose)
  const { isPlain, overTcp } = mannerOf(kind, upstream, attempts, nowMs)
  return new Attempt(owner, upstream, {
    kind,
    frame: isPlain ? withoutOpt(frame, questionEnd) : frame,
    questionEnd,
    overTcp,
    siblings: attempts,
    madeMs: nowMs,
    mayRecurse: ask.mayRecurse,
    claim: ask.claim,
  })
}

/**
 * Whoever joined the question may be the question itself, sent back to us: when it is asked again, that will be seen. One packet
 * shows it. The others have the client's letters, for servers that compare them.
 */
function frameFor(
  kind: AttemptKind,
  upstream: Upstream,
  { ask, attempts, group, nowMs }: AttemptPurpose,
): Buffer {
  const isJoined = kind !== 'first' && (ask.waiters?.length ?? 0) > 1
  if (ask.challenge === undefined && (isJoined || group.loops.isOpen(nowMs)))
    ask.challenge = inRandomCase(ask.frame, ask.questionEnd, () => group.context.random.id())
  if (ask.challenge === undefined) return ask.frame
  const isShown = attempts.at(upstream).some((one) => isChallenge(one, ask))
  return isShown ? ask.frame : ask.challenge
}

/** Whether the attempt has the letters that a returning question is known by. */
export function isChallenge({ frame }: Attempt, ask: Ask): boolean {
  return isReturned(frame, ask)
}

export interface AskingManner {
  /** Without EDNS. */
  readonly isPlain: boolean
  /** Although the upstream's transport is UDP. */
  readonly overTcp: boolean
}

/** How the upstream is asked for all that is known of it, whatever a question has met with. */
export function knownManner({ dialect, address }: Upstream, nowMs: number): AskingManner {
  const { edns, udp } = dialect
  const overTcp = address.transport === 'udp' && udp.isAvoided(nowMs)
  return { isPlain: edns.isAvoided(nowMs), overTcp }
}

function mannerOf(
  kind: AttemptKind,
  upstream: Upstream,
  attempts: AttemptList,
  nowMs: number,
): AskingManner {
  const known = knownManner(upstream, nowMs)
  const { isDoubtful } = upstream.dialect.edns
  return {
    overTcp:
      known.overTcp || isOverTcp(kind) || (kind !== 'revival' && attempts.wentOverTcp(upstream)),
    isPlain:
      known.isPlain || kind === 'plain' || (isDoubtful && isPlainDue(kind, upstream, attempts)),
  }
}

function isOverTcp(kind: AttemptKind): boolean {
  return kind === 'tcp' || isTcpBeside(kind)
}

/** One retry without EDNS over each transport, where the question with it came to nothing. */
function isPlainDue(kind: AttemptKind, upstream: Upstream, attempts: AttemptList): boolean {
  let hasFailed = false
  for (const attempt of attempts.at(upstream)) {
    if (attempt.hasOpt) hasFailed = true
    else if (!isOverTcp(kind)) return false
  }
  return hasFailed
}

/**
 * How a question that waits for an upstream is asked there again. TCP once, when packets came that do not fit, or none at all since the
 * question began; without EDNS before that, or beside it where another upstream has taken the first round.
 * @param hedges how often the question has been asked again; the first time is for a lost datagram
 */
export function hedgeKinds(
  upstream: Upstream,
  attempts: AttemptList,
  { startMs, nowMs, hedges }: { startMs: number; nowMs: number; hedges: number },
): readonly AttemptKind[] {
  const those = attempts.at(upstream)
  const hasTcp = upstream.address.transport !== 'udp' || those.some(({ overTcp }) => overTcp)
  if (those.length === 0 || hasTcp) return ['hedge']
  if (those.some(({ mismatches }) => mismatches > 0)) return ['detour']
  const isEarly = hedges < 2 && !upstream.health.isDead(nowMs)
  if (isEarly || upstream.health.lastReplyMs >= startMs) return ['hedge']
  const { edns } = upstream.dialect
  const mayBeEdns = edns.isDoubtful && !edns.isAvoided(nowMs)
  return mayBeEdns && isPlainDue('hedge', upstream, attempts) ? ['hedge', 'detour'] : ['detour']
}

/**
 * How an upstream is asked in place of a lost attempt, where there is no other: over TCP when its UDP port is closed.
 * @returns undefined when there is no third way, or the fault was ours
 */
export function kindAfter(lost: Attempt, why: AttemptFailure): AttemptKind | undefined {
  if (why === 'overloaded' || why === 'closed') return undefined
  if (lost.canGoOverTcp) return why === 'refused' ? 'tcp' : 'failover'
  return lost.upstream.address.transport === 'udp' ? undefined : 'failover'
}

/** Whether it has been learned since the question was sent that the upstream answers in another manner only. */
export function hasLearned(upstream: Upstream, attempts: AttemptList, nowMs: number): boolean {
  const { edns, udp } = upstream.dialect
  const those = attempts.at(upstream)
  if (those.length === 0) return false
  return (
    (edns.isAvoided(nowMs) && those.every(({ hasOpt }) => hasOpt)) ||
    (udp.isAvoided(nowMs) && those.every(({ overTcp }) => !overTcp))
  )
}

/**
 * Some close the connection at the sight of EDNS. TCP that fails is no better than UDP, and an upstream whose ports are both closed is
 * gone.
 */
export function learnFromLoss(lost: Attempt, why: AttemptFailure, nowMs: number): void {
  lost.endMs = nowMs
  if (why === 'overloaded' || why === 'closed') return
  const { hasOpt, overTcp, upstream, siblings } = lost
  const { edns, udp } = upstream.dialect
  if (hasOpt && why === 'connection-lost') edns.failed()
  if (!overTcp) return
  udp.forget()
  const isUdpClosed = siblings.at(upstream).some((one) => !one.overTcp && one.lostTo !== undefined)
  if (isUdpClosed) upstream.noteFailure(why, nowMs, lost)
}

/** What an answer teaches, beside the answer itself. */
export interface LessonTerms {
  readonly nowMs: number
  /** Whether the upstream has refused EDNS for this question in so many words. */
  readonly isRefused: boolean
  /** A server that does not know EDNS would have said the same. */
  readonly saysNothingOfEdns: boolean
  /** How long a manner that failed is avoided. */
  readonly forMs: number
}

/** Learns from an answer. @param attempts of its question, none of them cancelled yet */
export function learnFrom(answered: Attempt, attempts: AttemptList, terms: LessonTerms): void {
  const { upstream, hasOpt, overTcp } = answered
  const { edns, udp } = upstream.dialect
  const untilMs = terms.nowMs + terms.forMs
  const isOnly = attempts.all.length === 1 && attempts.all[0] === answered
  const earlier = isOnly ? none : attempts.at(upstream).filter((one) => one !== answered)
  const isLesson = !terms.saysNothingOfEdns
  if (hasOpt) edns.worked(isLesson)
  else if (isLesson && earlier.some((one) => hasMissedEdns(one, answered, terms.nowMs)))
    edns.otherHelped(terms.isRefused, untilMs)
  if (!overTcp) udp.worked()
  else if (earlier.some((one) => hasMissedUdp(one, answered, terms.nowMs)))
    udp.otherHelped(false, untilMs)
}

function hasMissedEdns(earlier: Attempt, answered: Attempt, nowMs: number): boolean {
  if (!earlier.hasOpt || earlier.overTcp !== answered.overTcp) return false
  return earlier.isDone || wasQuicker(answered, earlier, nowMs)
}

/** A truncated reply is no failure of UDP. */
function hasMissedUdp(earlier: Attempt, answered: Attempt, nowMs: number): boolean {
  if (earlier.overTcp || earlier.upstream.address.transport !== 'udp') return false
  if (earlier.isDone) return earlier.lostTo !== undefined
  return earlier.mismatches > 0 || wasQuicker(answered, earlier, nowMs)
}

/**
 * Whether a later attempt was answered in less time than the earlier one had been silent before it. A slow name is answered in all
 * manners at the same moment, and tells nothing.
 */
function wasQuicker(answered: Attempt, earlier: Attempt, nowMs: number): boolean {
  return nowMs - answered.madeMs < answered.madeMs - earlier.madeMs
}
