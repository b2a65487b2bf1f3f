/*
 * Goal: what an answer teaches about EDNS and UDP is what it shows and no more. Method: attempts with times, made by hand; the order of
 * retries is in question.test.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Attempt, AttemptList } from '../../src/upstream/attempt.ts'
import {
  hasLearned,
  hedgeKinds,
  knownManner,
  learnFrom,
  learnFromLoss,
} from '../../src/upstream/manner.ts'
import { attemptFor, NotingUpstream, startMs } from './parts.ts'

const test = suite('upstream/manner')

interface Sent {
  readonly atMs: number
  readonly isPlain?: boolean
  readonly overTcp?: boolean
  /** `replied` with what was no answer, `lost` on its way; it waits unless said otherwise. */
  readonly end?: 'replied' | 'lost'
}

class Story {
  readonly upstream = new NotingUpstream()
  readonly attempts = new AttemptList()

  constructor(...sent: readonly Sent[]) {
    this.upstream.dialect.forget()
    for (const one of sent) this.send(one)
  }

  send({ atMs, isPlain = false, overTcp = false, end }: Sent): Attempt {
    const making = { isPlain, overTcp, madeMs: startMs + atMs, siblings: this.attempts }
    const attempt = attemptFor(this.upstream, undefined, making)
    this.attempts.add(attempt)
    if (end === 'lost') attempt.fail('connection-lost')
    attempt.isDone = end !== undefined
    return attempt
  }

  /** The last one is answered. @returns what is avoided after as many questions of this kind as evidence takes, or fewer */
  answeredAt(atMs: number, isRefused = false, times = 3): string[] {
    const last = this.attempts.all.at(-1)
    if (last === undefined) throw new Error('nothing was sent')
    for (let i = 0; i < times; i++)
      learnFrom(last, this.attempts, {
        nowMs: startMs + atMs,
        isRefused,
        forMs: 60_000,
        saysNothingOfEdns: false,
      })
    const { edns, udp } = this.upstream.dialect
    return [
      ...(edns.isAvoided(startMs + atMs) ? ['EDNS'] : []),
      ...(udp.isAvoided(startMs + atMs) ? ['UDP'] : []),
    ]
  }
}

const edns: Sent = { atMs: 0 }
const plain: Sent = { atMs: 250, isPlain: true }

test('EDNS is avoided when the question without it was answered sooner than it had been silent', () => {
  assert.equal(new Story(edns, plain).answeredAt(499), ['EDNS'])
  assert.equal(new Story(edns, plain).answeredAt(500), [], 'a slow name is answered in all manners')
  assert.equal(new Story(edns, plain).answeredAt(499, false, 2), [], 'not by two')
  assert.equal(new Story({ ...edns, end: 'replied' }, plain).answeredAt(2000), ['EDNS'], 'SERVFAIL')
  assert.equal(new Story({ ...edns, end: 'lost' }, plain).answeredAt(2000), ['EDNS'], 'closed')
})

test('a refusal is learned at once', () => {
  assert.equal(new Story({ ...edns, end: 'replied' }, plain).answeredAt(400, true, 1), ['EDNS'])
})

test('an answer to the first question without EDNS teaches nothing, and one to EDNS proves EDNS', () => {
  assert.equal(new Story(plain).answeredAt(300), [])
  const story = new Story(edns, plain, { atMs: 750 })
  story.upstream.dialect.edns.otherHelped(true, startMs + 60_000)
  assert.equal(story.answeredAt(760), [])
  assert.is(story.upstream.dialect.edns.isDoubtful, false)
})

test('UDP is avoided when TCP answered where datagrams met silence, misfits or a closed port', () => {
  const tcp: Sent = { atMs: 750, overTcp: true }
  assert.equal(new Story(edns, tcp).answeredAt(1000), ['UDP'])
  assert.equal(new Story({ atMs: 700 }, tcp).answeredAt(1000), [], 'a slow name')
  assert.equal(new Story({ ...edns, end: 'lost' }, tcp).answeredAt(2000), ['UDP'])
  assert.equal(new Story({ ...edns, end: 'replied' }, tcp).answeredAt(2000), [], 'TC is no failure')
  const misfit = new Story({ atMs: 700 })
  misfit.attempts.all[0]?.mismatched('id')
  misfit.send(tcp)
  assert.equal(misfit.answeredAt(2000), ['UDP'])
})

