/** Goal: a collector is asked again when it may take the same later, and ever less often. Method: replies and failures in a row. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { delayAfter, judgeReply } from '../../../src/daemon/traces/retry.ts'

const test = suite('daemon/traces/retry')

const nowMs = Date.parse('2026-11-30T12:00:00Z')

function judged(status: number, retryAfter?: string, body = '') {
  return judgeReply(status, { retryAfter, body }, nowMs)
}

test('2xx is taken, 429, 502, 503 and 504 may be taken later, the rest never', () => {
  for (const status of [200, 202]) assert.is(judged(status).kind, 'taken')
  for (const status of [429, 502, 503, 504]) assert.is(judged(status).kind, 'later', `${status}`)
  for (const status of [301, 307, 400, 401, 404, 413, 500, 501])
    assert.is(judged(status).kind, 'refused', `${status}`)
})

test('spans that were left out are counted, whichever way the number is written', () => {
  const rejected = (body: string) => {
    const result = judged(200, undefined, body)
    return result.kind === 'taken' ? result.spansRejected : -1
  }
  assert.is(rejected('{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}'), 3)
  assert.is(rejected('{"partialSuccess":{"rejectedSpans":3}}'), 3)
  const others = ['', '{}', 'null', '<html>', '{"partialSuccess":null}', '[1]']
  for (const body of [...others, '{"partialSuccess":{"rejectedSpans":-1}}'])
    assert.is(rejected(body), 0, body)
})

test('Retry-After is seconds or a date; another text says nothing', () => {
  const after = (text: string) => {
    const result = judged(429, text)
    return result.kind === 'later' ? result.afterMs : -1
  }
  assert.is(after('7'), 7000)
  assert.is(after('Mon, 30 Nov 2026 12:00:09 GMT'), 9000)
  assert.is(after('Mon, 30 Nov 2026 11:00:00 GMT'), 0)
  assert.is(after('soon'), undefined)
})

test('the delay grows, and is never shorter than Retry-After up to ten minutes', () => {
  assert.equal([delayAfter(1, undefined, 1), delayAfter(4, undefined, 1)], [1000, 8000])
  assert.is(delayAfter(1, 30_000, 0), 30_000)
  assert.is(delayAfter(1, 86_400_000, 0), 600_000)
})

test.run()
