// Goal: the account says what was counted, in aligned columns, and without colours when nobody can see them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type AccountRow,
  plain,
  renderSceneSum,
  renderTable,
  renderTotals,
  sourceOf,
} from '../../src/demo/account.ts'

const test = suite('demo/account')

const reply = { rcode: 0, addresses: ['10.96.12.7'], extendedError: -1, tookMs: 0.36 }
const row: AccountRow = {
  qname: 'payments.shop.svc.cluster.local',
  type: 'A',
  askers: 1,
  reply,
  source: 'cache',
  upstreamQueries: 0,
}
const crowd: AccountRow = {
  ...row,
  qname: 'slow.example.org',
  askers: 20,
  source: 'outside',
  upstreamQueries: 1,
  reply: { ...reply, tookMs: 301.24 },
}
const down: AccountRow = { ...row, source: 'nobody', reply: { ...reply, rcode: 2, addresses: [] } }

test('columns are aligned, texts to the left and numbers to the right', () => {
  assert.is(
    renderTable([row, crowd], plain),
    [
      '  asked                            type  answer      from      ms  sent',
      '  payments.shop.svc.cluster.local  A     10.96.12.7  cache    0.4     0',
      '  20 x slow.example.org            A     10.96.12.7  outside  301     1',
    ].join('\n'),
  )
})

test('colours change no column', () => {
  const marked = renderTable([row, crowd], (style, text) => `<${style}>${text}</>`)
  assert.is(marked.replaceAll(/<[^>]*>/g, ''), renderTable([row, crowd], plain))
  assert.match(marked, '<good>cache')
})

test('each kind of answer has its words', () => {
  const words = (over: object) => renderTable([{ ...row, reply: { ...reply, ...over } }], plain)
  assert.match(words({ rcode: 3, addresses: [] }), 'no such name')
  assert.match(words({ addresses: [] }), 'no such record')
  assert.match(words({ rcode: 2, addresses: [] }), 'SERVFAIL')
  assert.match(words({ rcode: -1, addresses: [] }), 'no reply')
})

test('a scene is summed up from its rows', () => {
  assert.is(renderSceneSum([row, crowd]), '  21 questions, 1 query upstream, slowest 301.2 ms')
  assert.is(renderSceneSum([row]), '  1 question, 0 queries upstream, slowest 0.4 ms')
})

test('the totals count a question as saved only when it was answered without a query of its own', () => {
  const counts = { clusterQueriesTcp: 2, clusterQueriesUdp: 1, outsideQueries: 1 }
  const text = renderTotals({ rows: [row, crowd, down], ...counts })
  assert.match(text, '22 questions from pods, 4 queries upstream')
  assert.match(text, 'CoreDNS received 3 (2 over TCP, 1 over UDP), the outside 1.')
  assert.match(text, '20 (91 %) were answered without leaving the node')
})

test('the source is told from what the stand-ins saw and what the reply says', () => {
  assert.is(sourceOf(reply, 1, 0), 'CoreDNS')
  assert.is(sourceOf(reply, 0, 1), 'outside')
  assert.is(sourceOf(reply, 0, 0), 'cache')
  assert.is(sourceOf({ ...reply, extendedError: 3 }, 1, 0), 'stale cache')
  assert.is(sourceOf({ ...reply, rcode: 2 }, 0, 0), 'nobody')
  assert.is(sourceOf({ ...reply, rcode: 2, extendedError: 13 }, 0, 0), 'cache')
  assert.is(sourceOf({ ...reply, rcode: -1 }, 0, 0), 'nobody')
})

test.run()
