/*
 * Goal: what an upstream says is passed on, kept, cut down or thrown away for the right reasons. Method: one response each, what
 * the waiting client gets, and what the next one finds.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../src/core/facts.ts'
import { Ede } from '../../src/wire/constants.ts'
import { presentName } from '../../src/wire/name.ts'
import { name, octets } from '../fixtures/packets/octets.ts'
import { readMessage, type TypeName } from '../support/client/dns-message.ts'
import {
  aRecord,
  Core,
  cacheSettings,
  cnameRecord,
  data,
  type ResponseOptions,
  record,
  responseTo,
  scanned,
  soaRecord,
  ttlLimits,
  ttls,
  zoneRoute,
  zones,
} from './support.ts'

const test = suite('core/settlement')

const www = 'www.example'
const inCluster = 'api.shop.svc.cluster.local'
const ns = record('example', 'NS', name('ns.evil'))
const glue = aRecord('ns.evil', '6.6.6.6')

test('the answer’s chain is passed on and kept; forged records beside it are neither', () => {
  const core = new Core()
  const of: ResponseOptions = {
    answers: [
      cnameRecord(www, 'o.example'),
      aRecord('o.example', '10.0.0.1'),
      aRecord('victim.example', '6.6.6.6'),
    ],
    authorities: [ns],
    additionals: [glue],
  }
  const settled = core.learn(www, 'A', of)
  assert.equal(data(settled.reply), ['o.example.', '10.0.0.1'])
  assert.equal([settled.reply.authorities, settled.reply.additionals], [[], []])
  assert.equal(data(core.ask(www).reply), ['o.example.', '10.0.0.1'])
  for (const other of ['victim.example', 'o.example', 'ns.evil', 'example']) {
    assert.ok(core.ask(other).starts, other)
  }
})

test('in a zone that keeps nothing each question is asked, and its clients get the TTLs as they are', () => {
  const ttl = { ...ttlLimits, positiveMaxSeconds: 86_400, keep: false }
  const core = new Core({ zones: [zoneRoute('.', { ttl })] })
  const of = { answers: [aRecord(www, '10.0.0.1', 3000)] }
  assert.equal(ttls(core.learn(www, 'A', of).reply), [3000])
  assert.ok(core.ask(www).starts)
})

test('from CoreDNS authority and additional records are passed on', () => {
  const core = new Core()
  const srv = record(inCluster, 'SRV', octets(0, 0, 0, 100, 0, 80, name('p.cluster.local')))
  const of = {
    answers: [srv],
    authorities: [record('cluster.local', 'NS', name('ns.cluster.local'))],
    additionals: [aRecord('p.cluster.local', '10.0.0.1')],
  }
  const { ticket } = core.ask(inCluster, 'SRV')
  core.answer(ticket, responseTo(inCluster, 'SRV', of))
  const { reply } = core.ask(inCluster, 'SRV')
  assert.equal(
    [reply?.answers.length, reply?.authorities.length, reply?.additionals.length],
    [1, 1, 1],
  )
})

test('each record keeps its own TTL and ages from it', () => {
  const core = new Core()
  core.learn(www, 'A', {
    answers: [cnameRecord(www, 'o.example', 200), aRecord('o.example', '10.0.0.1', 50)],
  })
  core.later(20)
  assert.equal(ttls(core.ask(www).reply), [180, 30])
  core.later(30)
  assert.ok(core.ask(www).starts, 'as long as the shortest')
})

const bareDenials = [
  ['NXDOMAIN without SOA', { rcode: 3 }],
  ['NXDOMAIN with the SOA of another tree', { rcode: 3, authorities: [soaRecord('evil.test')] }],
  ['NODATA without SOA', {}],
  ['NODATA with the SOA of another tree', { authorities: [soaRecord('evil.test')] }],
  ['NXDOMAIN behind an alias', { rcode: 3, answers: [cnameRecord(www, 'o.example')] }],
  ['an answer for another name', { answers: [aRecord('o.example', '6.6.6.6')] }],
  ['another type', { answers: [record(www, 'TXT', octets(1, 'x'))] }],
  [
    'NXDOMAIN behind an alias, with the SOA of the alias alone',
    { rcode: 3, answers: [cnameRecord(www, 'o.test')], authorities: [soaRecord('example')] },
  ],
] as const satisfies readonly (readonly [string, ResponseOptions])[]

for (const [what, of] of bareDenials) {
  test(`${what} is kept for this question and for five seconds`, () => {
    const core = new Core()
    const settled = core.learn(www, 'A', of)
    core.later(4.9)
    const { reply, source } = core.ask(www)
    assert.is(source, ReplySource.cacheDenial)
    for (const told of [settled.reply, reply]) {
      assert.is(told?.rcode, 'rcode' in of ? of.rcode : 0)
      assert.not(data(told).includes('6.6.6.6'))
      // No SOA: a cache of the client's does not learn how long to believe it (RFC 2308 5).
      assert.equal(told?.authorities, [])
    }
    assert.ok(core.ask(www, 'AAAA').starts)
    assert.ok(core.ask('o.example').starts)
    core.later(0.1)
    assert.ok(core.ask(www).starts)
  })

  test(`${what} is passed on and not kept where the setting says 0 seconds`, () => {
    const core = new Core({ cache: { noSoaSeconds: 0 } })
    core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 1)] })
    core.later(2)
    core.learn(www, 'A', of)
    const { starts, hasStale } = core.ask(www)
    assert.equal([starts, hasStale], [true, false], 'nor does it leave what it has disproved')
  })
}

test('a denial without SOA lives no longer than the limit of its zone, nor than its alias', () => {
  const core = new Core({ cache: { noSoaSeconds: 60 } })
  core.learn(inCluster, 'AAAA', {})
  core.learn(www, 'A', { rcode: 3, answers: [cnameRecord(www, 'o.example', 20)] })
  core.later(4.9)
  assert.is(core.ask(inCluster, 'AAAA').source, ReplySource.cacheDenial)
  core.later(0.1)
  assert.ok(core.ask(inCluster, 'AAAA').starts)
  assert.is(core.ask(www).source, ReplySource.cacheDenial)
  core.later(15)
  assert.ok(core.ask(www).starts)
})

test('a denial without SOA ends an expired answer', () => {
  const core = new Core()
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 1)] })
  core.later(2)
  core.learn(www, 'A', {})
  core.later(6)
  assert.equal(data(core.fail(core.ask(www).ticket).reply), [])
})

test('an SOA of another tree is not shown as if it belonged to the denial', () => {
  const settled = new Core().learn(www, 'A', {
    rcode: 3,
    authorities: [soaRecord('evil.test'), ns],
  })
  assert.equal(settled.reply.authorities, [])
})

test('a negative answer lives for the smaller of SOA TTL and MINIMUM', () => {
  const core = new Core()
  const settled = core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example', 50, 10)] })
  assert.equal(ttls(settled.reply), [10])
  core.later(9)
  assert.equal(ttls(core.ask(www).reply), [1])
  core.later(1)
  assert.ok(core.ask(www).starts)
})

test('a denial of a cluster name lives for 5 s at most', () => {
  const core = new Core()
  core.learn(inCluster, 'A', { rcode: 3, authorities: [soaRecord('cluster.local', 30)] })
  core.later(4.9)
  assert.is(core.ask(inCluster).reply?.rcode, 3)
  core.later(0.1)
  assert.ok(core.ask(inCluster).starts)
})

test('NXDOMAIN behind an alias is about the alias’s question only', () => {
  const core = new Core()
  const settled = core.learn(www, 'A', {
    rcode: 3,
    answers: [cnameRecord(www, 'gone.example')],
    authorities: [soaRecord('example', 20)],
  })
  assert.equal([settled.reply.rcode, data(settled.reply)], [3, ['gone.example.']])
  assert.is(core.ask(www).reply?.rcode, 3)
  assert.ok(core.ask(www, 'TXT').starts)
  assert.ok(core.ask('gone.example').starts)
})

/** The first part of an answer that leads elsewhere: its records, where it leads, and whether all of it is kept at hand. */
function headOf(core: Core, qname: string, type: TypeName, of: ResponseOptions) {
  const { ticket } = core.ask(qname, type)
  if (ticket === undefined) throw new Error('not asked')
  const reply = responseTo(qname, type, of)
  const answer = { kind: 'answer', reply, scan: scanned(reply), upstream: 'test' } as const
  core.inFlight.close(ticket)
  const { image, head } = core.settler.settle(ticket, answer, core.nowMs)
  assert.is(image, undefined)
  if (head === undefined) throw new Error('it leads nowhere')
  const leadsTo = presentName(Buffer.from(head.leadsTo, 'latin1'), 0)
  const read = readMessage(head.image)
  return { read, data: data(read), leadsTo, whole: head.whole && data(readMessage(head.whole)) }
}

