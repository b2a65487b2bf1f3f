/** Goal: each name is asked where its zone says, is kept as long as its zone says, and the cache keeps to its size. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aRecord, soaRecord } from '../core/support.ts'
import type { ReadMessage } from '../support/client/dns-message.ts'
import { FakeUpstream } from '../upstream/fake-upstream.ts'
import { type House, replyTo, withHouse } from './support.ts'

const test = suite('e2e/zones')

function lifetimes({ answers, authorities }: ReadMessage): number[] {
  return [...answers, ...authorities].map(({ ttl }) => ttl)
}

/** Runs a house with a stub domain of its own. */
async function withStub(
  zone: Readonly<Record<string, unknown>>,
  body: (house: House, stub: FakeUpstream) => Promise<void>,
): Promise<void> {
  const stub = await FakeUpstream.start((query) => query.answer({ address: '10.2.2.2', ttl: 3600 }))
  try {
    const zones = [{ ...zone, upstreams: [`127.0.0.1:${stub.port}`] }]
    await withHouse({ settings: { zones } }, (house) => body(house, stub))
  } finally {
    await stub.stop()
  }
}

test('the longest zone wins: stub domain, cluster, everything else', async () => {
  await withStub({ name: 'corp.example' }, async (house, stub) => {
    house.cluster.behave = (query) => query.answer({ address: '10.96.0.1' })
    for (const [name, address] of [
      ['db.corp.example', '10.2.2.2'],
      ['corp.example', '10.2.2.2'],
      ['notcorp.example', '10.9.8.7'],
      ['a.svc.cluster.local', '10.96.0.1'],
      ['8.8.8.8.in-addr.arpa', '10.96.0.1'],
    ] as const) {
      assert.is((await house.lookup(name)).answers[0]?.data, address, name)
    }
    assert.is(stub.queries.length, 2)
  })
})

test('a stub domain inside the cluster domain takes its names from the cluster', async () => {
  await withStub({ name: 'legacy.cluster.local' }, async (house) => {
    house.cluster.behave = (query) => query.answer({ address: '10.96.0.1' })
    assert.is((await house.lookup('db.legacy.cluster.local')).answers[0]?.data, '10.2.2.2')
    assert.is((await house.lookup('db.cluster.local')).answers[0]?.data, '10.96.0.1')
  })
})

test('without servers of the cluster its names are denied with a reason, and nobody is asked', async () => {
  await withHouse({ settings: { cluster: { upstreams: [] } } }, async (house) => {
    const reply = await house.lookup('a.default.svc.cluster.local', 'A', { ednsBytes: 1232 })
    assert.equal([reply.rcode, reply.authorities[0]?.ttl], [3, 5])
    // RFC 8914 4.21.
    assert.match(reply.opt?.data ?? '', /^000f....0014/)
    assert.equal(house.asked, [])
    assert.is(await house.metric('neardns_unserved_cluster_names_total'), 1)
    assert.ok(house.lines.some(({ message }) => message.startsWith('cluster.upstreams is empty')))
    const ranges = ['10.96.0.0/12']
    await house.daemon.reconfigure(house.config({ cluster: { ranges } }))
    assert.is((await house.lookup('10.0.96.10.in-addr.arpa', 'PTR')).rcode, 3)
    assert.equal(house.asked, [])
    await house.lookup('1.2.0.192.in-addr.arpa', 'PTR')
    assert.equal(house.asked, ['1.2.0.192.in-addr.arpa'])
    await house.daemon.reconfigure(house.config({ cluster: { withoutUpstreams: 'refused' } }))
    assert.is((await house.lookup('a.default.svc.cluster.local')).rcode, 5)
    await house.daemon.reconfigure(house.config({ cluster: { withoutUpstreams: 'outside' } }))
    await house.lookup('a.default.svc.cluster.local')
    assert.equal(house.asked.at(-1), 'a.default.svc.cluster.local')
  })
})

