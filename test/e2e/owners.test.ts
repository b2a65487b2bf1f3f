/**
 * Goal: whoever owns the name behind an alias decides about it, for every pair of groups; what others say of it is neither answered nor kept.
 * Method: a daemon between four servers, each of which lies about the names of the others; then chains, circles, failures, flags and sizes.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aRecord, cnameRecord, record, soaRecord } from '../core/support.ts'
import { name } from '../fixtures/packets/octets.ts'
import type { ReadMessage } from '../support/client/dns-message.ts'
import { delayed, type FakeQuery, FakeUpstream } from '../upstream/fake-upstream.ts'
import { type House, type Records, replyTo, withHouse, zone } from './support.ts'

const test = suite('e2e/owners')

const owners = ['cluster', 'corp', 'lab', 'outside'] as const
type Owner = (typeof owners)[number]

const domains: Readonly<Record<Owner, string>> = {
  cluster: 'default.svc.cluster.local',
  corp: 'corp.example',
  lab: 'lab.test',
  outside: 'example',
}
const addresses: Readonly<Record<Owner, string>> = {
  cluster: '10.96.0.1',
  corp: '10.1.0.1',
  lab: '10.2.0.1',
  outside: '192.0.2.1',
}
const forged = '6.6.6.6'

class World {
  readonly house: House
  readonly servers: Readonly<Record<Owner, FakeUpstream>>

  constructor(house: House, [corp, lab]: readonly [FakeUpstream, FakeUpstream]) {
    this.house = house
    this.servers = { cluster: house.cluster, corp, lab, outside: house.external }
  }

  /** Gives a server its names; it denies all others. */
  serve(owner: Owner, names: Parameters<typeof zone>[0]): void {
    this.servers[owner].behave = zone(names)
  }

  timesAsked(owner: Owner, qname: string): number {
    return this.servers[owner].queries.filter((query) => query.qname === qname).length
  }
}

/** Queries are counted: on a busy machine an answer may come after a hedge. */
const exchange = { hedge: { minMs: 2000, maxMs: 2000 } }

async function withWorld(
  body: (world: World) => Promise<void>,
  settings: Readonly<Record<string, object>> = {},
  /** Zones that also belong to corp's server. */
  moreZones: readonly string[] = [],
): Promise<void> {
  const corp = await FakeUpstream.start()
  const lab = await FakeUpstream.start()
  try {
    const zones = [
      { name: 'corp.example', upstreams: [`127.0.0.1:${corp.port}`], exchange },
      { name: 'lab.test', upstreams: [`127.0.0.1:${lab.port}`], exchange },
      ...moreZones.map((name) => ({ name, upstreams: [`127.0.0.1:${corp.port}`], exchange })),
    ]
    const late = { external: { exchange }, cluster: { exchange } }
    await withHouse({ settings: { zones, ...late, ...settings } }, (house) =>
      body(new World(house, [corp, lab])),
    )
  } finally {
    await corp.stop()
    await lab.stop()
  }
}

function told({ answers }: ReadMessage): string[] {
  return answers.map(({ data }) => data)
}

const pairs = owners.flatMap((from) =>
  owners.filter((to) => to !== from).map((to) => [from, to] as const),
)

/** What the alias's server may say of a name that is not its own. */
const lies: Readonly<Record<string, (alias: string, target: string) => Records>> = {
  'other data': (alias, target) => ({
    answers: [cnameRecord(alias, target), aRecord(target, forged)],
  }),
  NXDOMAIN: (alias, target) => ({
    rcode: 3,
    answers: [cnameRecord(alias, target)],
    authorities: [soaRecord(target, 30)],
  }),
  'no data': (alias, target) => ({
    answers: [cnameRecord(alias, target)],
    authorities: [soaRecord(target, 30)],
  }),
  'the alias alone': (alias, target) => ({ answers: [cnameRecord(alias, target)] }),
  'other data before the alias': (alias, target) => ({
    answers: [aRecord(target, forged), cnameRecord(alias, target)],
  }),
}