for (const [what, rcode] of [
  ['an address', 0],
  ['NXDOMAIN', 3],
  ['SERVFAIL', 2],
  ['REFUSED', 5],
] as const) {
  test(`${what} for another owner’s name behind an alias is cut off, and nothing is kept`, () => {
    for (const [qname, target] of [
      [www, inCluster],
      [www, 'db.corp.example'],
      ['db.corp.example', inCluster],
      [inCluster, 'db.corp.example'],
    ] as const) {
      const core = new Core()
      const {
        read,
        data: told,
        leadsTo,
        whole,
      } = headOf(core, qname, 'A', {
        rcode,
        answers: [cnameRecord(qname, target), aRecord(target, '6.6.6.6')],
        authorities: [soaRecord('.', 30)],
      })
      assert.equal([read.rcode, told, leadsTo], [0, [`${target}.`], `${target}.`])
      assert.equal([read.authorities, whole], [[], undefined])
      assert.ok(core.ask(qname).starts)
      assert.ok(core.ask(target).starts)
    }
  })
}

test('reverse names that the cluster answers are not taken from outside either', () => {
  const core = new Core({ zones: [...zones, zoneRoute('in-addr.arpa.', { isCluster: true })] })
  const head = headOf(core, www, 'PTR', {
    answers: [
      cnameRecord(www, '1.0.0.10.in-addr.arpa'),
      record('1.0.0.10.in-addr.arpa', 'PTR', name('evil')),
    ],
  })
  assert.equal(head.data, ['1.0.0.10.in-addr.arpa.'])
})

