/*
 * Goal: a question asks once more without EDNS where its reply may be about that, takes part in finding out, and leaves no retry
 * open. Method: replies to attempts made by hand; how the question goes on is in question.test.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AttemptList } from '../../src/upstream/attempt.ts'
import { EdnsDoubts } from '../../src/upstream/edns-doubts.ts'
import type { RetryTurn } from '../../src/upstream/policy/plain-retries.ts'
import { ResponseScan } from '../../src/wire/scan.ts'
import { attemptFor, NotingUpstream, startMs } from './parts.ts'
import { settings } from './support.ts'

const test = suite('upstream/edns-doubts')

class Doubting {
  hasRoomToRepeat = true
  readonly upstream: NotingUpstream
  readonly attempts = new AttemptList()
  readonly doubts: EdnsDoubts
  readonly turns: RetryTurn[] = []

  constructor(upstream = unproven(), { failover = true } = {}) {
    this.upstream = upstream
    const group = { nowMs: () => startMs, settings: { ...settings, failover } }
    this.doubts = new EdnsDoubts(group, this.attempts, this)
  }

  onRetryTurn(_upstream: unknown, turn: RetryTurn): void {
    this.turns.push(turn)
  }

  /** A question with EDNS, or without, that has got this reply. */
  turn(rcode: number, { isPlain = false, isOpen = false } = {}): RetryTurn {
    const attempt = attemptFor(this.upstream, undefined, { siblings: this.attempts, isPlain })
    this.attempts.add(attempt)
    attempt.isDone = !isOpen
    return this.doubts.turnFor(attempt, scanOf(rcode))
  }

  answered(rcode: number, isPlain: boolean): { isRefused?: boolean; saysNothingOfEdns?: boolean } {
    return this.doubts.lessonOf(attemptFor(this.upstream, undefined, { isPlain }), scanOf(rcode))
  }
}

function unproven(): NotingUpstream {
  const upstream = new NotingUpstream()
  upstream.dialect.forget()
  return upstream
}

function scanOf(rcode: number): ResponseScan {
  const scan = new ResponseScan()
  scan.rcode = rcode
  return scan
}

test('refusals are asked again whatever is known, errors and denials while EDNS is in doubt', () => {
  for (const rcode of [1, 4, 16, 2, 5, 3]) assert.is(new Doubting().turn(rcode), 'now', `${rcode}`)
  const proven = new NotingUpstream()
  for (const rcode of [1, 4, 16]) assert.is(new Doubting(proven).turn(rcode), 'now', `${rcode}`)
  for (const rcode of [2, 5, 3, 9]) assert.is(new Doubting(proven).turn(rcode), 'never', `${rcode}`)
})

test('there is one retry, none without room, and none of errors where nobody may be asked again', () => {
  const under = new Doubting()
  under.turn(0, { isPlain: true, isOpen: true })
  assert.is(under.turn(2), 'wait')
  for (const one of under.attempts.all) one.isDone = true
  assert.is(under.turn(2), 'never')
  const full = new Doubting()
  full.hasRoomToRepeat = false
  assert.is(full.turn(2), 'never')
  const strict = new Doubting(unproven(), { failover: false })
  assert.equal([strict.turn(2), strict.turn(3)], ['never', 'now'])
})

test('the same denial without EDNS teaches nothing, and data teach at once', () => {
  const denied = new Doubting()
  denied.turn(3)
  assert.equal(denied.answered(3, true), { isRefused: true, saysNothingOfEdns: true })
  assert.equal(denied.answered(0, true), { isRefused: true, saysNothingOfEdns: false })
  const failed = new Doubting()
  failed.turn(2)
  assert.equal(failed.answered(3, true), { isRefused: false, saysNothingOfEdns: false })
})

test('a denial is open while the retry is under way, or waited for', () => {
  const doubting = new Doubting()
  doubting.turn(3)
  assert.is(doubting.doubts.isOpenDenial(doubting.upstream), false)
  doubting.turn(0, { isPlain: true, isOpen: true })
  assert.is(doubting.doubts.isOpenDenial(doubting.upstream), true)
  assert.is(doubting.doubts.isOpenDenial(new NotingUpstream()), false)
})

test('a question that ends without having been answered has tried in vain, and waits no longer', () => {
  const upstream = unproven()
  const all = Array.from({ length: 5 }, () => new Doubting(upstream))
  assert.equal(
    all.map((one) => one.turn(2)),
    ['now', 'now', 'now', 'wait', 'wait'],
  )
  all[4]?.doubts.end()
  for (const one of all.slice(0, 3)) one.doubts.end()
  assert.equal([all[3]?.turns, all[4]?.turns], [['never'], []])
  assert.is(all[3]?.doubts.isWaiting, false)
})

test('what has helped lets those go that wait', () => {
  const upstream = unproven()
  const all = Array.from({ length: 5 }, () => new Doubting(upstream))
  for (const one of all) one.turn(2)
  all[0]?.doubts.conclude(upstream, true)
  assert.equal([all[3]?.turns, all[4]?.turns], [['now'], ['now']])
})

test.run()
