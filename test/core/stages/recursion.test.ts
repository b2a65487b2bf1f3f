/** Goal: no upstream is asked for a client that does not want recursion. Method: one question with RD set and one without. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { RecursionStage } from '../../../src/core/stages/recursion.ts'
import { Rcode } from '../../../src/wire/constants.ts'
import { Core } from '../support.ts'
import { committed, foretold, inquire } from './support.ts'

const test = suite('core/stages/recursion')

const www = 'www.shop.example'

test('a question with RD is left to the stages below', () => {
  const core = new Core()
  assert.is(foretold(core, new RecursionStage(), inquire(core, www)), undefined)
})

test('a question without RD is refused, with no extended error and no zone', () => {
  const core = new Core()
  const decision = committed(new RecursionStage(), inquire(core, www, 'A', { rd: false }))
  const { isReply, image, stored, rcode, source, ede, zoneIndex, ticket } = decision
  assert.equal([isReply, image, stored, ticket], [true, undefined, undefined, undefined])
  assert.equal([rcode, source, ede, zoneIndex], [Rcode.refused, ReplySource.local, -1, -1])
  assert.is(core.inFlight.stats.questions, 0)
})

test('the refusal is foretold as it is given', () => {
  const core = new Core()
  const outcome = foretold(core, new RecursionStage(), inquire(core, www, 'A', { rd: false }))
  assert.is(outcome?.kind, 'reply')
  if (outcome?.kind !== 'reply') return
  assert.equal(
    [outcome.rcode, outcome.source, outcome.image],
    [Rcode.refused, ReplySource.local, undefined],
  )
})

test.run()