test('what comes with an alias that leads outside is kept at hand, unless it leads on to others', () => {
  const inside = cnameRecord(inCluster, www, 5)
  const address = aRecord(www, '192.0.2.1', 30)
  const elsewhere = [cnameRecord(www, 'db.corp.example'), aRecord('db.corp.example', '6.6.6.6')]
  for (const [answers, whole] of [
    [
      [inside, address],
      [`${www}.`, '192.0.2.1'],
    ],
    [[inside], undefined],
    [[inside, ...elsewhere], undefined],
  ] as const) {
    const head = headOf(new Core(), inCluster, 'A', { answers })
    assert.equal([head.leadsTo, head.data, head.whole], [`${www}.`, [`${www}.`], whole])
  }
})

test('an alias that its server has not looked behind leads on, and stands where nobody can be asked', () => {
  const bare = { answers: [cnameRecord(www, 'o.example', 20)] }
  const head = headOf(new Core(), www, 'AAAA', bare)
  assert.equal(
    [head.data, head.leadsTo, head.whole],
    [['o.example.'], 'o.example.', ['o.example.']],
  )
  for (const of of [
    { ...bare, rcode: 3 },
    { ...bare, authorities: [soaRecord('example')] },
    { ...bare, flags: 0x0200 },
  ])
    assert.equal(data(new Core().learn(www, 'AAAA', of).reply), ['o.example.'])
  const inside = { answers: [cnameRecord(inCluster, 'b.shop.svc.cluster.local')] }
  assert.is(data(new Core().learn(inCluster, 'AAAA', inside).reply).length, 1, 'CoreDNS has looked')
})

test('an alias to a name that is answered here leads there', () => {
  const claims = (of: Uint8Array, bytes: number) =>
    Buffer.from(of.subarray(0, bytes)).equals(name('localhost'))
  const core = new Core({
    local: [
      {
        name: 'here',
        judge: () => undefined,
        commit: () => true,
        foretell: () => ({ kind: 'pass', why: '' }),
        claims,
      },
    ],
  })
  const of = { answers: [cnameRecord(www, 'localhost'), aRecord('localhost', '6.6.6.6')] }
  const head = headOf(core, www, 'A', of)
  assert.equal([head.data, head.leadsTo, head.whole], [['localhost.'], 'localhost.', undefined])
})

