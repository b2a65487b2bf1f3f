/*
 * Goal: an attempt reports once, or never when nobody wants to know, and its list knows how many packets a question has cost. Method: an
 * upstream and an owner that note what they are told.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Attempt,
  AttemptList,
  type Carrier,
  examineReply,
  writeFrame,
} from '../../src/upstream/attempt.ts'
import { aRecord, responseTo } from '../core/support.ts'
import { attemptFor, Clock, NotingOwner, NotingUpstream } from './parts.ts'

const test = suite('upstream/attempt')

class NotingCarrier implements Carrier {
  readonly forgotten: Attempt[] = []

  forget(attempt: Attempt): void {
    this.forgotten.push(attempt)
  }
}

function waiting() {
  const [upstream, owner, carrier] = [new NotingUpstream(), new NotingOwner(), new NotingCarrier()]
  const attempt = attemptFor(upstream, owner)
  attempt.carrier = carrier
  return { upstream, owner, carrier, attempt }
}

test('an attempt that is cancelled is forgotten by its carrier, once, and tells nobody', () => {
  const { attempt, carrier, owner } = waiting()
  attempt.cancel()
  attempt.cancel()
  assert.equal([carrier.forgotten.length, owner.told], [1, []])
  assert.is(attempt.isDone, true)
})

test('an attempt that fails is counted and told, once', () => {
  const { attempt, upstream, owner, carrier } = waiting()
  attempt.fail('refused')
  attempt.fail('tls')
  attempt.cancel()
  assert.equal(owner.told, ['lost refused'])
  assert.equal([upstream.counters.failures.refused, upstream.counters.failures.tls], [1, 0])
  assert.equal([attempt.carrier, carrier.forgotten], [undefined, []])
})

test('what fails after it was cancelled is nobody’s', () => {
  const { attempt, upstream, owner } = waiting()
  attempt.cancel()
  attempt.fail('refused')
  assert.equal([owner.told, upstream.counters.failures.refused], [[], 0])
})

test('an owner that cancels all attempts when one is lost does not reach that one again', () => {
  const upstream = new NotingUpstream()
  const list = new AttemptList()
  const owner = new NotingOwner()
  owner.onLost = (attempt) => {
    owner.told.push(`lost, done ${attempt.isDone}`)
    list.cancel()
  }
  const attempt = attemptFor(upstream, owner)
  list.add(attempt)
  attempt.fail('unreachable')
  assert.equal(owner.told, ['lost, done true'])
})

test('the third mismatch raises suspicion, once, and all are counted', () => {
  const { attempt, upstream, owner } = waiting()
  attempt.mismatched('id')
  attempt.mismatched('source')
  assert.equal(owner.told, [])
  attempt.mismatched('id')
  attempt.mismatched('question')
  assert.equal(owner.told, ['suspicion'])
  const { id, source, question, short } = upstream.counters.mismatches
  assert.equal([id, source, question, short, attempt.mismatches], [2, 1, 1, 0, 4])
})

test('a mismatch of what is over is counted and told nobody', () => {
  const { attempt, upstream, owner } = waiting()
  attempt.cancel()
  for (let i = 0; i < 3; i++) attempt.mismatched('id')
  assert.equal([owner.told, upstream.counters.mismatches.id], [[], 3])
})

test('only a UDP attempt to a UDP upstream can go over TCP instead', () => {
  const can = (transport: 'udp' | 'tcp' | 'tls', overTcp: boolean) =>
    attemptFor(new NotingUpstream(transport), undefined, { overTcp }).canGoOverTcp
  assert.equal(
    [can('udp', false), can('udp', true), can('tcp', false), can('tls', false)],
    [true, false, false, false],
  )
})

/** @param states of each attempt: `sent`, `lost` (sent, then over), `unsent` (over before it was sent), `waits` */
function listOf(...states: readonly ('sent' | 'lost' | 'unsent' | 'waits')[]): AttemptList {
  const list = new AttemptList()
  for (const state of states) {
    const attempt = attemptFor(new NotingUpstream())
    attempt.sentMs = state === 'sent' || state === 'lost' ? 5 : 0
    attempt.isDone = state === 'lost' || state === 'unsent'
    list.add(attempt)
  }
  return list
}

