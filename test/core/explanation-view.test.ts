/** Goal: what explain knows of a question comes as values. Method: explanations that the test writes; real ones in test/daemon/operator/explaining. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Explanation, questionAbout } from '../../src/core/explain.ts'
import { explanationView } from '../../src/core/explanation-view.ts'
import { ReplySource } from '../../src/core/facts.ts'
import type { Foretold } from '../../src/core/stages/stage.ts'

const test = suite('core/explanation-view')

const sources = {
  records: () => ['a 5 IN A 192.0.2.1'],
  upstreams: () => [{ name: '192.0.2.53', isUp: false, roundTripMs: 2, inFlight: 1 }],
  staleAfterMs: () => 200,
}

function viewOf(outcome: Foretold) {
  const { query, question } = questionAbout('\u0001a\u0000', 1)
  const explanation = {
    inquiry: { query, question, nowMs: 0, entry: undefined },
    route: { zone: '.', group: 'external' },
    rewriting: undefined,
    trace: [{ stage: 'last', evidence: ['shape     absolute'], foretold: outcome }],
    outcome,
  } as unknown as Explanation
  return explanationView(explanation, sources)
}

test('a reply has its code, source and records', () => {
  const source = ReplySource.synthesised
  const image = Buffer.alloc(12)
  const { decision, steps } = viewOf({ kind: 'reply', why: 'because', source, rcode: 3, image })
  assert.is(decision.stage, 'last')
  assert.is(decision.rcode, 'NXDOMAIN')
  assert.is(decision.source, 'synthesised')
  assert.equal(decision.records, ['a 5 IN A 192.0.2.1'])
  assert.equal(steps[0]?.evidence, [{ about: 'shape', text: 'absolute' }])
  const unknown = viewOf({ kind: 'reply', why: '', source, rcode: 11, image: undefined })
  assert.is(unknown.decision.rcode, 'RCODE11')
  assert.equal(unknown.decision.records, [])
})

test('no stage that decides is a kind of its own', () => {
  const { decision } = viewOf({ kind: 'pass', why: 'no stage decides' })
  assert.equal([decision.kind, decision.stage, decision.rcode], ['none', '', null])
})

test.run()
