/** Goal: nobody waits longer than the client timeout where an expired answer is there, and nobody is answered twice (RFC 8767 5). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../src/core/facts.ts'
import { aRecord, cacheSettings, responseTo } from '../core/support.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { until } from '../support/process.ts'
import { Bench, Client } from './support.ts'

const test = suite('pipeline/waiting-room')

const www = 'www.example'

/** A bench with an answer that has just expired. */
function withExpired(failureRecheckSeconds = 5): Bench {
  const serveStale = { ...cacheSettings.serveStale, clientTimeoutMs: 40, failureRecheckSeconds }
  const bench = new Bench({ cache: { serveStale } })
  bench.handle(writeQuery(www, 'A'), new Client())
  bench.answer(responseTo(www, 'A', { answers: [aRecord(www, '10.0.0.1', 10)] }))
  bench.facts.length = 0
  bench.aheadMs += 11_000
  return bench
}

const renewed = responseTo(www, 'A', { answers: [aRecord(www, '10.0.0.2', 10)] })

test('after the client timeout those who wait get the expired answer, and not the new one again', async () => {
  const bench = withExpired()
  const clients = [new Client(), new Client({ host: '10.244.0.8' })]
  for (const client of clients) bench.handle(writeQuery(www, 'A', { ednsBytes: 1232 }), client)
  assert.is(bench.asked.length, 1)
  await until('answered', () => clients.every(({ got }) => got.length === 1))
  bench.answer(renewed)
  for (const { got } of clients) {
    assert.equal(
      got.map(({ answers, opt }) => [answers[0]?.data, answers[0]?.ttl, opt?.data]),
      [['10.0.0.1', 30, '000f00020003']],
    )
  }
  assert.equal(
    bench.facts.map(({ source }) => source),
    [ReplySource.stale, ReplySource.stale],
  )
})

test('who comes after the client timeout gets the expired answer at once, and the new one when it is there', async () => {
  const bench = withExpired()
  const first = new Client()
  bench.handle(writeQuery(www, 'A'), first)
  await until('answered', () => first.got.length === 1)
  assert.is(bench.handle(writeQuery(www, 'A'), new Client())?.answers[0]?.data, '10.0.0.1')
  bench.answer(renewed)
  assert.is(bench.handle(writeQuery(www, 'A'), new Client())?.answers[0]?.data, '10.0.0.2')
})

test('who has to wait after the client timeout of others has one of its own', async () => {
  const bench = withExpired(1)
  const first = new Client()
  bench.handle(writeQuery(www, 'A'), first)
  await until('answered', () => first.got.length === 1)
  // The pause after a failure is over, and the upstream has still not said anything.
  bench.aheadMs += 1_100
  const second = new Client()
  assert.is(bench.handle(writeQuery(www, 'A'), second), undefined)
  await until('answered as well', () => second.got.length === 1)
  assert.is(second.got[0]?.answers[0]?.data, '10.0.0.1')
  assert.is(bench.asked.length, 1)
  bench.answer(renewed)
})

test('an answer within the client timeout is the one that clients get', async () => {
  const bench = withExpired()
  const client = new Client()
  bench.handle(writeQuery(www, 'A'), client)
  bench.answer(renewed)
  await new Promise((resolve) => setTimeout(resolve, 80))
  assert.equal(
    client.got.map(({ answers }) => answers[0]?.data),
    ['10.0.0.2'],
  )
})

test('who was answered counts no more against the limits', async () => {
  const bench = withExpired()
  const client = new Client()
  bench.handle(writeQuery(www, 'A'), client)
  assert.is(bench.inFlight.stats.waiters, 1)
  await until('answered', () => client.got.length === 1)
  assert.equal([bench.inFlight.stats.waiters, bench.inFlight.stats.questions], [0, 1])
  bench.answer(renewed)
})

test('without an expired answer clients wait for the upstream’s end', async () => {
  const serveStale = { ...cacheSettings.serveStale, clientTimeoutMs: 20 }
  const bench = new Bench({ cache: { serveStale } })
  const client = new Client()
  bench.handle(writeQuery(www, 'A'), client)
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.is(client.got.length, 0)
  bench.fail()
  assert.equal(
    client.got.map(({ rcode }) => rcode),
    [2],
  )
})

test.run()
