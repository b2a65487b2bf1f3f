/** Goal: no forwarding loop grows or ends the daemon, and one that can be seen beforehand is never started (reliability E7). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { askUdp } from '../support/client/dns-client.ts'
import { readMessage } from '../support/client/dns-message.ts'
import { FakeUpstream } from '../upstream/fake-upstream.ts'
import { type House, withHouse } from './support.ts'

const test = suite('e2e/loops')

function pointedAt(house: House) {
  return { external: { upstreams: [`127.0.0.1:${house.server.port}`] } }
}

/** As CoreDNS with `forward . /etc/resolv.conf` on a node whose resolv.conf names us: the message as it is, under another ID. */
function handBack(house: House): void {
  house.external.behave = (query) => {
    const message = Buffer.from(query.message)
    message.writeUInt16BE(query.id ^ 0x1234)
    askUdp(house.server, message, 4000)
      .then((reply) => {
        if (reply === undefined) return
        reply.writeUInt16BE(query.id)
        query.send(reply)
      })
      .catch(() => undefined)
  }
}

async function handledBy(ring: readonly House[]): Promise<number> {
  let sum = 0
  for (const house of ring) sum += await handled(house)
  return sum
}

/** Queries of type A that a daemon has answered; its questions to itself are of type SOA. */
async function handled(house: House): Promise<number> {
  return await house.metric('coredns_dns_requests_total', { type: 'A' })
}

/** Each asks a question once, however often it comes, so that a loop has as many packets as daemons, but for hedges. */
test('daemons that are pointed at each other, two or three, ask few packets, fail in time, and serve on', async () => {
  await withHouse({}, async (first) => {
    await withHouse({ settings: pointedAt(first) }, async (second) => {
      await withHouse({ settings: pointedAt(second) }, async (third) => {
        const rings = [
          [first, second],
          [first, second, third],
        ]
        for (const [index, ring] of rings.entries()) {
          await first.daemon.reconfigure(first.config(pointedAt(ring.at(-1) ?? first)))
          const before = await handledBy(ring)
          const startMs = performance.now()
          const reply = await first.lookup(`ring${index}.example`, 'A', { timeoutMs: 6000 })
          const tookMs = performance.now() - startMs
          assert.is(reply.rcode, 2)
          assert.ok(tookMs < 5500, `${tookMs} ms`)
          const packets = (await handledBy(ring)) - before
          assert.ok(packets <= 1 + 4 * ring.length, `${packets} packets`)
        }
        const good = { external: { upstreams: [`127.0.0.1:${third.external.port}`] } }
        await first.daemon.reconfigure(first.config(good))
        assert.is((await first.lookup('served.example')).rcode, 0)
      })
    })
  })
})

test('a resolver that hands our own question back: SERVFAIL, counted, soon at once, and nobody else is hit', async () => {
  await withHouse({}, async (house) => {
    handBack(house)
    for (const [name, limitMs] of [
      ['returned.example', 1500],
      ['again.example', 700],
      ['and-again.example', 700],
    ] as const) {
      const startMs = performance.now()
      assert.is((await house.lookup(name, 'A', { ednsBytes: 1232 })).rcode, 2)
      const tookMs = performance.now() - startMs
      assert.ok(tookMs < limitMs, `${name}: ${tookMs} ms`)
    }
    assert.ok((await house.metric('neardns_loops_detected_total')) >= 3)
    assert.ok(house.external.queries.length <= 6, `${house.external.queries.length} questions`)
    house.external.behave = (query) => query.answer()
    const read = await house.lookup('mended.example')
    assert.equal([read.questions[0]?.name, read.answers[0]?.data], ['mended.example.', '10.9.8.7'])
  })
})

test('where one of two resolvers hands it back the other has the answer', async () => {
  const good = await FakeUpstream.start()
  try {
    await withHouse({}, async (house) => {
      const upstreams = [house.external, good].map(({ port }) => `127.0.0.1:${port}`)
      await house.daemon.reconfigure(house.config({ external: { upstreams } }))
      handBack(house)
      for (const name of ['one.example-zone', 'two.example-zone']) {
        const startMs = performance.now()
        assert.is((await house.lookup(name)).answers[0]?.data, '10.9.8.7')
        assert.ok(performance.now() - startMs < 2500)
      }
    })
  } finally {
    await good.stop()
  }
})

test('look-ups of pods for the same slow name at the same time are no loop', async () => {
  await withHouse({}, async (house) => {
    house.external.behave = (query) => query.after(900, () => query.answer())
    for (const name of ['slow-name.example', 'slow-as-well.example']) {
      const asked = Array.from({ length: 10 }, () => house.lookup(name))
      for (const read of await Promise.all(asked)) assert.is(read.answers[0]?.data, '10.9.8.7')
    }
    assert.is(await house.metric('neardns_loops_detected_total'), 0)
  })
})

test('nothing in a question that goes out is ours: no option, no letter of our own in a quiet group', async () => {
  await withHouse({}, async (house) => {
    await house.lookup('Quiet.Example', 'A', { ednsBytes: 4096 })
    const [query] = house.external.queries
    const sent = query && readMessage(query.message)
    assert.equal([sent?.questions[0]?.name, sent?.opt?.data], ['quiet.example.', ''])
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
