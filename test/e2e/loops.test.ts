/** Goal: no forwarding loop grows or ends the daemon, and one that can be seen beforehand is never started (reliability E7). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { askUdp } from '../support/client/dns-client.ts'
import { type House, withHouse } from './support.ts'

const test = suite('e2e/loops')

function pointedAt(house: House) {
  return { external: { upstreams: [`127.0.0.1:${house.server.port}`] } }
}

/** Queries of type A that a daemon has answered; its questions to itself are of type SOA. */
async function handled(house: House): Promise<number> {
  return await house.metric('coredns_dns_requests_total', { type: 'A' })
}

test('two daemons that are pointed at each other end the loop at the third packet', async () => {
  await withHouse({}, async (one) => {
    await withHouse({ settings: pointedAt(one) }, async (other) => {
      await one.daemon.reconfigure(one.config(pointedAt(other)))
      const startMs = performance.now()
      const reply = await one.lookup('loop.example')
      assert.is(reply.rcode, 2)
      assert.ok(performance.now() - startMs < 1000, 'it was noticed, not waited for')
      const packets = (await handled(one)) + (await handled(other))
      assert.ok(packets <= 3, `${packets} packets`)
      const loops =
        (await one.metric('neardns_loops_detected_total')) +
        (await other.metric('neardns_loops_detected_total'))
      assert.is(loops, 1)
      // A second question makes no more of them, and both still serve.
      await other.lookup('again.example')
      assert.ok((await handled(one)) + (await handled(other)) <= 6)
    })
  })
})

test('three daemons in a ring end the loop at the fourth packet', async () => {
  await withHouse({}, async (first) => {
    await withHouse({ settings: pointedAt(first) }, async (second) => {
      await withHouse({ settings: pointedAt(second) }, async (third) => {
        await first.daemon.reconfigure(first.config(pointedAt(third)))
        assert.is((await first.lookup('ring.example')).rcode, 2)
        const packets = (await handled(first)) + (await handled(second)) + (await handled(third))
        assert.ok(packets <= 4, `${packets} packets`)
      })
    })
  })
})

test('a resolver that hands our own query back gets SERVFAIL, which is counted, and the client does, too', async () => {
  await withHouse({}, async (house) => {
    // As CoreDNS with `forward . /etc/resolv.conf` on a node whose resolv.conf names us: octets and options as they are.
    house.external.behave = (query) => {
      askUdp(house.server, query.message)
        .then((reply) => query.send(reply ?? Buffer.alloc(0)))
        .catch(() => undefined)
    }
    const reply = await house.lookup('returned.example', 'A', { ednsBytes: 1232 })
    assert.is(reply.rcode, 2)
    assert.is(await house.metric('neardns_loops_detected_total'), 1)
    assert.is(house.timesAsked('returned.example'), 1)
  })
})

test('an upstream that is one of our listening addresses is refused with a line that says so', () => {
  for (const upstreams of [
    { external: { upstreams: ['127.0.0.1:5353'] } },
    { cluster: { upstreams: ['127.0.0.1:5353'] } },
  ]) {
    const text = JSON.stringify({ listen: ['127.0.0.1:5353'], ...upstreams })
    const loaded = loadConfig({ file: { name: 'loop.yaml', text } })
    assert.not(loaded.ok)
    if (!loaded.ok)
      assert.match(loaded.problems[0]?.message ?? '', /our own listening address.*forwarding loop/)
  }
})

test('a resolver from resolv.conf that is ourselves is left out at run time, with a warning, and the daemon serves', async () => {
  await withHouse({ resolvers: [] }, async (house) => {
    const { port } = house.server
    const ourselves = { address: '127.0.0.1', port, family: 4, transport: 'udp' } as const
    const { external } = house
    house.daemon.useResolvers([ourselves, { ...ourselves, port: external.port }])
    assert.is((await house.lookup('outside.example')).answers[0]?.data, '10.9.8.7')
    assert.is(
      house.daemon.upstreams.some((line) => line.includes(`:${port}`)),
      false,
    )
    assert.ok(
      house.lines.some(
        ({ level, message }) => level === 'warn' && /own listening addresses/.test(message),
      ),
    )
    house.daemon.useResolvers([ourselves])
    assert.is((await house.lookup('nobody.example')).rcode, 2)
    assert.is((await house.lookup('outside.example')).answers[0]?.data, '10.9.8.7')
  })
})

test.run()
