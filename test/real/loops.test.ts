/*
 * Goal: a CoreDNS that forwards to the node's own cache makes no endless loop: look-ups that would go round fail in time, the loop is
 * counted, and names that CoreDNS knows are answered. Method: real CoreDNS as kubeadm configures it, its resolv.conf naming the daemon.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type House, withHouse } from '../e2e/support.ts'
import { Coredns } from '../support/coredns.ts'
import { freePort } from '../support/free-port.ts'
import { needing } from '../support/needs.ts'

const test = needing(suite('real/loops'), 'coredns')

async function corednsBehind({ server }: House): Promise<{ coredns: Coredns; address: string }> {
  const port = await freePort()
  const corefile = `.:${port} {
  bind 127.0.0.1
  hosts {
    10.96.0.10 api.shop.svc.cluster.local
    fallthrough
  }
  forward . 127.0.0.1:${server.port}
  cache 30
}
`
  return { coredns: await Coredns.start({ corefile }), address: `127.0.0.1:${port}` }
}

async function fails(house: House, name: string, limitMs: number): Promise<void> {
  const startMs = performance.now()
  const read = await house.lookup(name, 'PTR', { timeoutMs: 6000 })
  const tookMs = performance.now() - startMs
  assert.is(read.rcode, 2)
  assert.ok(tookMs < limitMs, `${name}: ${tookMs} ms`)
}

test('a CoreDNS that forwards reverse names to this very cache is seen through at the first name', async () => {
  await withHouse({}, async (house) => {
    const { coredns, address } = await corednsBehind(house)
    try {
      await house.daemon.reconfigure(house.config({ cluster: { upstreams: [address] } }))
      await fails(house, '4.3.2.203.in-addr.arpa', 1500)
      await fails(house, '5.3.2.203.in-addr.arpa', 1000)
      await fails(house, '6.3.2.203.in-addr.arpa', 1000)
      assert.ok((await house.metric('neardns_loops_detected_total')) >= 3)
      const read = await house.lookup('api.shop.svc.cluster.local')
      assert.is(read.answers[0]?.data, '10.96.0.10')
    } finally {
      await coredns.stop()
    }
  })
})

test('of two nodes that ask both CoreDNS pods, each sees its own loop before long, and none goes round for ever', async () => {
  await withHouse({}, async (one) => {
    await withHouse({}, async (other) => {
      const houses = [one, other]
      const pods = [await corednsBehind(one), await corednsBehind(other)]
      try {
        const upstreams = pods.map(({ address }) => address)
        for (const house of houses)
          await house.daemon.reconfigure(house.config({ cluster: { upstreams } }))
        for (let i = 0; i < 6; i++) await fails(one, `${i}.3.2.203.in-addr.arpa`, 5500)
        let loops = 0
        let asked = 0
        for (const house of houses) {
          loops += await house.metric('neardns_loops_detected_total')
          asked += await house.metric('coredns_dns_requests_total', { type: 'PTR' })
        }
        assert.ok(loops > 0)
        assert.ok(asked <= 6 * 16, `${asked} questions for six names`)
        assert.is((await one.lookup('api.shop.svc.cluster.local')).answers[0]?.data, '10.96.0.10')
      } finally {
        for (const { coredns } of pods) await coredns.stop()
      }
    })
  })
})

test.run()
