/*
 * Goal: one outcome for each question, the best that its upstreams give, within its packets and its time. Method: a group and upstreams
 * that do what the test says; replies and timers are brought by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readMessage } from '../support/client/dns-message.ts'
import { Asking, endAll } from './asking.ts'
import { startMs } from './parts.ts'

const test = suite('upstream/question')

test.after.each(endAll)

test('the answer of the first choice is the outcome, at once and once', () => {
  const asking = Asking.begun()
  assert.equal(asking.sent, ['a first'])
  asking.reply(0)
  assert.equal(asking.told, ['answer 0 from a'])
  assert.equal([asking.counters.answers, asking.ends, asking.context.wheel.pending], [1, 1, 0])
  asking.question.fail('shutdown')
  assert.equal(asking.deliver(), ['answer 0 from a'])
})

test('where nobody can be asked it fails in a turn of its own', () => {
  const asking = new Asking({ upstreams: 0 })
  asking.isDown = true
  asking.question.begin()
  assert.equal([asking.told, asking.outages], [[], 1])
  assert.equal(asking.deliver(), ['failed unreachable'])
  assert.is(asking.counters.failures.unreachable, 1)
})

test('an answer that takes longer than usual is hedged, and the first to come ends both', () => {
  const asking = Asking.begun()
  asking.at(249)
  assert.equal(asking.sent, ['a first'])
  asking.at(250)
  assert.equal(asking.sent, ['a first', 'b hedge'])
  assert.equal(asking.all[0]?.noted, ['wait 0'])
  asking.reply(1)
  assert.equal(asking.told, ['answer 0 from b'])
  assert.equal([asking.counters.hedges, asking.counters.hedgesWon], [1, 1])
  assert.is(asking.attempt(0).isDone, true)
})

test('where there is no other the same upstream is asked again, later each time', () => {
  const asking = Asking.begun({ upstreams: 1 })
  // It answers others, so neither EDNS nor UDP is at fault.
  for (const ms of [250, 749, 750, 1749, 1750]) {
    asking.all[0]?.health.replied(startMs + ms)
    asking.dialect(0).edns.worked()
    asking.at(ms)
  }
  // A quarter of a second, then half of one, then one.
  assert.equal(asking.sent, ['a first', 'a hedge', 'a hedge', 'a hedge'])
  assert.equal(
    asking.all[0]?.sent.map(({ madeMs, hasOpt }) => [madeMs - startMs, hasOpt]),
    [
      [0, true],
      [250, true],
      [750, true],
      [1750, true],
    ],
  )
})

test('one that has answered with EDNS and falls silent is asked over TCP first', () => {
  const asking = Asking.begun({ upstreams: 1 })
  for (const ms of [250, 750, 1750]) asking.at(ms)
  assert.equal(
    asking.all[0]?.sent.map((one) => [one.madeMs - startMs, one.hasOpt, one.overTcp]),
    [
      [0, true, false],
      [250, true, false],
      [750, true, true],
      [1750, false, true],
    ],
  )
})

test('a hedge that the budget does not cover is not sent', () => {
  const asking = Asking.begun()
  asking.isCovered = false
  asking.at(250)
  assert.equal(asking.sent, ['a first'])
})

test('a question that waits for a connection has one more dialled, and is not hedged behind a lively upstream', () => {
  for (const [lively, sent] of [
    [true, ['a first']],
    [false, ['a first', 'b hedge']],
  ] as const) {
    const asking = new Asking({ transport: 'tcp' })
    const [first] = asking.all
    if (first !== undefined) Object.assign(first, { waits: true, lively })
    asking.question.begin()
    asking.at(250)
    assert.equal(asking.sent, [...sent])
    assert.ok(first?.noted.includes('nudge'))
  }
})

test('the last upstream there is gets a question twice, whatever the budget', () => {
  const asking = Asking.begun({ upstreams: 1 })
  asking.isCovered = false
  for (const ms of [250, 1499, 1500, 2999]) asking.at(ms)
  assert.equal(asking.sent, ['a first', 'a failover'])
  asking.reply(0)
  assert.equal(asking.told, ['answer 0 from a'])
})

test('an equal is asked when the time has passed, whatever the budget', () => {
  const asking = Asking.begun()
  asking.isCovered = false
  for (const ms of [250, 1499]) asking.at(ms)
  assert.equal(asking.sent, ['a first'])
  asking.at(1500)
  assert.equal(asking.sent, ['a first', 'b failover'])
})

test('no question costs more packets than it may', () => {
  const asking = Asking.begun({ upstreams: 1, settings: { attemptsMax: 2 } })
  for (const ms of [250, 750, 1750]) asking.at(ms)
  assert.is(asking.sent.length, 2)
})

test('SERVFAIL is asked of another, whose answer it is; the first is noted to have been rescued', () => {
  const asking = Asking.begun()
  asking.reply(0, { rcode: 2 })
  assert.equal([asking.sent, asking.told], [['a first', 'b failover'], []])
  const takeSpare = () => asking.failovers.spend(startMs, 1)
  while (takeSpare());
  asking.reply(1)
  assert.equal([takeSpare(), takeSpare()], [true, false], 'what helped is given back')
  assert.equal(asking.told, ['answer 0 from b'])
  for (let i = 0; i < 2; i++) asking.all[0]?.health.wasRescued(startMs)
  assert.is(asking.all[0]?.health.rank(startMs), 1, 'three times in a row')
})

test('when all say no, the best of it is the answer', () => {
  const asking = Asking.begun()
  asking.reply(0, { rcode: 2 })
  asking.reply(1, { rcode: 5 })
  assert.equal(asking.deliver(), ['answer 2 from a'], 'SERVFAIL says more than REFUSED')
})

test('SERVFAIL is the answer where fail-over is off, or not covered', () => {
  const off = Asking.begun({ settings: { failover: false } })
  off.reply(0, { rcode: 2 })
  assert.equal(off.deliver(), ['answer 2 from a'])
  const poor = Asking.begun()
  poor.isCovered = false
  poor.reply(0, { rcode: 2 })
  assert.equal(poor.deliver(), ['answer 2 from a'])
})

test('SERVFAIL waits for what is under way, and is given when that comes to nothing', () => {
  const asking = Asking.begun()
  asking.at(250)
  asking.reply(0, { rcode: 2 })
  assert.equal([asking.sent.length, asking.told], [2, []])
  asking.lose(1, 'overloaded')
  assert.equal(asking.told, [])
  assert.equal(asking.deliver(), ['answer 2 from a'])
  assert.is(asking.counters.answers, 1)
})

test('FORMERR to EDNS is asked again without, of the same upstream, which is remembered when that helps', () => {
  const asking = new Asking()
  asking.dialect(0).forget()
  asking.question.begin()
  assert.is(asking.attempt(0).hasOpt, true)
  asking.reply(0, { rcode: 1 })
  assert.equal([asking.sent, asking.attempt(0).hasOpt], [['a first', 'a plain'], false])
  asking.reply(0)
  assert.equal(asking.told, ['answer 0 from a'])
  const { edns } = asking.dialect(0)
  assert.equal(
    [edns.isAvoided(startMs + 899_999), edns.isAvoided(startMs + 900_000)],
    [true, false],
  )
  const proven = Asking.begun()
  proven.reply(0, { rcode: 1 })
  proven.reply(0)
  assert.equal(proven.told, ['answer 0 from a'])
  assert.is(proven.dialect(0).edns.isAvoided(startMs), false, 'not when EDNS has worked there')
  const helpless = new Asking({ upstreams: 1 })
  helpless.dialect(0).forget()
  helpless.question.begin()
  for (let i = 0; i < 2; i++) helpless.reply(0, { rcode: 1 })
  assert.equal(helpless.deliver(), ['answer 1 from a'])
  assert.is(helpless.dialect(0).edns.isAvoided(startMs), false, 'not when it refuses both')
})

test('an upstream that is known to speak plain is asked so at once', () => {
  const asking = new Asking()
  asking.dialect(0).forget()
  asking.dialect(0).edns.otherHelped(true, startMs + 1000)
  asking.question.begin()
  assert.is(asking.attempt(0).hasOpt, false)
  asking.reply(0, { rcode: 1 })
  assert.equal(asking.sent, ['a first', 'b failover'], 'its FORMERR is about something else')
})

function tryInVain(asking: Asking, times: number): void {
  const { edns } = asking.dialect(0)
  for (let i = 0; i < times; i++) {
    edns.mayBlame(startMs)
    edns.errors.end(false, startMs)
  }
}

/** Got SERVFAIL while three others are finding out. */
function waiting(upstreams = 1): Asking {
  const asking = new Asking({ upstreams })
  asking.dialect(0).forget()
  for (let i = 0; i < 3; i++) asking.dialect(0).edns.mayBlame(startMs)
  asking.question.begin()
  asking.reply(0, { rcode: 2 })
  return asking
}