test('a loop of aliases is SERVFAIL, remembered as a failure', () => {
  const core = new Core()
  const settled = core.learn(www, 'A', {
    answers: [cnameRecord(www, 'b.example'), cnameRecord('b.example', www)],
  })
  assert.equal([settled.reply.rcode, settled.ede], [2, Ede.networkError])
  assert.is(core.ask(www).source, ReplySource.failureCache)
})

test('a response with TC reaches the client with TC and what it has, within the limits, and is not kept', () => {
  const core = new Core()
  const answers = [aRecord(www, '10.0.0.1', 900_000)]
  const settled = core.learn(www, 'A', { flags: 0x0200, answers })
  assert.equal(
    [settled.reply.rcode, settled.reply.tc, data(settled.reply)],
    [0, true, ['10.0.0.1']],
  )
  assert.ok((settled.reply.answers[0]?.ttl ?? 900_000) < 900_000)
  assert.ok(core.ask(www).starts)
})

test('expired data go before half an answer, an expired denial does not', () => {
  for (const [known, told] of [
    [{ answers: [aRecord(www, '10.0.0.1', 1)] }, [false, ['10.0.0.1']]],
    [{ rcode: 3, authorities: [soaRecord('example', 1)] }, [true, ['10.0.0.2']]],
  ] as const) {
    const core = new Core()
    core.learn(www, 'A', known)
    core.later(2)
    const cut = { flags: 0x0200, answers: [aRecord(www, '10.0.0.2')] }
    const { reply } = core.learn(www, 'A', cut)
    assert.equal([reply.tc, data(reply)], told)
  }
})

test('an alias to another owner’s name needs nothing of the rest that TC speaks of', () => {
  const answers = [cnameRecord(www, inCluster)]
  const head = headOf(new Core(), www, 'A', { flags: 0x0200, answers })
  assert.equal([head.read.tc, head.data], [false, [`${inCluster}.`]])
  const half = [cnameRecord(inCluster, www), aRecord(www, '192.0.2.1')]
  assert.is(headOf(new Core(), inCluster, 'A', { flags: 0x0200, answers: half }).whole, undefined)
})

for (const [what, of, rcode] of [
  ['SERVFAIL', { rcode: 2 }, 2],
  ['REFUSED', { rcode: 5 }, 5],
  ['YXDOMAIN', { rcode: 6 }, 6],
  ['FORMERR', { rcode: 1 }, 2],
  ['NOTIMP', { rcode: 4 }, 2],
  ['NOTAUTH', { rcode: 9 }, 2],
  ['BADVERS', { extendedRcode: 1 }, 2],
  ['BADCOOKIE', { rcode: 7, extendedRcode: 1 }, 2],
] as const) {
  test(`${what} reaches the client as ${rcode}, without records`, () => {
    const core = new Core()
    const settled = core.learn(www, 'A', {
      ...of,
      answers: [aRecord(www, '6.6.6.6')],
      authorities: [soaRecord('example')],
    })
    assert.equal(
      [settled.reply.rcode, settled.reply.answers, settled.reply.authorities],
      [rcode, [], []],
    )
  })
}

test('a referral is no NODATA: SERVFAIL that says that nobody knew the zone', () => {
  const settled = new Core().learn(www, 'A', { authorities: [ns], additionals: [glue] })
  assert.equal(
    [settled.reply.rcode, settled.reply.authorities, settled.ede, settled.source],
    [2, [], Ede.noReachableAuthority, ReplySource.failed],
  )
})

test('only the answers of the cluster’s DNS keep the AA bit', () => {
  for (const [host, aa] of [
    [inCluster, true],
    [www, false],
    ['www.corp.example', false],
  ] as const) {
    const core = new Core()
    const of = { flags: 0x0400, answers: [aRecord(host, '10.0.0.1')] }
    assert.is(core.learn(host, 'A', of).reply.aa, aa, host)
    assert.is(core.ask(host).reply?.aa, aa, `${host} from the cache`)
  }
})

test('silence and unreachable upstreams are told apart from bad answers', () => {
  for (const [why, ede] of [
    ['timeout', Ede.noReachableAuthority],
    ['unreachable', Ede.noReachableAuthority],
    ['malformed', Ede.networkError],
  ] as const) {
    const core = new Core()
    const settled = core.fail(core.ask(www).ticket, why)
    assert.equal([settled.reply.rcode, settled.ede, settled.source], [2, ede, ReplySource.failed])
  }
})

