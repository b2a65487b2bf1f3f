/** Goal: who waits for a share is published by group, its upstreams added up. Method: stand-ins, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sampleOf } from '../../support/exposition.ts'
import { inFlight, scrape, sourcesWith, upstream } from '../support.ts'

const test = suite('observe/families/shares')

test('waits for a socket are added up for each group, by whose share was used up', async () => {
  const one = upstream('10.0.0.1:53')
  const waits = (client: number, domain: number) => ({
    counters: { ...one.counters, waits: { client, domain } },
  })
  const scraped = await scrape(
    sourcesWith({
      upstreams: () => [
        upstream('10.0.0.1:53', waits(1, 2)),
        upstream('10.0.0.2:53', waits(10, 0)),
        upstream('10.0.0.1:53', { group: 'corp', ...waits(100, 0) }),
      ],
    }),
  )
  const of = (group: string, share: string) =>
    sampleOf(scraped, 'neardns_socket_waits_total', { group, share })
  assert.equal(
    [of('cluster', 'client'), of('cluster', 'domain'), of('corp', 'client')],
    [11, 2, 100],
  )
})

test('refusals are published by the limit and by whose share was used up', async () => {
  const scraped = await scrape(sourcesWith({ inFlight: () => inFlight }))
  const of = (limit: string, share: string) =>
    sampleOf(scraped, 'neardns_share_refusals_total', { limit, share })
  assert.equal(
    [of('questions', 'client'), of('questions', 'domain'), of('waiters', 'all')],
    [4, 1, 2],
  )
})

test.run()