test('SERVFAIL of one that has not answered with EDNS yet is asked again without, not for ever', () => {
  const asking = new Asking()
  asking.dialect(0).forget()
  asking.question.begin()
  asking.reply(0, { rcode: 2 })
  assert.equal([asking.sent, asking.attempt(0).hasOpt], [['a first', 'a plain'], false])
  asking.reply(0, { rcode: 2 })
  assert.equal(asking.sent.toSorted(), ['a first', 'a plain', 'b failover'])
  const tried = new Asking({ upstreams: 1 })
  tried.dialect(0).forget()
  tryInVain(tried, 3)
  tried.question.begin()
  tried.reply(0, { rcode: 2 })
  assert.is(tried.sent.length, 1)
})

test('a retry that brought SERVFAIL was in vain, and one that was never answered', () => {
  const asking = new Asking({ upstreams: 1 })
  asking.dialect(0).forget()
  const { edns } = asking.dialect(0)
  tryInVain(asking, 2)
  asking.question.begin()
  asking.reply(0, { rcode: 2 })
  assert.is(edns.mayBlame(startMs), 'wait')
  asking.reply(0, { rcode: 2 })
  assert.is(edns.mayBlame(startMs), 'never')
  assert.equal(asking.deliver(), ['answer 2 from a'])
})