test('by default answers live 30 s at most, cluster denials 5 s, other denials 30 s', async () => {
  await withHouse({}, async (house) => {
    const denial = { rcode: 3, authorities: [soaRecord('.', 3600)] }
    house.external.behave = (query) =>
      query.qname.startsWith('no')
        ? query.send(replyTo(query, denial))
        : query.answer({ ttl: 3600 })
    house.cluster.behave = house.external.behave
    assert.equal(lifetimes(await house.lookup('yes.example')), [30])
    assert.equal(lifetimes(await house.lookup('no.example')), [30])
    assert.equal(lifetimes(await house.lookup('yes.cluster.local')), [30])
    assert.equal(lifetimes(await house.lookup('no.cluster.local')), [5])
  })
})

test('a zone has limits of its own, below and above', async () => {
  const ttl = {
    positiveMinSeconds: 60,
    positiveMaxSeconds: 120,
    negativeMinSeconds: 0,
    negativeMaxSeconds: 2,
  }
  await withStub({ name: 'corp.example', ttl }, async (house, stub) => {
    assert.equal(lifetimes(await house.lookup('long.corp.example')), [120])
    stub.behave = (query) => query.answer({ ttl: 0 })
    // A minimum makes TTL 0 storable: that is what it is for.
    assert.equal(lifetimes(await house.lookup('zero.corp.example')), [60])
    await house.lookup('zero.corp.example')
    assert.is(stub.queries.filter(({ qname }) => qname === 'zero.corp.example').length, 1)
    stub.behave = (query) =>
      query.send(replyTo(query, { rcode: 3, authorities: [soaRecord('corp.example', 60)] }))
    assert.equal(lifetimes(await house.lookup('no.corp.example')), [2])
  })
})

test('when a zone is added its names are asked anew, and answers of other names stay', async () => {
  await withHouse({}, async (house) => {
    const stub = await FakeUpstream.start((query) => query.answer({ address: '10.2.2.2' }))
    try {
      for (const name of ['db.corp.example', 'www.example']) await house.lookup(name)
      const zones = [{ name: 'corp.example', upstreams: [`127.0.0.1:${stub.port}`] }]
      await house.daemon.reconfigure(house.config({ zones }))
      assert.is((await house.lookup('db.corp.example')).answers[0]?.data, '10.2.2.2')
      await house.lookup('www.example')
      assert.is(house.timesAsked('www.example'), 1)
      await house.daemon.reconfigure(house.config())
      assert.is((await house.lookup('db.corp.example')).answers[0]?.data, '10.9.8.7')
    } finally {
      await stub.stop()
    }
  })
})

test('the cache keeps to its octets, and its gauge says so', async () => {
  const bytesMax = 65_536
  await withHouse({ settings: { cache: { bytesMax } } }, async (house) => {
    for (let i = 0; i < 200; i++) await house.lookup(`many${i}.example`)
    const bytes = await house.metric('neardns_cache_bytes')
    assert.ok(bytes > bytesMax / 2 && bytes <= bytesMax, `${bytes} octets`)
    const entries = await house.metric('coredns_cache_entries')
    assert.ok(entries > 20 && entries < 200, `${entries} entries`)
    assert.is((await house.lookup('many199.example')).answers.length, 1)
    assert.is(house.timesAsked('many199.example'), 1)
  })
})

test('an answer of 40 KB is kept', async () => {
  await withHouse({}, async (house) => {
    const answers = Array.from({ length: 1400 }, (_, i) =>
      aRecord('huge.example', `10.1.${i >> 8}.${i & 255}`),
    )
    house.external.behave = (query) =>
      query.transport === 'udp'
        ? query.answer({ tc: true, address: null })
        : query.send(replyTo(query, { answers }))
    for (let round = 0; round < 2; round++) {
      assert.is((await house.lookup('huge.example', 'A', { tcp: true })).answers.length, 1400)
    }
    assert.is(house.timesAsked('huge.example'), 2)
  })
})

test.run()