for (const [lie, says] of Object.entries(lies)) {
  test(`${lie}: the owner is asked instead, from each group into each other`, async () => {
    await withWorld(async (world) => {
      for (const [from, to] of pairs) {
        const alias = `from-${to}.${domains[from]}`
        const target = `web-${from}.${domains[to]}`
        world.serve(from, { [alias]: says(alias, target) })
        world.serve(to, { [target]: { answers: [aRecord(target, addresses[to], 7)] } })
        const what = `${from} to ${to}`
        for (const round of ['asked', 'kept']) {
          const reply = await world.house.lookup(alias)
          assert.equal(
            [reply.rcode, told(reply)],
            [0, [`${target}.`, addresses[to]]],
            `${what}, ${round}`,
          )
        }
        assert.is(world.timesAsked(from, alias), 1, `${what}: the whole is kept`)
        assert.is(world.timesAsked(to, target), 1, what)
        assert.is(world.timesAsked(from, target), 0, what)
        // What was kept for the target itself is its owner's word as well.
        assert.equal(told(await world.house.lookup(target)), [addresses[to]], what)
      }
    })
  })
}

test('a denial by the owner holds against another’s data', async () => {
  await withWorld(async (world) => {
    for (const [from, to] of pairs) {
      const alias = `gone-${to}.${domains[from]}`
      const target = `missing-${from}.${domains[to]}`
      world.serve(from, {
        [alias]: { answers: [cnameRecord(alias, target), aRecord(target, forged)] },
      })
      world.serve(to, { [target]: { rcode: 3, authorities: [soaRecord(domains[to], 30)] } })
      const reply = await world.house.lookup(alias)
      assert.equal([reply.rcode, told(reply)], [3, [`${target}.`]], `${from} to ${to}`)
      assert.is(reply.authorities[0]?.name, `${domains[to]}.`)
    }
  })
})

test('the whole lives as long as its shortest-lived part, then both are asked anew', async () => {
  await withWorld(async (world) => {
    const alias = 'short.corp.example'
    world.serve('corp', { [alias]: { answers: [cnameRecord(alias, 'web.lab.test', 20)] } })
    world.serve('lab', { 'web.lab.test': { answers: [aRecord('web.lab.test', '10.2.0.9', 1)] } })
    await world.house.lookup(alias)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await world.house.lookup(alias)
    assert.equal([world.timesAsked('corp', alias), world.timesAsked('lab', 'web.lab.test')], [2, 2])
  })
})

test('a chain goes through all four groups, and AAAA as well as A', async () => {
  await withWorld(async (world) => {
    const [a, b, c, d] = [
      'a.default.svc.cluster.local',
      'b.corp.example',
      'c.lab.test',
      'd.example',
    ] as const
    world.serve('cluster', { [a]: { answers: [cnameRecord(a, b)] } })
    world.serve('corp', { [b]: { answers: [cnameRecord(b, c)] } })
    world.serve('lab', { [c]: { answers: [cnameRecord(c, d)] } })
    const v6 = record(d, 'AAAA', Buffer.from('20010db8000000000000000000000001', 'hex'))
    world.servers.outside.behave = (query) =>
      query.send(
        replyTo(query, {
          answers: [
            query.message.readUInt16BE(query.questionEnd - 4) === 28 ? v6 : aRecord(d, '192.0.2.7'),
          ],
        }),
      )
    assert.equal(told(await world.house.lookup(a)), [`${b}.`, `${c}.`, `${d}.`, '192.0.2.7'])
    const six = await world.house.lookup(a, 'AAAA')
    assert.is(told(six).length, 4)
    assert.is(six.answers.at(-1)?.type, 28)
    assert.equal(told(await world.house.lookup(b)), [`${c}.`, `${d}.`, '192.0.2.7'])
    assert.is(world.timesAsked('corp', b), 2, 'the parts of the chain are kept as well')
  })
})

test('a circle of owners is SERVFAIL at once, and remembered', async () => {
  await withWorld(async (world) => {
    world.serve('corp', {
      'x.corp.example': { answers: [cnameRecord('x.corp.example', 'y.lab.test')] },
    })
    world.serve('lab', { 'y.lab.test': { answers: [cnameRecord('y.lab.test', 'x.corp.example')] } })
    const startMs = performance.now()
    const replies = await Promise.all([
      world.house.lookup('x.corp.example'),
      world.house.lookup('y.lab.test'),
      world.house.lookup('x.corp.example', 'AAAA'),
    ])
    assert.equal(
      replies.map(({ rcode }) => rcode),
      [2, 2, 2],
    )
    assert.ok(performance.now() - startMs < 1000)
    await world.house.lookup('x.corp.example')
    assert.ok(world.timesAsked('corp', 'x.corp.example') <= 3)
  })
})

