// Goal: the daemon's lines are read as what a client would get. Method: pages as the daemon writes them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readExplained, verdictOf } from '../../../src/cli/explain/explained.ts'

const test = suite('cli/explain/explained')

test('an answer has its records and its stage', () => {
  const read = readExplained(`api.example.com. A
zone      . -> upstream group "external"
entry     an answer, 0 s old, 30 s left, 0 hits
outcome   NOERROR: an answer from the cache [cache]
record    api.example.com.  30  IN  A  192.0.2.1
`)
  assert.equal(read, {
    question: 'api.example.com. A',
    lines: [
      { title: 'zone', text: '. -> upstream group "external"' },
      { title: 'entry', text: 'an answer, 0 s old, 30 s left, 0 hits' },
    ],
    outcome: 'NOERROR: an answer from the cache [cache]',
    stage: 'cache',
    rcode: 'NOERROR',
    records: ['api.example.com.  30  IN  A  192.0.2.1'],
    verdict: 'answered',
  })
})

for (const [outcome, verdict] of [
  ['NXDOMAIN: no Service of this name [search]', 'denied'],
  ['NOERROR: NODATA from the cache [cache]', 'denied'],
  ['SERVFAIL: failed lately, asked again in 0.7 s [failure]', 'failed'],
  ['asked of cluster [upstream]', 'asked'],
] as const) {
  test(`${outcome}: ${verdict}`, () => {
    assert.is(readExplained(`x. A\noutcome   ${outcome}\n`).verdict, verdict)
  })
}

test('a reply is judged alike', () => {
  assert.is(verdictOf('NOERROR', 1), 'answered')
  assert.is(verdictOf('NOERROR', 0), 'denied')
  assert.is(verdictOf(undefined, 0), 'asked')
})

test.run()
