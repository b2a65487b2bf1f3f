// Goal: every difference has its reason. Method: what a pod got beside what the instance gives, case by case.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../src/core/facts.ts'
import { judge } from '../../src/rehearsal/difference.ts'
import type { PodQuery } from '../../src/rehearsal/pod-query.ts'
import { Said } from '../../src/rehearsal/said.ts'
import { type Records, replyTo, talk } from './support.ts'

const test = suite('rehearsal/difference')

const one = { addresses: ['192.0.2.1'] }
const other = { addresses: ['192.0.2.2'] }
const denied = { rcode: 3, isDenial: true }

interface Case {
  readonly got: Records
  readonly gives: Records
  readonly source?: number
  /** What other pods were told about the same name. */
  readonly before?: readonly Records[]
}

function verdictOf({ got, gives, source = ReplySource.cacheSuccess, before = [] }: Case) {
  const said = new Said({ isCache: false, isCluster: () => false })
  for (const records of before) said.note(talk('a.example', 'A', { ...records, atMs: 900 }))
  const query: PodQuery = talk('a.example', 'A', got)
  said.note(query)
  const given = { reply: replyTo(query.bytes, gives), source, atMs: 1000 }
  return judge(query, given, said)
}

function reasonOf(what: Case): string {
  const verdict = verdictOf(what)
  return verdict.kind === 'different' ? verdict.reason : verdict.kind
}

test('TTLs and order alone are no difference, and are told', () => {
  const addresses = ['192.0.2.1', '192.0.2.2']
  const turned = addresses.toReversed()
  const same = { kind: 'same', isOtherTtl: false, isOtherOrder: false }
  assert.equal(verdictOf({ got: one, gives: one }), same)
  assert.equal(verdictOf({ got: one, gives: { ...one, ttl: 3 } }), { ...same, isOtherTtl: true })
  assert.equal(verdictOf({ got: { addresses }, gives: { addresses: turned } }), {
    ...same,
    isOtherOrder: true,
  })
})

test('what the server said earlier is its own change of mind', () => {
  assert.is(reasonOf({ got: one, gives: other, before: [other] }), 'changed')
  assert.is(reasonOf({ got: denied, gives: other, before: [other] }), 'changed')
})

test('what the server never said is not explained away', () => {
  assert.is(reasonOf({ got: one, gives: other }), 'unexplained')
  assert.is(reasonOf({ got: one, gives: {}, source: ReplySource.upstream }), 'unexplained')
})

test('a name that the search path denies and the server has is wrong, unless it has just come or gone', () => {
  const source = ReplySource.synthesised
  assert.is(reasonOf({ got: one, gives: denied, source }), 'wrongDenial')
  assert.is(reasonOf({ got: {}, gives: denied, source }), 'wrongDenial', 'NODATA is there, too')
  assert.is(reasonOf({ got: one, gives: denied, source, before: [denied] }), 'appeared')
  assert.is(reasonOf({ got: denied, gives: { alias: 'b.example', ...one }, source }), 'answerMode')
})

test('failures, of the server and remembered ones', () => {
  assert.is(reasonOf({ got: { rcode: 2 }, gives: one }), 'serverFailed')
  const source = ReplySource.failureCache
  assert.is(reasonOf({ got: one, gives: { rcode: 2 }, source }), 'failureKept')
  assert.is(reasonOf({ got: one, gives: { rcode: 2 }, source: ReplySource.overloaded }), 'limit')
})

test('an alias into another group, an answer of the configuration, a truncated one', () => {
  const alias = 'c.example'
  assert.is(reasonOf({ got: { alias, ...one }, gives: { alias, ...other } }), 'alias')
  assert.is(reasonOf({ got: one, gives: other, source: ReplySource.local }), 'configured')
  assert.is(reasonOf({ got: one, gives: { ...one, isTruncated: true } }), 'size')
})

test('what cannot be read is not judged', () => {
  const query = talk('a.example', 'A', one)
  const said = new Said({ isCache: false, isCluster: () => false })
  const given = { reply: Buffer.alloc(5), source: 0, atMs: 1000 }
  assert.is(judge(query, given, said).kind, 'unreadable')
})

test.run()