test('while others find out whether SERVFAIL is about EDNS a question waits, and does what they saw', () => {
  for (const hasHelped of [true, false]) {
    const asking = waiting()
    assert.equal([asking.sent, asking.deliver()], [['a first'], []])
    const { edns } = asking.dialect(0)
    for (let i = 0; i < 3; i++) edns.errors.end(hasHelped, startMs)
    if (hasHelped) assert.equal(asking.sent, ['a first', 'a plain'])
    else assert.equal(asking.deliver(), ['answer 2 from a'])
  }
})

test('a question that waits for others has its time, moves on, and is not called any more', () => {
  const alone = waiting()
  for (const ms of [250, 1499]) alone.at(ms)
  assert.equal(alone.deliver(), [])
  alone.at(1500)
  assert.equal(alone.deliver(), ['answer 2 from a'])
  const second = waiting(2)
  second.at(1500)
  second.reply(1)
  assert.equal([second.sent, second.told], [['a first', 'b failover'], ['answer 0 from b']])
  for (const { dialect } of [...alone.all, ...second.all]) dialect.edns.errors.end(true, startMs)
  assert.equal([alone.sent.length, second.sent.length], [1, 2])
})

test('NXDOMAIN without OPT of one that has given no data to EDNS is asked again without', () => {
  for (const again of [0, 3]) {
    const asking = new Asking()
    asking.dialect(0).forget()
    asking.question.begin()
    asking.reply(0, { rcode: 3, isBare: true })
    assert.equal([asking.sent, asking.attempt(0).hasOpt], [['a first', 'a plain'], false])
    asking.reply(0, { rcode: again, isBare: true })
    assert.equal(asking.told, [`answer ${again} from a`])
    assert.is(asking.dialect(0).edns.isAvoided(startMs), again === 0, 'the same twice is no lesson')
  }
})

test('such a denial holds when the question without EDNS is lost, silent, or answered with an error', () => {
  const denied = () => {
    const asking = new Asking()
    asking.dialect(0).forget()
    asking.question.begin()
    asking.reply(0, { rcode: 3, isBare: true })
    return asking
  }
  const [lost, unwilling, late] = [denied(), denied(), denied()]
  lost.lose(0, 'unreachable')
  unwilling.reply(0, { rcode: 2 })
  for (const ms of [250, 750, 1499]) late.at(ms)
  assert.equal(late.deliver(), [])
  late.at(1500)
  for (const asking of [lost, unwilling, late]) assert.equal(asking.deliver(), ['answer 3 from a'])
})

test('a denial with OPT, to a question without OPT, or of one that has given data to EDNS is the answer', () => {
  const knows = new Asking()
  knows.dialect(0).forget()
  const plain = new Asking()
  plain.dialect(0).edns.otherHelped(true, startMs + 1000)
  const proven = new Asking()
  for (const asking of [knows, plain, proven]) {
    asking.question.begin()
    asking.reply(0, { rcode: 3, isBare: asking !== knows })
    assert.equal([asking.sent, asking.told], [['a first'], ['answer 3 from a']])
  }
  assert.is(knows.dialect(0).edns.isDoubtful, false, 'OPT shows that it knows EDNS')
})