test('a question may be sent as often as it may, lost ones included', () => {
  assert.is(listOf().mayGrow(1), true)
  assert.is(listOf('sent', 'lost', 'sent').mayGrow(4), true)
  assert.is(listOf('sent', 'lost', 'sent', 'lost').mayGrow(4), false)
  assert.is(listOf('waits', 'waits').mayGrow(2), false)
})

test('what was lost before it was sent counts half', () => {
  assert.is(listOf('sent', 'unsent').mayGrow(2), true)
  assert.is(listOf('sent', 'unsent', 'unsent').mayGrow(2), false)
  assert.is(listOf('unsent', 'unsent', 'unsent').mayGrow(2), true)
  assert.is(listOf('unsent', 'unsent', 'unsent', 'unsent').mayGrow(2), false)
})

test('the newest that may be answered is the last that is not over', () => {
  const list = listOf('sent', 'sent', 'lost')
  assert.is(list.lastLive(), list.all[1])
  assert.is(listOf('lost', 'unsent').lastLive(), undefined)
})

test('a list knows its carriers, its upstreams, and what went over TCP', () => {
  const [one, other] = [new NotingUpstream(), new NotingUpstream()]
  const [carrier, strange] = [new NotingCarrier(), new NotingCarrier()]
  const list = new AttemptList()
  list.add(attemptFor(one))
  const tcp = attemptFor(other, undefined, { overTcp: true })
  tcp.carrier = carrier
  list.add(tcp)
  assert.equal([list.waitsOn(carrier), list.waitsOn(strange)], [true, false])
  assert.equal(
    list.upstreams().map((upstream) => upstream === one),
    [true, false],
  )
  assert.equal([list.wentOverTcp(one), list.wentOverTcp(other)], [false, true])
  assert.is(list.sawMismatch(), false)
  tcp.mismatched('id')
  assert.is(list.sawMismatch(), true)
})

test('waiting is held against each upstream once, by its first attempt, unless that is over', () => {
  const [one, other] = [new NotingUpstream(), new NotingUpstream()]
  const list = new AttemptList()
  for (const upstream of [one, other, one]) {
    const attempt = attemptFor(upstream)
    upstream.send(attempt)
    list.add(attempt)
  }
  list.noteWaits(5)
  assert.equal([one.noted, other.noted], [['wait 0'], ['wait 0']])
  list.all[0]?.cancel()
  list.noteWaits(6)
  assert.equal([one.noted.length, other.noted.length], [1, 2])
})

test('a cancelled list has nothing live', () => {
  const list = listOf('sent', 'waits', 'lost')
  list.cancel()
  assert.ok(list.all.every(({ isDone }) => isDone))
})

test('the frame is written under its own ID, and stays as it was', () => {
  const attempt = attemptFor(new NotingUpstream())
  const before = Buffer.from(attempt.frame)
  attempt.id = 0xbeef
  const into = Buffer.alloc(attempt.frame.length + 5, 0xaa)
  writeFrame(attempt, into, 3)
  assert.equal(into.subarray(3, 5), Buffer.of(0xbe, 0xef))
  assert.equal(into.subarray(5, 3 + before.length), before.subarray(2))
  assert.equal([into[2], into[into.length - 1]], [0xaa, 0xaa])
  assert.equal(attempt.frame, before)
})

test('a frame has an OPT record or ends with its question', () => {
  const upstream = new NotingUpstream()
  assert.is(attemptFor(upstream).hasOpt, true)
  assert.is(attemptFor(upstream, undefined, { isPlain: true }).hasOpt, false)
})

test('a reply is one to this question, and sound', () => {
  const { context } = new Clock()
  const attempt = attemptFor(new NotingUpstream())
  const answers = [aRecord('www.example', '192.0.2.1')]
  const good = responseTo('www.example', 'A', { answers })
  assert.is(examineReply(good, attempt, context), good)
  assert.is(context.scan.answers, 1)
  assert.is(examineReply(responseTo('ftp.example', 'A', { answers }), attempt, context), 'question')
  const cut = responseTo('www.example', 'A', { answers })
  assert.is(examineReply(cut.subarray(0, cut.length - 12), attempt, context), 'malformed')
  assert.is(examineReply(attempt.frame, attempt, context), 'question', 'a query is no reply')
})

test.run()
