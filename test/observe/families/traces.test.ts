/** Goal: what became of queries for a collector is published. Method: one reading. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { traceFamilies } from '../../../src/observe/families/traces.ts'

const test = suite('observe/families/traces')

test('sent, dropped and refused have a label each', () => {
  const [traces, spans] = traceFamilies(() => ({
    ...{ sent: 5, dropped: 2, refused: 1, spansRejected: 7 },
  }))
  assert.equal(traces?.collect(), [
    { labels: { outcome: 'sent' }, value: 5 },
    { labels: { outcome: 'dropped' }, value: 2 },
    { labels: { outcome: 'refused' }, value: 1 },
  ])
  assert.equal(spans?.collect(), [{ labels: {}, value: 7 }])
})

test.run()