test('crossings are counted, and not more are made than the setting allows', async () => {
  const aliases = { crossingsMax: 3 }
  await withWorld(
    async (world) => {
      const bounce = (own: string, other: string) => (query: { qname: string }) => {
        const n = Number(/\d+/.exec(query.qname)?.[0])
        return { answers: [cnameRecord(`n${n}.${own}`, `n${n + 1}.${other}`)] }
      }
      for (const [owner, own, other] of [
        ['corp', 'corp.example', 'lab.test'],
        ['lab', 'lab.test', 'corp.example'],
      ] as const) {
        const says = bounce(own, other)
        world.servers[owner].behave = (query) => query.send(replyTo(query, says(query)))
      }
      assert.is((await world.house.lookup('n1.corp.example')).rcode, 2)
      const asked = [...world.servers.corp.queries, ...world.servers.lab.queries]
      assert.is(asked.length, 4)
    },
    { aliases },
  )
})

test('DNAME into another group: its synthesised CNAME is followed', async () => {
  await withWorld(async (world) => {
    const [alias, target] = ['w.old.corp.example', 'w.lab.test']
    const dname = record('old.corp.example', 39, name('lab.test'))
    world.serve('corp', {
      [alias]: { answers: [dname, cnameRecord(alias, target), aRecord(target, forged)] },
    })
    world.serve('lab', { [target]: { answers: [aRecord(target, '10.2.0.3')] } })
    assert.equal(told(await world.house.lookup(alias)), [`${target}.`, '10.2.0.3'])
  })
})

test('an alias to a name that is answered here gets what is said here', async () => {
  await withWorld(async (world) => {
    world.serve('outside', {
      'me.example': {
        answers: [cnameRecord('me.example', 'localhost'), aRecord('localhost', forged)],
      },
      'no.example': {
        answers: [cnameRecord('no.example', 'x.invalid'), aRecord('x.invalid', forged)],
      },
    })
    assert.equal(told(await world.house.lookup('me.example')), ['localhost.', '127.0.0.1'])
    const denied = await world.house.lookup('no.example')
    assert.equal([denied.rcode, told(denied)], [3, ['x.invalid.']])
    await world.house.lookup('me.example')
    assert.is(world.timesAsked('outside', 'me.example'), 1)
  })
})

test('an alias into a cluster that nobody serves is denied, and nobody is asked', async () => {
  await withWorld(
    async (world) => {
      const target = 'db.default.svc.cluster.local'
      world.serve('outside', {
        'db.example': { answers: [cnameRecord('db.example', target), aRecord(target, forged)] },
      })
      const reply = await world.house.lookup('db.example')
      assert.equal([reply.rcode, told(reply)], [3, [`${target}.`]])
      assert.is(world.timesAsked('outside', target), 0)
    },
    { cluster: { upstreams: [] } },
  )
})

test('where the resolvers outside fail, data that came with the alias is better than none', async () => {
  await withWorld(async (world) => {
    for (const from of ['cluster', 'corp'] as const) {
      const alias = `cloud.${domains[from]}`
      const target = `${from}.cloud.example`
      world.serve(from, {
        [alias]: { answers: [cnameRecord(alias, target, 300), aRecord(target, '192.0.2.9', 300)] },
      })
      world.servers.outside.behave = (query) => query.answer({ rcode: 2 })
      const reply = await world.house.lookup(alias)
      assert.equal([reply.rcode, told(reply)], [0, [`${target}.`, '192.0.2.9']], from)
      assert.ok(
        reply.answers.every(({ ttl }) => ttl <= 5),
        'until the owner is asked again',
      )
      assert.is(world.timesAsked('outside', target) > 0, true)
      // Only for whoever asked for the alias.
      assert.is((await world.house.lookup(target)).rcode, 2)
    }
  })
})

test('data about a stub zone or the cluster is not taken, though their servers fail', async () => {
  await withWorld(async (world) => {
    for (const [from, to] of pairs.filter(([, owner]) => owner !== 'outside')) {
      const alias = `down-${to}.${domains[from]}`
      const target = `silent-${from}.${domains[to]}`
      world.serve(from, {
        [alias]: { answers: [cnameRecord(alias, target), aRecord(target, forged)] },
      })
      world.servers[to].behave = (query) => query.answer({ rcode: 2 })
      const reply = await world.house.lookup(alias)
      assert.equal([reply.rcode, told(reply)], [2, []], `${from} to ${to}`)
    }
  })
})

