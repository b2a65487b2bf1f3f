/**
 * Goal: what the daemon asks on its own account is in no metric and no log line of its clients. Method: the whole daemon, idle but for
 * its checks and refreshes, and its own metrics.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overlapping } from '../support/lab/overlap.ts'
import { until } from '../support/process.ts'
import { type House, withHouse } from './support.ts'

const all = suite('e2e/own-questions')
const test = overlapping(all)

/** Every family that is about clients' queries. */
const ofClients = [
  'coredns_dns_requests_total',
  'coredns_dns_responses_total',
  'coredns_dns_request_duration_seconds',
  'coredns_dns_request_size_bytes',
  'coredns_dns_response_size_bytes',
  'coredns_cache_requests_total',
  'coredns_cache_hits_total',
  'coredns_cache_misses_total',
  'neardns_dropped_packets_total',
] as const

async function countsOf(house: House): Promise<number[]> {
  const counts: number[] = []
  for (const name of ofClients) counts.push(await house.metric(name))
  return counts
}

const everyQuery = { log: { queries: { sampleOneIn: 1 } } }

function queryLines(house: House): number {
  return house.lines.filter(({ message }) => message === 'query').length
}

test('an idle daemon that checks itself counts no query, and logs none', () =>
  withHouse({ settings: everyQuery }, async (house) => {
    await until(
      'checked twice',
      async () => (await house.metric('neardns_self_checks_total')) > 1,
      {
        timeoutMs: 15_000,
        everyMs: 500,
      },
    )
    assert.equal(
      await countsOf(house),
      ofClients.map(() => 0),
    )
    assert.is(queryLines(house), 0)
  }))

test('a refresh of a name in use is no query of a client', () =>
  withHouse({ settings: everyQuery }, async (house) => {
    house.external.behave = (query) => query.answer({ ttl: 2 })
    for (let n = 0; n < 3; n++) await house.lookup('www.example')
    await until(
      'refreshed',
      async () => {
        // Its last hits; the refresh is asked by one of them.
        await house.lookup('www.example')
        return (await house.metric('coredns_cache_prefetch_total')) > 0
      },
      { timeoutMs: 10_000, everyMs: 50 },
    )
    await until('asked again', () => house.timesAsked('www.example') > 1)
    const asked = await house.metric('coredns_dns_requests_total')
    const hits = await house.metric('coredns_cache_hits_total')
    const misses = await house.metric('coredns_cache_misses_total')
    assert.is(queryLines(house), asked)
    assert.equal([misses, hits], [1, asked - 1])
  }))

all.run()
