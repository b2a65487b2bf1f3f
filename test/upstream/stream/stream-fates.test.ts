/** Goal: what becomes of a server's questions tells its habits, and a slow one is not taken for dropped. Method: attempts marked by hand, given times. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AttemptList } from '../../../src/upstream/attempt.ts'
import { ServerSpeed } from '../../../src/upstream/policy/server-speed.ts'
import { Standing, StreamHabits } from '../../../src/upstream/policy/stream-habits.ts'
import { StreamFates } from '../../../src/upstream/stream/stream-fates.ts'
import { attemptFor, Clock, NotingUpstream, startMs } from '../parts.ts'
import { settings } from '../support.ts'

const test = suite('upstream/stream/stream-fates')

function setup() {
  const clock = new Clock()
  const habits = new StreamHabits()
  const fates = new StreamFates(habits, new ServerSpeed(settings.stream), clock.context.wheel)
  const siblings = new AttemptList()
  const [earlier, later] = [Standing.behind, Standing.fresh].map((standing) => {
    const attempt = attemptFor(new NotingUpstream('tcp'), undefined, { siblings })
    attempt.standing = standing
    attempt.sentMs = startMs
    siblings.add(attempt)
    return attempt
  })
  if (earlier === undefined || later === undefined) throw new Error('two attempts')
  return { habits, fates, earlier, later }
}

test('what was given up and answered at once elsewhere was dropped', () => {
  const { habits, fates, earlier, later } = setup()
  earlier.wasDropped = true
  fates.noteAnswered(later, startMs + 5)
  assert.is(habits.servesSingly(startMs), false, 'that was no quick answer')
  fates.noteAnswered(later, startMs + 4)
  assert.is(habits.servesSingly(startMs), true)
})

test('a question may be dropped until the server has answered one that was sent so', () => {
  const { fates, earlier, later } = setup()
  assert.is(fates.mayBeDropped(later), true)
  fates.noteReply(earlier, false)
  assert.is(fates.mayBeDropped(later), true, 'it may have passed one that was dropped')
  fates.noteReply(earlier, true)
  assert.is(fates.mayBeDropped(later), false)
})

test('an answer that a younger one has passed shows that the server works on several', () => {
  const { habits, fates, earlier } = setup()
  fates.noteReply(earlier, false)
  assert.is(habits.isConcurrent(startMs), false)
  earlier.wasPassed = true
  fates.noteReply(earlier, true)
  assert.is(habits.isConcurrent(startMs), true)
})

test.run()