test('silence is met with one retry without EDNS, then with one over TCP', () => {
  const asking = new Asking({ upstreams: 1 })
  asking.dialect(0).forget()
  asking.question.begin()
  for (const ms of [250, 750, 1750]) asking.at(ms)
  const sent = asking.all[0]?.sent ?? []
  assert.equal(
    sent.map(({ kind, hasOpt, overTcp }) => [kind, hasOpt, overTcp]),
    [
      ['first', true, false],
      ['hedge', false, false],
      ['detour', false, true],
      ['hedge', true, true],
    ],
  )
})

test('of two silent upstreams the first gets both retries when its turn comes again', () => {
  const asking = new Asking()
  for (const index of [0, 1]) asking.dialect(index).forget()
  asking.question.begin()
  for (const ms of [250, 750, 1750]) asking.at(ms)
  assert.equal(asking.sent.toSorted(), ['a detour', 'a first', 'a hedge', 'b hedge'])
  assert.equal(
    asking.all[0]?.sent.map(({ hasOpt, overTcp }) => [hasOpt, overTcp]),
    [
      [true, false],
      [false, false],
      [false, true],
    ],
  )
})

test('an upstream that gives signs of life is not asked over TCP: the name is slow', () => {
  const asking = Asking.begun({ upstreams: 1 })
  asking.at(250)
  asking.all[0]?.health.replied(startMs + 500)
  for (const ms of [750, 1750]) asking.at(ms)
  assert.equal(asking.sent, ['a first', 'a hedge', 'a hedge', 'a hedge'])
})

test('where only misfits came TCP is the first retry', () => {
  const asking = Asking.begun({ upstreams: 1 })
  asking.attempt(0).mismatched('id')
  asking.at(250)
  assert.equal([asking.sent, asking.attempt(0).overTcp], [['a first', 'a detour'], true])
})

test('a retry in a manner that was learned meanwhile needs no budget', () => {
  const asking = new Asking({ upstreams: 1 })
  asking.dialect(0).forget()
  asking.question.begin()
  asking.isCovered = false
  asking.dialect(0).edns.otherHelped(true, startMs + 1000)
  asking.at(250)
  assert.equal([asking.sent, asking.attempt(0).hasOpt], [['a first', 'a hedge'], false])
  asking.at(750)
  assert.is(asking.sent.length, 2, 'once')
})

test('a truncated answer is asked for over TCP', () => {
  const asking = Asking.begun()
  asking.reply(0, { tc: true })
  assert.equal([asking.sent, asking.attempt(0).overTcp], [['a first', 'a tcp'], true])
  assert.is(asking.all[0]?.counters.truncated, 1)
  asking.reply(0)
  assert.equal(asking.told, ['answer 0 from a'])
})

test('an error with TC is asked for over TCP, once, before another is asked', () => {
  const asking = Asking.begun({ upstreams: 2 })
  asking.reply(0, { tc: true, rcode: 2 })
  assert.equal([asking.sent, asking.told], [['a first', 'a tcp'], []])
  asking.reply(0)
  assert.equal(asking.told, ['answer 0 from a'])
  const failing = Asking.begun({ upstreams: 2 })
  failing.reply(0, { tc: true, rcode: 2 })
  failing.reply(0, { tc: true, rcode: 2 })
  assert.equal(failing.sent, ['a first', 'a tcp', 'b failover'])
})

test('of half an answer over TCP another has the rest; where none has, it is the answer with TC', () => {
  const asking = Asking.begun({ upstreams: 2, transport: 'tcp' })
  asking.reply(0, { tc: true })
  assert.equal(asking.sent, ['a first', 'b failover'])
  asking.reply(1, { tc: true })
  assert.equal(
    asking.all.map(({ counters }) => [counters.truncated, counters.failures.malformed]),
    [
      [1, 0],
      [1, 0],
    ],
  )
  assert.equal(asking.deliver(), ['answer 0 from a with TC'])
  const helped = Asking.begun({ upstreams: 2, transport: 'tcp' })
  helped.reply(0, { tc: true })
  helped.reply(1)
  assert.equal(helped.told, ['answer 0 from b'])
})

