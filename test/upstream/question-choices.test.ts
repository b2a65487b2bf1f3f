/*
 * Goal: an order of upstreams is kept step by step: nobody below is asked before the one above has answered or let its time pass, and what is
 * denied below waits for those above. Method: one question in a group that the test plays, with upstreams a before b before c.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Asking, endAll, Sending, type Setup } from './asking.ts'
import { startMs } from './parts.ts'

const test = suite('upstream/question-choices')

test.after.each(endAll)

const inOrder = (setup: Setup = {}) => Asking.begun({ isOrdered: true, ...setup })

test('a late first is asked again itself, and the second only when its time has passed', () => {
  const asking = inOrder()
  for (const ms of [249, 250, 750, 1499]) asking.at(ms)
  assert.equal(asking.sent, ['a first', 'a hedge', 'a detour'])
  asking.at(1500)
  assert.equal(asking.sent, ['a first', 'a hedge', 'a detour', 'b failover'])
  asking.reply(1)
  assert.equal(asking.told, ['answer 0 from b'])
})

test('asking the first again leaves a packet for each of those below it', () => {
  const asking = inOrder({ upstreams: 3 })
  for (const ms of [250, 750, 1500, 1750, 2500]) asking.at(ms)
  assert.equal(asking.sent, ['a first', 'a hedge', 'b failover'])
  asking.at(3000)
  assert.equal(asking.sent, ['a first', 'a hedge', 'b failover', 'c failover'])
})

test('connections of the first that seem dead, and packets that fit nothing, leave one for the second', () => {
  const asking = inOrder()
  asking.at(250)
  for (let time = 0; time < 3; time++) asking.question.onStalled(asking.attempt(0))
  asking.question.onSuspicion(asking.attempt(0))
  assert.equal(asking.sent, ['a first', 'a hedge', 'a replay'])
  asking.at(1500)
  assert.equal(asking.sent, ['a first', 'a hedge', 'a replay', 'b failover'])
})

test('the time-out follows what the first usually needs', () => {
  const asking = new Asking({ isOrdered: true })
  for (let i = 0; i < 32; i++) asking.all[0]?.hedgeDelay.add(1)
  asking.question.begin()
  asking.at(499)
  assert.not(asking.sent.includes('b failover'))
  asking.at(500)
  assert.ok(asking.sent.includes('b failover'))
})

test('NXDOMAIN from the second waits for the first, whose answer counts', () => {
  const asking = inOrder()
  asking.at(1500)
  asking.reply(1, { rcode: 3 })
  assert.equal(asking.told, [])
  asking.reply(0)
  assert.equal(asking.told, ['answer 0 from a'])
})

test('NXDOMAIN from the second is the answer when silence has lasted, or when the first has no answer', () => {
  const silent = inOrder()
  for (const ms of [1500, 2999]) silent.at(ms)
  silent.reply(1, { rcode: 3 })
  assert.equal(silent.deliver(), ['answer 3 from b'].slice(1))
  silent.at(3000)
  assert.equal(silent.deliver(), ['answer 3 from b'])
  for (const rcode of [2, 5]) {
    const unwilling = inOrder()
    unwilling.at(1500)
    unwilling.reply(1, { rcode: 3 })
    unwilling.reply(0, { rcode })
    assert.equal(unwilling.deliver(), ['answer 3 from b'])
  }
})

test('NXDOMAIN from the second does not wait for a first that is down', () => {
  const asking = inOrder()
  asking.at(1500)
  for (let i = 0; i < 2; i++) asking.all[0]?.health.refused(startMs)
  asking.reply(1, { rcode: 3 })
  assert.equal(asking.told, ['answer 3 from b'])
})

test('a first that dies while it is awaited holds nobody', () => {
  const asking = inOrder()
  asking.at(250)
  for (let i = 0; i < 2; i++) asking.all[0]?.health.refused(startMs)
  asking.at(750)
  assert.equal(asking.sent, ['a first', 'a hedge', 'b failover'])
})

test('data and NODATA from the second end the question', () => {
  const asking = inOrder()
  asking.at(1500)
  asking.reply(1)
  assert.equal(asking.told, ['answer 0 from b'])
})

test('while NXDOMAIN waits, nobody further down is asked', () => {
  const asking = inOrder({ upstreams: 3 })
  asking.at(1500)
  asking.reply(1, { rcode: 3 })
  asking.at(2999)
  assert.not(asking.sent.includes('c failover'))
})

test('NXDOMAIN from an equal is the answer at once', () => {
  const asking = Asking.begun()
  asking.at(250)
  asking.reply(1, { rcode: 3 })
  assert.equal(asking.told, ['answer 3 from b'])
})

test('an unwilling first moves the question on, whatever the budget, and its own second packet is not awaited', () => {
  for (const rcode of [1, 2, 4, 5, 9]) {
    const asking = inOrder()
    asking.at(250)
    asking.isCovered = false
    asking.reply(0, { rcode })
    if (rcode === 1 || rcode === 4) asking.reply(0, { rcode })
    assert.ok(asking.sent.includes('b failover'), `${rcode}: ${asking.sent}`)
    asking.reply(1)
    assert.equal(asking.told, ['answer 0 from b'])
  }
})

test('half an answer of the first is more than a denial of the second, which is asked when TCP is late', () => {
  for (const rcode of [3, 0]) {
    const asking = inOrder()
    asking.reply(0, { tc: true })
    asking.at(250)
    assert.equal(asking.sent, ['a first', 'a tcp', 'b failover'])
    asking.reply(1, { rcode })
    asking.lose(0, 'connect-timeout')
    const answer = rcode === 3 ? 'answer 0 from a with TC' : 'answer 0 from b'
    assert.equal(asking.deliver(), [answer])
  }
})

test('a limit of ours gives those below no say', () => {
  const asking = new Asking({ isOrdered: true })
  if (asking.all[0] !== undefined) asking.all[0].failure = 'overloaded'
  asking.question.begin()
  assert.equal(asking.sent, ['a first'])
  assert.equal(asking.deliver(), ['failed overloaded'])
})

test('a connection that seems dead is replaced by another to the same upstream', () => {
  const asking = inOrder({ transport: 'tcp' })
  asking.question.onStalled(asking.attempt(0))
  assert.equal(asking.sent, ['a first', 'a replay'])
})

test('a first that cannot be reached is passed over at once, one that refuses once TCP has as well', () => {
  const unreachable = inOrder()
  unreachable.lose(0, 'unreachable')
  assert.equal(unreachable.sent, ['a first', 'b failover'])
  const closed = inOrder()
  closed.lose(0, 'refused')
  assert.equal([closed.sent, closed.attempt(0).overTcp], [['a first', 'a tcp'], true])
  closed.lose(0, 'refused')
  assert.equal(closed.sent, ['a first', 'a tcp', 'b failover'])
  const equals = Asking.begun()
  equals.lose(0, 'refused')
  assert.equal(equals.sent, ['a first', 'b failover'])
})

test('what the second denies is asked of the first over TCP, whatever was sent before', () => {
  const asking = inOrder()
  for (const ms of [250, 750, 1500]) asking.at(ms)
  asking.all[0]?.health.replied(startMs + 1)
  assert.equal(asking.sent, ['a first', 'a hedge', 'a detour', 'b failover'])
  const signs = inOrder()
  signs.all[0]?.health.replied(startMs + 1)
  for (const ms of [250, 750, 1500]) signs.at(ms)
  assert.equal(signs.sent, ['a first', 'a hedge', 'a hedge', 'b failover'])
  signs.reply(1, { rcode: 3 })
  assert.is(signs.all[0]?.sent.at(-1)?.kind, 'appeal')
  assert.is(signs.attempt(0).overTcp, true)
  signs.reply(0)
  assert.equal(signs.told, ['answer 0 from a'])
})

test('TCP of the first that fails lets its silence end as before, and is tried once', () => {
  const asking = inOrder({ upstreams: 3 })
  for (const ms of [250, 1500]) asking.at(ms)
  asking.reply(1, { rcode: 3 })
  asking.lose(0, 'connect-timeout')
  asking.at(2999)
  assert.equal(
    asking.sent.filter((one) => one.includes('appeal')),
    ['a appeal'],
  )
  assert.not(asking.sent.includes('c failover'))
  asking.at(3000)
  assert.equal(asking.deliver(), ['answer 3 from b'])
})

test('when all that were asked have left the group the others are asked at once, and have all packets', () => {
  const asking = inOrder({ upstreams: 1 })
  for (const ms of [250, 750, 1500, 1750]) asking.at(ms)
  asking.all.splice(0, 1, new Sending(asking.clock, 'n', 'udp'))
  asking.question.onRegrouped()
  assert.equal(asking.sent, ['n failover'])
  const early = inOrder({ upstreams: 1 })
  early.all.splice(0, 1, new Sending(early.clock, 'n', 'udp'))
  early.question.onRegrouped()
  assert.equal(early.sent, [], 'the answer may be on its way')
  asking.question.onRegrouped()
  assert.equal(asking.sent, ['n failover'], 'the one that was asked is still there')
  asking.reply(0)
  assert.equal(asking.told, ['answer 0 from n'])
  asking.question.onRegrouped()
})

test('a question whose upstreams are gone waits for the list, and goes to whom it names then', () => {
  const gone = () => {
    const asking = inOrder({ upstreams: 1 })
    asking.isLooking = true
    asking.lose(0, 'refused')
    asking.lose(0, 'refused')
    assert.equal([asking.sent, asking.deliver()], [['a first', 'a tcp'], []])
    assert.is(asking.clock.context.wheel.pending, 1, 'the end of silence')
    return asking
  }
  const found = gone()
  found.all.splice(0, 1, new Sending(found.clock, 'n', 'udp'))
  found.question.onRegrouped()
  found.reply(0)
  assert.equal(found.told, ['answer 0 from n'])
  const same = gone()
  same.isLooking = false
  same.question.onRegrouped()
  assert.equal(same.deliver(), ['failed unreachable'])
  const never = gone()
  never.at(2999)
  assert.equal(never.deliver(), [])
  never.at(3000)
  assert.equal(never.deliver().length, 1)
})

test('FORMERR that comes after the retry without EDNS waits for that, and those below keep their packets', () => {
  const asking = new Asking({ isOrdered: true })
  asking.dialect(0).forget()
  asking.question.begin()
  asking.at(250)
  asking.reply(0, { rcode: 1, which: 0 })
  assert.equal([asking.sent, asking.attempt(0).hasOpt], [['a first', 'a hedge'], false])
  assert.is(asking.attempt(0).isDone, false)
  asking.reply(0, { rcode: 1 })
  assert.equal(asking.sent, ['a first', 'a hedge', 'b failover'])
  asking.reply(1)
  assert.equal(asking.told, ['answer 0 from b'])
})

test('an upstream that was silent for all packets of a question and speaks again is asked once more', () => {
  const asking = Asking.begun({ upstreams: 1 })
  const health = asking.all[0]?.health
  health?.replied(startMs - 1)
  for (const ms of [250, 500, 750, 1000]) asking.at(ms)
  const before = asking.sent.length
  health?.replied(startMs + 1300)
  asking.at(1500)
  assert.equal(asking.sent.slice(before), ['a revival'])
  for (const ms of [2000, 2500]) asking.at(ms)
  assert.is(asking.sent.filter((one) => one === 'a revival').length, 1)
})

test.run()