test('a target that fails fails only those types of the name whose answer leads there', async () => {
  await withWorld(async (world) => {
    const alias = 'ext.default.svc.cluster.local'
    const typeOf = (message: Buffer, end: number) => message.readUInt16BE(end - 4)
    world.servers.cluster.behave = (query) => {
      const isHttps = typeOf(query.message, query.questionEnd) === 65
      const answers = isHttps ? [] : [cnameRecord(alias, 'ext.lab.test')]
      const authorities = isHttps ? [soaRecord('cluster.local', 5)] : []
      query.send(replyTo(query, { answers, authorities }))
    }
    world.servers.lab.behave = (query) => query.answer({ rcode: 2 })
    const [a, https] = await Promise.all([
      world.house.lookup(alias),
      world.house.lookup(alias, 'HTTPS'),
    ])
    assert.equal([a.rcode, https.rcode, https.authorities.length], [2, 0, 1])
  })
})

test('what a stub zone or an alias’s target denies is denied for that question alone', async () => {
  const searchPath = { trust: 'declared', auditOneIn: 1000 }
  await withWorld(
    async (world) => {
      const soa = record(
        'cluster.local',
        'SOA',
        Buffer.concat([
          name('ns.dns.cluster.local'),
          name('hostmaster.cluster.local'),
          Buffer.from('0000000100001c2000000708000151800000001e', 'hex'),
        ]),
        30,
      )
      const address = (query: FakeQuery) =>
        query.send(replyTo(query, { answers: [aRecord(query.qname, '10.96.0.8')] }))
      const denied = (query: FakeQuery) =>
        query.send(replyTo(query, { rcode: 3, authorities: [soa] }))
      world.servers.lab.behave = denied
      world.servers.corp.behave = denied
      world.servers.cluster.behave = (query) =>
        query.qname.startsWith('alias.')
          ? query.send(replyTo(query, { answers: [cnameRecord(query.qname, 'gone.lab.test')] }))
          : address(query)
      // A stub zone inside the cluster domain, as deep as a Service and as a namespace, and an alias that leads into one.
      for (const [denial, beside] of [
        ['a.db.shop.svc.cluster.local', ['b.shop.svc.cluster.local', 'c.b.shop.svc.cluster.local']],
        ['x.y.legacy.svc.cluster.local', ['y.legacy2.svc.cluster.local', 'z.svc.cluster.local']],
        [
          'alias.team.svc.cluster.local',
          ['b.team.svc.cluster.local', 'w.alias.team.svc.cluster.local'],
        ],
      ] as const) {
        for (const type of ['A', 'AAAA'] as const)
          assert.is((await world.house.lookup(denial, type)).rcode, 3, `${denial} ${type}`)
        for (const qname of beside)
          assert.equal(told(await world.house.lookup(qname)), ['10.96.0.8'], qname)
      }
      world.servers.corp.behave = address
      for (const qname of ['b.db.shop.svc.cluster.local', 'v.y.legacy.svc.cluster.local'])
        assert.equal(told(await world.house.lookup(qname)), ['10.96.0.8'], qname)
    },
    { searchPath },
    ['db.shop.svc.cluster.local', 'legacy.svc.cluster.local'],
  )
})

test('an expired answer is joined while the target’s owner is down', async () => {
  await withWorld(async (world) => {
    const [alias, target] = ['held.corp.example', 'held.lab.test']
    world.serve('corp', { [alias]: { answers: [cnameRecord(alias, target, 1)] } })
    world.serve('lab', { [target]: { answers: [aRecord(target, '10.2.0.5', 1)] } })
    await world.house.lookup(alias)
    await world.house.lookup(target)
    world.servers.lab.behave = (query) => query.answer({ rcode: 2 })
    await new Promise((resolve) => setTimeout(resolve, 1100))
    assert.equal(told(await world.house.lookup(alias)), [`${target}.`, '10.2.0.5'])
    // A second alias has no answer of its own that expired: the target's is joined.
    world.serve('corp', {
      'new.corp.example': { answers: [cnameRecord('new.corp.example', target)] },
    })
    assert.equal(told(await world.house.lookup('new.corp.example')), [`${target}.`, '10.2.0.5'])
  })
})

