/*
 * Goal: one outcome for every question, the right one, in time. Method: the exchange over real sockets against fake
 * upstreams on loopback.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ask, groupOf, withExchange } from './support-exchange.ts'
import { FakeUpstream } from './support-fake-upstream.ts'

const test = suite('net/exchange')

for (const transport of ['udp', 'tcp'] as const) {
  test(`a question over ${transport} is answered`, async () => {
    const upstream = await FakeUpstream.start()
    await withExchange([groupOf(transport, [upstream])], [upstream], async (exchange) => {
      const told = await ask(exchange, 'a.example')
      assert.is(told.address, '10.9.8.7')
      assert.is(upstream.queries.length, 1)
      assert.is(upstream.queries[0]?.qname, 'a.example')
    })
  })
}

test.run()
