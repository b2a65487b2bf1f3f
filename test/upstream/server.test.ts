/*
 * Goal: what an upstream answers, refuses or leaves unanswered counts for or against it as it should, and its owner hears of each change
 * once. Method: given times, no socket but where a packet is sent; each constant at its boundary.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { UpstreamTransport } from '../../src/address/upstream-url.ts'
import { UpstreamServer, type UpstreamWatcher } from '../../src/upstream/server.ts'
import type { ExchangeSettings } from '../../src/upstream/settings.ts'
import { FakeUpstream, silent } from './fake-upstream.ts'
import { addressFor, attemptFor, Clock, type Making, startMs } from './parts.ts'
import { addressOf, settings } from './support.ts'

const test = suite('upstream/server')

class Watched implements UpstreamWatcher {
  readonly clock = new Clock()
  readonly told: string[] = []
  readonly server: UpstreamServer

  constructor(transport: UpstreamTransport = 'udp', changes: Partial<ExchangeSettings> = {}) {
    const { context } = this.clock
    this.server = new UpstreamServer(
      addressFor(transport),
      { ...settings, ...changes },
      context,
      this,
    )
  }

  onSignOfLife(isAnswer: boolean): void {
    this.told.push(isAnswer ? 'answer' : 'life')
  }

  onUpOrDown(_upstream: UpstreamServer, up: boolean, why: string): void {
    this.told.push(`${up ? 'up' : 'down'} ${why}`)
  }

  /** An attempt that was sent when it was made. */
  attempt(making: Making = {}) {
    const attempt = attemptFor(this.server, undefined, making)
    attempt.sentMs = attempt.madeMs
    return attempt
  }

  refuse(times = 2): void {
    for (let i = 0; i < times; i++) this.server.noteFailure('refused', startMs)
  }
}

test('a reply counts by its rcode, with the time from its sending', () => {
  const watched = new Watched()
  const { server, told } = watched
  const attempt = watched.attempt()
  assert.equal([attempt.endMs, attempt.rcode], [0, -1])
  server.noteReply(attempt, 3, startMs + 40)
  assert.equal([attempt.endMs, attempt.rcode], [startMs + 40, 3])
  assert.equal([server.counters.repliesByRcode[3], server.roundTripMs], [1, 40])
  assert.equal(told, ['answer'])
})

test('a reply to a trial is a sign of life, and no more', () => {
  const watched = new Watched()
  const { server, told } = watched
  server.noteReply(watched.attempt({ kind: 'trial' }), 0, startMs + 40)
  server.noteLateReply(watched.attempt({ kind: 'trial' }), startMs + 40)
  assert.equal([server.counters.repliesByRcode[0], server.roundTripMs], [0, 0])
  assert.equal(told, ['life', 'life'])
})

test('a late reply tells of the round trip, though nobody waits for it', () => {
  const watched = new Watched()
  const { server, told } = watched
  server.noteLateReply(watched.attempt(), startMs + 900)
  assert.equal([server.counters.lateReplies, server.counters.repliesByRcode[0]], [1, 0])
  assert.equal([server.roundTripMs, told], [900, ['answer']])
})

test('three silences over a second take it down, an attempt counting once', () => {
  const watched = new Watched()
  const { server, told } = watched
  const first = watched.attempt()
  for (const ms of [300, 301, 2000]) server.noteWait(first, startMs + ms)
  assert.is(server.counters.silences, 1)
  assert.is(server.isWell(startMs + 2000), false, 'doubtful')
  server.noteWait(watched.attempt(), startMs + 1299)
  assert.equal([server.isUp, told], [true, []])
  server.noteWait(watched.attempt(), startMs + 1300)
  assert.equal([server.isUp, told], [false, ['down silent']])
})

test('silence is nothing where it has said something since the attempt was made', () => {
  const watched = new Watched()
  const { server } = watched
  server.noteReply(watched.attempt(), 0, startMs + 100)
  server.noteWait(watched.attempt({ madeMs: startMs + 100 }), startMs + 400)
  assert.is(server.counters.silences, 0)
  server.noteWait(watched.attempt({ madeMs: startMs + 101 }), startMs + 400)
  assert.is(server.counters.silences, 1)
})

test('TCP beside UDP may be missing: its silence is nothing', () => {
  const watched = new Watched()
  watched.server.noteWait(watched.attempt({ overTcp: true }), startMs + 400)
  assert.is(watched.server.counters.silences, 0)
})

test('two refusals take it down, and the first reply brings it back; each is told once', () => {
  const watched = new Watched()
  const { server, told } = watched
  watched.refuse(1)
  assert.is(server.isUp, true)
  watched.refuse(3)
  assert.equal([server.isUp, told], [false, ['down refused']])
  server.noteReply(watched.attempt(), 2, startMs + 40)
  server.noteReply(watched.attempt(), 2, startMs + 40)
  assert.equal([server.isUp, told], [true, ['down refused', 'answer', 'up answered', 'answer']])
})

test('limits of ours say nothing about it', () => {
  const { server, told } = new Watched()
  for (let i = 0; i < 5; i++) {
    server.noteFailure('overloaded', startMs)
    server.noteFailure('closed', startMs)
  }
  assert.equal([server.isUp, told], [true, []])
})