test('half an answer is given when TCP is lost, with no further try, and no failure takes its place', () => {
  const asking = Asking.begun({ upstreams: 1 })
  asking.reply(0, { tc: true })
  asking.lose(0, 'refused')
  assert.equal([asking.sent, asking.deliver()], [['a first', 'a tcp'], ['answer 0 from a with TC']])
  const failing = Asking.begun({ upstreams: 1 })
  failing.reply(0, { tc: true })
  failing.reply(0, { rcode: 2 })
  assert.equal(failing.deliver(), ['answer 0 from a with TC'])
})

test('half an answer waits for TCP through the longest time-out at most, whatever else is answered', () => {
  const asking = Asking.begun({ upstreams: 1, settings: { attemptsMax: 2 } })
  asking.at(100)
  asking.reply(0, { tc: true })
  asking.patience.noteLife(startMs + 1000)
  asking.at(1599)
  assert.equal(asking.deliver(), [])
  asking.at(1600)
  assert.equal(asking.deliver(), ['answer 0 from a with TC'])
})

test('what was lost with its connection is sent there once more, then elsewhere', () => {
  const asking = Asking.begun({ transport: 'tcp' })
  asking.lose(0, 'connection-lost')
  assert.equal(asking.sent, ['a first', 'a replay'])
  asking.lose(0, 'connection-lost')
  assert.equal(asking.sent.toSorted(), ['a first', 'a replay', 'b failover'])
})

test('one that refuses is replaced by another; alone it is asked again, until its packets are spent', () => {
  const asking = Asking.begun()
  asking.lose(0, 'refused')
  assert.equal(asking.sent, ['a first', 'b failover'])
  const alone = Asking.begun({ upstreams: 1, transport: 'tcp' })
  for (let i = 0; i < 4; i++) alone.lose(0, 'refused')
  assert.is(alone.sent.length, 4)
  const down = Asking.begun({ upstreams: 1 })
  for (let i = 0; i < 2; i++) down.all[0]?.health.refused(startMs)
  down.lose(0, 'refused')
  assert.is(down.sent.length, 1, 'one that is known to be down is asked once')
  assert.equal([alone.deliver(), alone.outages], [['failed unreachable'], 0], 'it is not down')
})

test('a closed UDP port is made up for by TCP; when both are closed there is no third way', () => {
  const asking = Asking.begun({ upstreams: 1 })
  for (let i = 0; i < 2; i++) asking.lose(0, 'refused')
  assert.equal([asking.sent, asking.deliver()], [['a first', 'a tcp'], ['failed unreachable']])
})

test('a limit of ours is overload, and nothing is asked again for it', () => {
  const asking = new Asking({ upstreams: 1 })
  if (asking.all[0] !== undefined) asking.all[0].failure = 'overloaded'
  asking.question.begin()
  assert.is(asking.sent.length, 1)
  assert.equal(asking.deliver(), ['failed overloaded'])
})

test('a question on a connection that seems dead is sent elsewhere, once', () => {
  const asking = Asking.begun({ transport: 'tcp' })
  const first = asking.attempt(0)
  asking.question.onStalled(first)
  assert.equal(asking.sent, ['a first', 'b replay'])
  asking.question.onStalled(first)
  assert.is(asking.sent.length, 2, 'only the newest matters')
  const alone = Asking.begun({ upstreams: 1, transport: 'tcp' })
  alone.question.onStalled(alone.attempt(0))
  assert.equal(alone.sent, ['a first', 'a replay'])
})

test('where somebody guesses at our socket TCP is asked as well, and once', () => {
  const asking = Asking.begun()
  asking.question.onSuspicion(asking.attempt(0))
  assert.equal([asking.sent, asking.attempt(0).overTcp], [['a first', 'a tcp'], true])
  asking.question.onSuspicion(asking.attempt(0))
  assert.is(asking.sent.length, 2)
})

test('a question that somebody joined is asked again in letters that are known when they come back', () => {
  const asking = Asking.begun({ upstreams: 1 })
  asking.ask.waiters = [1]
  asking.at(250)
  assert.is(asking.ask.challenge, undefined)
  asking.ask.waiters = [1, 2]
  asking.at(750)
  const { challenge } = asking.ask
  assert.is(asking.attempt(0).frame, challenge)
  assert.not(challenge?.equals(asking.ask.frame))
  assert.ok(challenge && readMessage(challenge).questions[0]?.name.toLowerCase() === 'www.example.')
})