test('an expired answer is held back as long as the name needs: shortly where CoreDNS knows it itself', () => {
  const own = { isCluster: true, mayRecurse: false }
  const core = new Core({
    zones: [
      zoneRoute('cluster.local.', own),
      zoneRoute('in-addr.arpa.', { isCluster: true }),
      zoneRoute('.'),
    ],
  })
  const { clientTimeoutMs, clusterClientTimeoutMs } = cacheSettings.serveStale
  const target = 'db.shop.svc.cluster.local'
  const external = [cnameRecord(inCluster, target), aRecord(target, '10.0.0.2')]
  const soa = { authorities: [soaRecord('cluster.local')] }
  const reverse = '1.2.0.192.in-addr.arpa'
  const rows = [
    ['outside', www, 'A', { answers: [aRecord(www, '192.0.2.1')] }, clientTimeoutMs],
    ['of a Service', inCluster, 'A', { answers: [aRecord(inCluster, '10.0.0.1')] }, 0],
    ['without data', inCluster, 'AAAA', soa, clientTimeoutMs],
    ['the alias itself', inCluster, 'CNAME', { answers: external.slice(0, 1) }, 0],
    ['ExternalName', inCluster, 'A', { answers: external }, clientTimeoutMs],
    ['ExternalName', inCluster, 'AAAA', { ...soa, answers: [external[0] ?? ns] }, clientTimeoutMs],
    ['reverse', reverse, 'PTR', { answers: [record(reverse, 'PTR', name(www))] }, clientTimeoutMs],
  ] as const
  for (const [what, qname, type, of, wantedMs] of rows) {
    core.later(600)
    core.learn(qname, type, of)
    core.later(400)
    const { entry } = core.ask(qname, type).ticket ?? {}
    assert.ok(entry !== undefined)
    assert.is(core.settler.holdBackMs(entry), wantedMs || clusterClientTimeoutMs, `${what} ${type}`)
  }
})

const overDenials = { ...cacheSettings.serveStale, overDenials: true }

/** An answer that expired `expiredForSeconds` ago. */
function afterOutage(qname: string, serveStale = overDenials, expiredForSeconds = 60): Core {
  const core = new Core({ cache: { serveStale } })
  core.learn(qname, 'A', { answers: [aRecord(qname, '10.0.0.1', 20)] })
  core.later(20 + expiredForSeconds)
  return core
}

const denials = [...bareDenials.map(([, of]) => of), { rcode: 3, authorities: [soaRecord('.')] }]

test('asked for, expired data outside the cluster go before every form of denial, and say that they are stale', () => {
  for (const of of [...denials, { authorities: [soaRecord('example')] }]) {
    const core = afterOutage(www)
    const told = core.learn(www, 'A', of)
    assert.equal([told.source, told.ede], [ReplySource.stale, Ede.staleAnswer])
    assert.equal([data(told.reply), ttls(told.reply)], [['10.0.0.1'], [30]])
    assert.is(core.cache.stats.passedOver, 1)
  }
})

test('over denials expired data are given at once for five seconds, then upstreams are asked again, and data end it', () => {
  const core = afterOutage(www)
  core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example', 3600)] })
  core.later(4.9)
  const { reply, source, ede } = core.ask(www)
  assert.equal([data(reply), source, ede], [['10.0.0.1'], ReplySource.stale, Ede.staleAnswer])
  core.later(0.1)
  const { starts, hasStale, ticket } = core.ask(www)
  assert.equal([starts, hasStale], [true, true])
  core.answer(ticket, responseTo(www, 'A', { answers: [aRecord(www, '10.0.0.2', 20)] }))
  assert.equal(data(core.ask(www).reply), ['10.0.0.2'])
})

test('a reply cut to nothing is no denial', () => {
  const core = afterOutage(www)
  const { reply, source } = core.learn(www, 'A', { flags: 0x0200 })
  assert.equal([reply.tc, reply.answers.length, source], [false, 1, ReplySource.stale])
  assert.is(core.cache.stats.passedOver, 0)
})

