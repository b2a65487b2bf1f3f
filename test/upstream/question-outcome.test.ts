/*
 * Goal: a question ends once, with what is best of what it got. Method: a group that notes, and replies that are overwritten afterwards.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Asking, endAll } from './asking.ts'

const test = suite('upstream/question-outcome')

test.after.each(endAll)

test('a failure that nobody could help is told in a later turn, and counted', () => {
  const asking = Asking.begun()
  asking.question.fail('timeout')
  assert.equal([asking.told, asking.counters.failures.timeout], [[], 1])
  assert.equal(asking.deliver(), ['failed timeout'])
})

test('what was kept is told with its upstream, though its buffer was used again', () => {
  const asking = Asking.begun()
  asking.reply(0, { rcode: 5 })
  asking.reply(1, { rcode: 4 })
  asking.reply(1, { rcode: 4 })
  assert.equal(asking.deliver(), ['answer 5 from a'])
  assert.is(asking.counters.answers, 1)
})

test('a failure goes before what was kept: the daemon is stopping', () => {
  const asking = Asking.begun({ upstreams: 2 })
  asking.at(250)
  asking.reply(0, { rcode: 2 })
  asking.question.fail('shutdown')
  assert.equal(asking.deliver(), ['failed shutdown'])
})

test('unreachable is an outage only where all are down', () => {
  for (const isDown of [false, true]) {
    const asking = Asking.begun({ upstreams: 1, settings: { attemptsMax: 1 } })
    asking.isDown = isDown
    asking.lose(0, 'refused')
    assert.equal([asking.deliver(), asking.outages], [['failed unreachable'], isDown ? 1 : 0])
  }
})

test.run()