test('an expired answer of the target is joined when its owner is slow', async () => {
  const cache = { serveStale: { clientTimeoutMs: 100 } }
  await withWorld(
    async (world) => {
      const target = 'slow.lab.test'
      world.serve('lab', { [target]: { answers: [aRecord(target, '10.2.0.6', 1)] } })
      world.serve('corp', {
        's.corp.example': { answers: [cnameRecord('s.corp.example', target)] },
      })
      await world.house.lookup(target)
      await new Promise((resolve) => setTimeout(resolve, 1100))
      world.servers.lab.behave = delayed(900, { address: '10.2.0.7' })
      const startMs = performance.now()
      assert.equal(told(await world.house.lookup('s.corp.example')), [`${target}.`, '10.2.0.6'])
      assert.ok(performance.now() - startMs < 700)
    },
    { cache },
  )
})

test('DO and CD of the question go to the target’s owner', async () => {
  await withWorld(async (world) => {
    const [alias, target] = ['signed.corp.example', 'signed.lab.test']
    world.serve('corp', { [alias]: { answers: [cnameRecord(alias, target)] } })
    const seen: string[] = []
    world.servers.lab.behave = (query) => {
      const isDo = query.message.readUInt16BE(query.questionEnd + 7) >>> 15 === 1
      seen.push(`DO ${isDo} CD ${(query.message.readUInt8(3) & 0x10) !== 0}`)
      query.send(replyTo(query, { answers: [aRecord(target, '10.2.0.8')] }))
    }
    await world.house.lookup(alias, 'A', { ednsBytes: 1232, do: true })
    await world.house.lookup(alias, 'A', { cd: true })
    await world.house.lookup(alias)
    assert.equal(seen, ['DO true CD false', 'DO false CD true', 'DO false CD false'])
  })
})

test('a joined answer that is too long for UDP is cut there, and whole over TCP', async () => {
  await withWorld(async (world) => {
    const [alias, target] = ['many.corp.example', 'many.lab.test']
    world.serve('corp', { [alias]: { answers: [cnameRecord(alias, target)] } })
    const answers = Array.from({ length: 60 }, (_, i) => aRecord(target, `10.2.1.${i}`))
    world.servers.lab.behave = (query) =>
      query.transport === 'udp'
        ? query.answer({ tc: true, address: null })
        : query.send(replyTo(query, { answers }))
    const udp = await world.house.lookup(alias)
    assert.is(udp.tc, true)
    const tcp = await world.house.lookup(alias, 'A', { tcp: true })
    assert.equal([tcp.tc, tcp.answers.length], [false, 61])
  })
})

test('many who ask for one alias at once are one question to each owner', async () => {
  await withWorld(async (world) => {
    const [alias, target] = ['hot.default.svc.cluster.local', 'hot.example']
    world.serve('cluster', { [alias]: { answers: [cnameRecord(alias, target)] } })
    world.servers.outside.behave = delayed(100, { address: '192.0.2.5' })
    const replies = await Promise.all(Array.from({ length: 20 }, () => world.house.lookup(alias)))
    for (const reply of replies) assert.equal(told(reply), [`${target}.`, '192.0.2.5'])
    assert.equal([world.timesAsked('cluster', alias), world.timesAsked('outside', target)], [1, 1])
  })
})

test('when zones change, what was joined from their parts is asked anew', async () => {
  await withWorld(async (world) => {
    const [alias, target] = ['moved.default.svc.cluster.local', 'web.moved.example']
    world.serve('cluster', { [alias]: { answers: [cnameRecord(alias, target)] } })
    world.serve('outside', { [target]: { answers: [aRecord(target, '192.0.2.6')] } })
    world.serve('lab', { [target]: { answers: [aRecord(target, '10.2.0.6')] } })
    assert.equal(told(await world.house.lookup(alias)), [`${target}.`, '192.0.2.6'])
    const zones = [{ name: 'moved.example', upstreams: [`127.0.0.1:${world.servers.lab.port}`] }]
    await world.house.daemon.reconfigure(world.house.config({ zones }))
    assert.equal(told(await world.house.lookup(alias)), [`${target}.`, '10.2.0.6'])
  })
})

test.run()