test('when it has come back nothing more is expected of that upstream, and another is asked', () => {
  const asking = Asking.begun({ isOrdered: true })
  asking.ask.waiters = [1, 2]
  asking.at(250)
  asking.ask.hasReturned = true
  asking.reply(0, { rcode: 2 })
  assert.equal(asking.sent.toSorted(), ['a first', 'a hedge', 'b failover'])
  assert.ok(asking.all[0]?.sent.every(({ isDone }) => isDone))
  const alone = Asking.begun({ upstreams: 1 })
  alone.ask.waiters = [1, 2]
  alone.at(250)
  alone.ask.hasReturned = true
  alone.reply(0, { rcode: 2 })
  assert.equal(alone.deliver(), ['answer 2 from a'])
  assert.is(alone.loops.isOpen(startMs + 251), true)
})

test('where a loop is suspected the first packet has such letters', () => {
  const asking = new Asking()
  asking.loops.note(startMs)
  asking.question.begin()
  assert.is(asking.attempt(0).frame, asking.ask.challenge)
  asking.reply(0)
  assert.equal(asking.told, ['answer 0 from a'])
})

test('what is said of such letters is no denial: the client’s own are asked at once, and one packet has others', () => {
  for (const rcode of [3, 2, 5, 4, 0]) {
    const asking = Asking.begun({ upstreams: 1 })
    asking.ask.waiters = [1, 2]
    asking.at(250)
    assert.is(asking.attempt(0).frame, asking.ask.challenge)
    asking.reply(0, { rcode, isEmpty: true })
    assert.equal([asking.told, asking.sent], [[], ['a first', 'a hedge', 'a replay']])
    assert.is(asking.attempt(0).frame, asking.ask.frame)
    asking.reply(0)
    assert.equal(asking.told, ['answer 0 from a'], `after ${rcode}`)
  }
})

test('in silence it is given up, as an outage, and a sign of life was asked for', () => {
  const asking = Asking.begun({ upstreams: 1, settings: { attemptsMax: 1, silenceMs: 1800 } })
  asking.at(499)
  assert.not(asking.all[0]?.noted.includes('try out'))
  asking.at(500)
  assert.ok(asking.all[0]?.noted.includes('try out'))
  asking.at(1799)
  assert.equal(asking.deliver(), [])
  asking.at(1800)
  assert.equal([asking.deliver(), asking.outages], [['failed timeout'], 1])
  assert.is(asking.attempt(0).isDone, true)
})

test('silence of a group that is down is no time-out of a name', () => {
  const asking = Asking.begun({ upstreams: 1 })
  asking.isDown = true
  asking.at(3000)
  assert.equal([asking.deliver(), asking.outages > 0], [['failed unreachable'], true])
})

test('an upstream that has answered others in the last half second is not asked for a sign of life', () => {
  const asking = Asking.begun({ upstreams: 1, settings: { attemptsMax: 1 } })
  asking.all[0]?.health.replied(startMs)
  asking.at(500)
  assert.not(asking.all[0]?.noted.includes('try out'))
  asking.at(1000)
  assert.ok(asking.all[0]?.noted.includes('try out'))
})

test('what does not fit the question is no answer, but it is why none came', () => {
  const asking = Asking.begun({ upstreams: 1, settings: { attemptsMax: 1, deadlineMs: 1000 } })
  asking.attempt(0).mismatched('question')
  asking.patience.noteLife(startMs + 100)
  asking.at(1000)
  assert.equal([asking.deliver(), asking.outages], [['failed malformed'], 0])
})

test('a reply that was kept is given when time is over', () => {
  const asking = Asking.begun({ settings: { deadlineMs: 1000 } })
  asking.reply(0, { rcode: 2 })
  asking.at(1000)
  assert.equal(asking.deliver(), ['answer 2 from a'])
})

test('what comes after the end changes nothing', () => {
  const asking = Asking.begun()
  asking.at(250)
  const first = asking.attempt(0)
  asking.reply(1)
  asking.question.onLost(first, 'refused')
  asking.question.onStalled(first)
  asking.question.onSuspicion(first)
  assert.equal([asking.sent.length, asking.ends], [2, 1])
  assert.equal(asking.deliver(), ['answer 0 from b'])
})

test('a stop fails what is under way, once', () => {
  const asking = Asking.begun()
  asking.question.fail('shutdown')
  asking.question.fail('timeout')
  assert.equal(asking.deliver(), ['failed shutdown'])
  assert.equal([asking.counters.failures.shutdown, asking.counters.failures.timeout], [1, 0])
  assert.equal([asking.attempt(0).isDone, asking.context.wheel.pending], [true, 0])
})

test.run()
