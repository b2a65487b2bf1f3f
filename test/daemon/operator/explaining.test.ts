/** Goal: a question is explained the same in lines and as values. Method: a real data path that has nothing, and one with an answer. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explainedView, explainLines } from '../../../src/daemon/operator/explaining.ts'
import { parseName } from '../../../src/wire/name.ts'
import { dataPathOf } from '../support.ts'

const test = suite('daemon/operator/explaining')
const wire = (name: string) => Buffer.from(parseName(name) ?? []).toString('latin1')

test('a name that is not known waits for its group, with the state of its upstreams', () => {
  const path = dataPathOf({ external: { upstreams: ['192.0.2.1'] } })
  path.exchange.stop()
  const view = explainedView(path, wire('www.example.com'), 1)
  assert.equal(view.question, { name: 'www.example.com.', type: 'A' })
  assert.is(view.entry, null)
  const { kind, asks, upstreams, rcode } = view.decision
  assert.is(kind, 'wait')
  assert.is(rcode, null)
  assert.equal(asks, { name: 'www.example.com.', type: 'A', starts: true, isOnlyFirst: false })
  assert.match(upstreams[0]?.name ?? '', /192\.0\.2\.1/)
  assert.is(upstreams[0]?.isUp, true)
  const lines = explainLines(path, wire('www.example.com'), 1)
  assert.ok(lines.some((line) => line.startsWith(`upstream  ${upstreams[0]?.name} up`)))
})

test('a name that is answered here has its decision, and the evidence by subject', () => {
  const path = dataPathOf({})
  path.exchange.stop()
  const local = explainedView(path, wire('localhost'), 1)
  assert.is(local.decision.kind, 'reply')
  assert.is(local.decision.rcode, 'NOERROR')
  assert.is(local.decision.source, 'local')
  assert.match(local.decision.records[0] ?? '', /127\.0\.0\.1/)
  assert.is(local.steps.at(-1)?.stage, local.decision.stage)
  const inCluster = explainedView(path, wire('a.b.c.d.svc.cluster.local'), 1)
  const evidence = inCluster.steps.flatMap((step) => step.evidence)
  for (const { about, text } of evidence) assert.ok(about !== '' && text !== '')
})

test.run()
