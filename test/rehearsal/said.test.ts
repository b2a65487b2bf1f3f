// Goal: the instance is told what the server said at the time, as young as the server gives it. Method: talks of pods, by hand.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerForm } from '../../src/rehearsal/answer-form.ts'
import { Said } from '../../src/rehearsal/said.ts'
import { readMessage } from '../support/client/dns-message.ts'
import { keyOf, type Talk, talk } from './support.ts'

const test = suite('rehearsal/said')

const isCluster = (key: string) => key.includes('\u0005local')
const direct = { isCache: false, isCluster }
const cached = { isCache: true, isCluster }
const www = keyOf('www.example.com', 'A')

function noted(settings: typeof direct, talks: readonly Talk[], qname = 'www.example.com') {
  const said = new Said(settings)
  const queries = talks.map((one) => talk(qname, 'A', { addresses: ['192.0.2.1'], ...one }))
  for (const query of queries) said.note(query)
  return { said, fetches: queries.map(({ isFetch }) => isFetch) }
}

function ttlOf(reply: Buffer | undefined): number | undefined {
  return reply && readMessage(reply).answers[0]?.ttl
}

test('the reply that is nearest in time is told, the later one of two', () => {
  const { said } = noted(direct, [
    { atMs: 1000, addresses: ['192.0.2.1'] },
    { atMs: 3000, addresses: ['192.0.2.2'], tookMs: 9 },
  ])
  const told = (atMs: number) => {
    const reply = said.tell(www, atMs)?.reply
    return reply && readMessage(reply).answers[0]?.data
  }
  assert.equal([1000, 1900, 2000, 9000].map(told), [
    '192.0.2.1',
    '192.0.2.1',
    '192.0.2.2',
    '192.0.2.2',
  ])
  assert.is(said.tell(www, 3000)?.tookMs, 9)
  assert.is(said.tell(keyOf('www.example.com', 'AAAA'), 1000), undefined)
})

test('without a cache between each query is a question to the server, and TTLs are told as they came', () => {
  const { said, fetches } = noted(direct, [
    { atMs: 1000, ttl: 30 },
    { atMs: 2000, ttl: 29 },
  ])
  assert.equal([fetches, ttlOf(said.tell(www, 2000)?.reply)], [[true, true], 29])
})

test('answers of a cache that expire when an earlier one did were not asked for', () => {
  const { fetches } = noted(cached, [
    { atMs: 1000, ttl: 30, tookMs: 2 },
    { atMs: 1001, ttl: 30, tookMs: 1.5 }, // waited together with the first
    { atMs: 2500, ttl: 29 },
    { atMs: 30_900, ttl: 1 },
    { atMs: 31_100, ttl: 30 },
    { atMs: 45_000, ttl: 17 },
  ])
  assert.equal(fetches, [true, true, false, false, true, false])
})

test('each failure of a cache is taken for asked', () => {
  const { fetches } = noted(cached, [
    { atMs: 1000, rcode: 2, addresses: [] },
    { atMs: 1500, rcode: 2, addresses: [] },
  ])
  assert.equal(fetches, [true, true])
})

test('aged answers of a cache get the largest TTL that was seen for the question', () => {
  const { said } = noted(cached, [
    { atMs: 1000, ttl: 30 },
    { atMs: 20_000, ttl: 11 },
  ])
  assert.is(ttlOf(said.tell(www, 20_000)?.reply), 30)
})

test("the cluster's answers have one TTL, whatever the name", () => {
  const said = new Said(cached)
  said.note(talk('a.b.svc.cluster.local', 'A', { addresses: ['10.0.0.1'], ttl: 30 }))
  said.note(talk('c.b.svc.cluster.local', 'A', { addresses: ['10.0.0.2'], ttl: 4 }))
  said.note(talk('d.b.svc.cluster.local', 'A', { rcode: 3, isDenial: true, ttl: 2 }))
  assert.is(ttlOf(said.tell(keyOf('c.b.svc.cluster.local', 'A'), 1000)?.reply), 30)
  const denial = said.tell(keyOf('d.b.svc.cluster.local', 'A'), 1000)?.reply
  assert.is(denial && readMessage(denial).authorities[0]?.ttl, 2)
})

test('an answer from the cache takes the instance as long as the last question to the server', () => {
  const { said } = noted(cached, [
    { atMs: 1000, ttl: 30, tookMs: 12 },
    { atMs: 5000, ttl: 26, tookMs: 0.1 },
  ])
  assert.equal([said.tell(www, 5000)?.tookMs, said.usualTime(www)], [12, 12])
})

test('what was said is known for the whole capture, what may be told for seconds', () => {
  const { said } = noted(direct, [
    { atMs: 1000, addresses: ['192.0.2.1'] },
    { atMs: 60_000, addresses: ['192.0.2.2'] },
  ])
  const first = talk('www.example.com', 'A', { addresses: ['192.0.2.1'] })
  const form = answerForm(first.reply)
  assert.ok(form !== undefined && said.hasGiven(www, form))
  assert.not(said.hasSaid(www, ({ records }) => records.join() === form?.records.join()))
})

test.run()