test('TCP says nothing about EDNS over UDP', () => {
  assert.equal(new Story(edns, { atMs: 750, overTcp: true, isPlain: true }).answeredAt(800), [
    'UDP',
  ])
})

test('TCP is due for UDP upstreams of which nothing is heard, not at the first retry, and once', () => {
  const due = (story: Story, hedges = 2) =>
    hedgeKinds(story.upstream, story.attempts, { startMs, nowMs: startMs + 750, hedges }).join()
  assert.equal([due(new Story(edns, plain)), due(new Story(edns, plain), 1)], ['detour', 'hedge'])
  assert.is(due(new Story(edns)), 'hedge,detour', 'EDNS may be the reason')
  const proven = new Story(edns)
  proven.upstream.dialect.edns.worked()
  assert.is(due(proven), 'detour')
  assert.is(due(new Story(edns, plain, { atMs: 300, overTcp: true })), 'hedge')
  assert.is(due(new Story()), 'hedge')
  const heard = new Story(edns, plain)
  heard.upstream.health.replied(startMs + 1)
  assert.is(due(heard), 'hedge')
  const misfit = new Story(edns)
  misfit.attempts.all[0]?.mismatched('id')
  assert.is(due(misfit, 1), 'detour')
})

test('silence counts against EDNS only where it was used, and nothing was said', () => {
  for (const [sent, isDoubtful] of [
    [edns, true],
    [plain, false],
    [{ ...edns, end: 'replied' }, false],
  ] as const) {
    const story = new Story(sent)
    story.upstream.dialect.edns.worked()
    for (let i = 0; i < 3; i++) story.attempts.noteWaits(startMs)
    assert.is(story.upstream.dialect.edns.isDoubtful, isDoubtful)
  }
})

test('connections that end at the sight of EDNS count against it, and TCP that fails gives UDP another chance', () => {
  const story = new Story({ atMs: 0, overTcp: true, end: 'lost' })
  const { edns: ofEdns, udp } = story.upstream.dialect
  const [attempt] = story.attempts.all
  if (attempt === undefined) throw new Error('nothing was sent')
  ofEdns.worked()
  udp.otherHelped(true, startMs + 60_000)
  for (const why of ['overloaded', 'closed'] as const) learnFromLoss(attempt, why, startMs)
  assert.equal([ofEdns.isDoubtful, udp.isAvoided(startMs)], [false, true])
  for (let i = 0; i < 3; i++) learnFromLoss(attempt, 'connection-lost', startMs)
  assert.equal([ofEdns.isDoubtful, udp.isAvoided(startMs)], [true, false])
})

test('an upstream whose ports are both closed is told so, one whose TCP alone is closed is not', () => {
  for (const [end, noted] of [
    ['lost', ['failure refused']],
    ['replied', []],
  ] as const) {
    const story = new Story({ atMs: 0, end })
    const tcp = story.send({ atMs: 1, overTcp: true })
    learnFromLoss(tcp, 'refused', startMs)
    assert.is(tcp.endMs, startMs)
    assert.equal(story.upstream.noted, [...noted])
  }
})

test('what was learned since is asked for once', () => {
  const story = new Story(edns)
  assert.is(hasLearned(story.upstream, story.attempts, startMs), false)
  story.upstream.dialect.edns.otherHelped(true, startMs + 60_000)
  assert.is(hasLearned(story.upstream, story.attempts, startMs), true)
  story.send(plain)
  assert.is(hasLearned(story.upstream, story.attempts, startMs), false)
  story.upstream.dialect.udp.otherHelped(true, startMs + 60_000)
  assert.is(hasLearned(story.upstream, story.attempts, startMs), true)
  assert.is(hasLearned(new NotingUpstream(), story.attempts, startMs), false)
})

test('what is known of an upstream holds for whatever is sent, and only UDP can be avoided for TCP', () => {
  const known = (upstream: NotingUpstream) => {
    upstream.dialect.forget()
    upstream.dialect.edns.otherHelped(true, startMs + 1)
    for (let i = 0; i < 3; i++) upstream.dialect.udp.otherHelped(false, startMs + 1)
    const { isPlain, overTcp } = knownManner(upstream, startMs)
    return [isPlain, overTcp, knownManner(upstream, startMs + 1).isPlain]
  }
  assert.equal(known(new NotingUpstream()), [true, true, false])
  assert.equal(known(new NotingUpstream('tcp')), [true, false, false])
})

test.run()
