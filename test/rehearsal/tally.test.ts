// Goal: a report counts each query once, in the right place. Method: judged queries by hand.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../src/core/facts.ts'
import { uncovered } from '../../src/rehearsal/cover-names.ts'
import type { Verdict } from '../../src/rehearsal/difference.ts'
import type { PodQuery } from '../../src/rehearsal/pod-query.ts'
import { Tally } from '../../src/rehearsal/tally.ts'
import { talk } from './support.ts'

const test = suite('rehearsal/tally')

const isCluster = (key: string) => key.includes('\u0005local')
const same: Verdict = { kind: 'same', isOtherTtl: true, isOtherOrder: false }
const rest = {
  seconds: 60,
  servers: [],
  isCache: false,
  kernel: undefined,
  copies: 0,
  presumed: 0,
  ownUnanswered: 0,
}

function tally() {
  return new Tally({
    cover: uncovered,
    groupOf: (key) => (isCluster(key) ? 'cluster' : 'external'),
    isCluster,
  })
}

function query(name: string, source: number, isFetch = true): PodQuery {
  const one: PodQuery = talk(name, 'A', { atMs: 1000, tookMs: 4 })
  one.isFetch = isFetch
  one.given = { reply: one.reply ?? Buffer.alloc(0), source, atMs: 1001 }
  return one
}

test('what upstreams get now is counted by group, and what the search path spares them of it', () => {
  const counted = tally()
  const { synthesised, cacheSuccess, upstream } = ReplySource
  counted.judged(query('a.com.cluster.local', synthesised), same)
  counted.judged(query('b.com.cluster.local', synthesised, false), same)
  counted.judged(query('c.a.svc.cluster.local', cacheSuccess), same)
  counted.judged(query('www.example.com', upstream), same)
  counted.asked(
    new Map([
      ['external', 1],
      ['cluster', 2],
    ]),
  )
  const { groups, judged, answered } = counted.report(rest)
  assert.equal(groups, [
    { name: 'cluster', isCluster: true, queries: 3, now: 2, rehearsed: 2, bySearchPath: 1 },
    { name: 'external', isCluster: false, queries: 1, now: 1, rehearsed: 1, bySearchPath: 0 },
  ])
  assert.equal(answered, { cache: 1, searchPath: 2, configuration: 0, joined: 0, upstream: 1 })
  assert.is(judged, 4)
})

test('clients are told apart, servers of others in the order of their queries', () => {
  const counted = tally()
  for (const client of ['a', 'b', 'a']) counted.sawClient(client)
  for (const server of ['x', 'y', 'y']) counted.sawOther(server)
  const { queries, clients, otherServers } = counted.report(rest)
  assert.equal([queries, clients], [3, 2])
  assert.equal(otherServers, [
    { server: 'y', queries: 2 },
    { server: 'x', queries: 1 },
  ])
})

test('of each kind of difference a few examples are kept, the worst kind first', () => {
  const counted = tally()
  for (let i = 0; i < 30; i++)
    counted.judged(query('a.example', ReplySource.cacheSuccess), {
      kind: 'different',
      reason: 'changed',
    })
  counted.judged(query('b.example', 99), { kind: 'different', reason: 'unexplained' })
  const { differences, same: alike, judged } = counted.report(rest)
  assert.equal(
    differences.map(({ reason, count, examples }) => [reason, count, examples.length]),
    [
      ['unexplained', 1, 1],
      ['changed', 30, 10],
    ],
  )
  const [example] = differences[0]?.examples ?? []
  assert.equal([example?.name, example?.type, example?.source], ['b.example.', 1, 99])
  assert.equal([alike.all, judged], [0, 31])
})

test('waits are those of judged queries, now and rehearsed', () => {
  const counted = tally()
  counted.judged(query('a.example', ReplySource.upstream), same)
  counted.judged(query('b.example', ReplySource.upstream), { kind: 'unreadable' })
  const { waits, notJudged, same: alike } = counted.report(rest)
  assert.equal([waits.now.maxMs, waits.rehearsed.maxMs], [4, 1])
  assert.equal([notJudged.unreadable, alike], [1, { all: 1, otherTtl: 1, otherOrder: 0 }])
})

test.run()