test('a slow answer to EDNS that comes late proves EDNS, an error does not', () => {
  const watched = new Watched()
  const { edns } = watched.server.dialect
  for (const [rcode, isDoubtful] of [
    [1, true],
    [0, false],
  ] as const) {
    watched.clock.context.scan.rcode = rcode
    watched.server.noteLateReply(watched.attempt(), startMs)
    assert.is(edns.isDoubtful, isDoubtful)
  }
})

test('who comes back from being down may be another server: nothing is known of it', () => {
  const watched = new Watched()
  const { server } = watched
  const { edns, udp } = server.dialect
  for (const manner of [edns, udp]) manner.otherHelped(true, startMs + 1000)
  server.noteReply(watched.attempt(), 0, startMs)
  assert.equal([edns.isAvoided(startMs), udp.isAvoided(startMs)], [true, true])
  for (let i = 0; i < 2; i++) server.noteFailure('refused', startMs)
  server.noteReply(watched.attempt(), 0, startMs)
  assert.equal([edns.isAvoided(startMs), udp.isAvoided(startMs)], [false, false])
})

test('it is lively while its last reply is no older than its usual time', () => {
  const watched = new Watched()
  const { server } = watched
  assert.is(server.isLively(startMs), false)
  server.noteReply(watched.attempt(), 0, startMs)
  assert.is(server.hedgeDelay.delayMs, 250)
  assert.is(server.isLively(startMs + 249), true)
  assert.is(server.isLively(startMs + 250), false)
})

test('a trial is sent twice a second at most', async () => {
  const fake = await FakeUpstream.start()
  const watched = new Watched()
  const { context } = watched.clock
  const server = new UpstreamServer(addressOf(fake, 'udp'), settings, context, watched)
  try {
    server.tryOut(startMs)
    server.tryOut(startMs + 499)
    assert.is(server.counters.trials, 1)
    server.tryOut(startMs + 600)
    assert.is(server.counters.trials, 2)
    assert.is(server.counters.sent, 0, 'trials are not among what was sent')
  } finally {
    server.stop()
    await fake.stop()
  }
})

test('what is sent is counted and in flight until it is stopped', async () => {
  const fake = await FakeUpstream.start(silent)
  const watched = new Watched()
  const { context } = watched.clock
  const server = new UpstreamServer(addressOf(fake, 'udp'), settings, context, watched)
  try {
    const attempt = attemptFor(server)
    assert.is(server.send(attempt), undefined)
    assert.equal([server.counters.sent, server.load, attempt.sentMs], [1, 1, startMs])
    server.stop()
    assert.equal([server.load, attempt.isDone, server.counters.failures.closed], [0, true, 1])
  } finally {
    server.stop()
    await fake.stop()
  }
})

test('what cannot be sent is counted, and said why', () => {
  const watched = new Watched('udp', { udp: { socketsMax: 0, queueMax: 0 } })
  const { server } = watched
  assert.is(server.send(watched.attempt()), 'overloaded')
  assert.equal(
    [server.counters.failures.overloaded, server.counters.sent, server.isUp],
    [1, 0, true],
  )
})

test('a retired one takes nothing more, and is not tried out', () => {
  const watched = new Watched()
  const { server } = watched
  server.retire()
  assert.is(server.send(watched.attempt()), 'closed')
  assert.is(server.counters.failures.closed, 1)
  server.tryOut(startMs)
  assert.is(server.counters.trials, 0)
})

test('settings that change hold at once', () => {
  const watched = new Watched()
  const { server } = watched
  server.reconfigure({
    ...settings,
    hedge: { ...settings.hedge, maxMs: 100 },
    udp: { socketsMax: 0, queueMax: 0 },
  })
  assert.is(server.hedgeDelay.delayMs, 100)
  assert.is(server.send(watched.attempt()), 'overloaded')
})

test('a question waits for it three times its usual time, within bounds, and less when it is down', () => {
  const watched = new Watched()
  const { server } = watched
  assert.is(server.timeoutMs(false), 1500, 'nothing is known')
  const reply = (tookMs: number) => server.noteReply(watched.attempt(), 0, startMs + tookMs)
  for (let i = 0; i < 32; i++) reply(1)
  assert.is(server.timeoutMs(false), 500)
  for (let i = 0; i < 640; i++) reply(300)
  const timeoutMs = server.timeoutMs(false)
  assert.ok(timeoutMs >= 900 && timeoutMs < 900 * 1.2, `${timeoutMs} ms`)
  assert.is(server.timeoutMs(true), 250, 'TCP beside UDP may not exist')
  watched.refuse()
  assert.is(server.timeoutMs(false), 200)
})

test('silence about what it has answered before is proof, silence about the rest is none', () => {
  for (const [isProof, isUp] of [
    [false, true],
    [true, false],
  ] as const) {
    const watched = new Watched()
    const { server } = watched
    server.noteReply(watched.attempt({ madeMs: startMs - 10 }), 0, startMs - 5)
    for (const ms of [0, 600, 1200])
      server.noteWait(watched.attempt(), startMs + ms, isProof && ms === 600)
    assert.is(server.isUp, isUp)
  }
})

test('an upstream that nobody has asked has nothing open', () => {
  for (const transport of ['udp', 'tcp', 'tls'] as const) {
    const { server } = new Watched(transport)
    assert.equal([server.load, server.connections, server.roundTripMs], [0, 0, 0])
    server.nudge()
    server.stop()
  }
})

test.run()