test('over denials nothing is given that has been expired for longer than settings allow', () => {
  const { stalenessMaxSeconds } = overDenials
  const core = afterOutage(www, overDenials, stalenessMaxSeconds - 1)
  assert.equal(data(core.learn(www, 'A', { rcode: 3 }).reply), ['10.0.0.1'])
  core.later(1)
  const told = core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example')] })
  assert.equal([told.reply.rcode, data(told.reply)], [3, []])
  assert.is(core.ask(www).source, ReplySource.cacheDenial)
})

test('an answer that a refresh finds denied keeps its own time first', () => {
  const core = new Core({ cache: { serveStale: overDenials } })
  core.learn(www, 'A', { answers: [aRecord(www, '10.0.0.1', 100)] })
  core.ask(www)
  core.later(91)
  const { ticket } = core.ask(www)
  core.answer(ticket, responseTo(www, 'A', { rcode: 3, authorities: [soaRecord('example')] }))
  const { reply, source, ede } = core.ask(www)
  assert.equal([data(reply), source, ede], [['10.0.0.1'], ReplySource.cacheSuccess, -1])
  assert.equal(ttls(reply), [9])
})

for (const [what, core] of [
  ['by default', afterOutage(www, cacheSettings.serveStale)],
  ['where stale data are off', afterOutage(www, { ...overDenials, enabled: false })],
] as const) {
  test(`${what} a denial ends expired data`, () => {
    const told = core.learn(www, 'A', { rcode: 3, authorities: [soaRecord('example', 20)] })
    assert.equal([told.reply.rcode, data(told.reply)], [3, []])
    assert.is(core.cache.stats.passedOver, 0)
  })
}

test('over denials has no part in the cluster, nor for expired denials and other types', () => {
  const core = afterOutage(inCluster)
  const soa = { authorities: [soaRecord('cluster.local', 5)] }
  assert.is(core.learn(inCluster, 'A', { rcode: 3, ...soa }).reply.rcode, 3)
  assert.is(core.ask(inCluster).reply?.rcode, 3)
  const outside = afterOutage(www)
  outside.learn(www, 'TXT', { authorities: [soaRecord('example', 5)] })
  outside.later(6)
  const gone = { rcode: 3, authorities: [soaRecord('example', 5)] }
  assert.is(outside.learn(www, 'TXT', gone).reply.rcode, 3)
  assert.is(outside.learn(www, 'AAAA', gone).reply.rcode, 3)
  assert.is(outside.cache.stats.passedOver, 0)
})

test('AD is cleared unless the upstream is trusted to validate', () => {
  const of = { flags: 0x20, answers: [aRecord(www, '10.0.0.1')] }
  const plain = new Core()
  plain.learn(www, 'A', of)
  assert.not(plain.ask(www, 'A', { ad: true }).reply?.ad)
  const trusting = new Core({ zones: [zoneRoute('.', { trustAd: true })] })
  trusting.learn(www, 'A', of)
  assert.ok(trusting.ask(www, 'A', { ad: true }).reply?.ad)
  assert.not(trusting.ask(www, 'A').reply?.ad)
})

test('a record of an unknown type comes through octet by octet', () => {
  const odd = octets(0xc0, 0xff, 0, 'opaque', 0xff)
  const core = new Core()
  const { ticket } = core.ask(www, 65280)
  core.answer(ticket, responseTo(www, 65280, { answers: [record(www, 65280, odd)] }))
  assert.equal(data(core.ask(www, 65280).reply), [odd.toString('hex')])
})

test('what is kept does not change when the receive buffer is used again', () => {
  const core = new Core()
  const response = responseTo(www, 'A', { answers: [aRecord(www, '10.0.0.1')] })
  core.answer(core.ask(www).ticket, response)
  response.fill(0xee)
  assert.equal(data(core.ask(www).reply), ['10.0.0.1'])
})

test('the largest answer is kept and comes back whole', () => {
  const core = new Core({ cache: { bytesMax: 33_554_432, entriesMax: 50_000 } })
  const texts = Array.from({ length: 230 }, (_, i) =>
    record(www, 'TXT', octets(255, Buffer.alloc(255, i & 0xff))),
  )
  core.learn(www, 'TXT', { answers: texts })
  assert.is(core.ask(www, 'TXT').reply?.answers.length, 230)
})

test.run()
