/*
 * Goal: nothing that an upstream puts into an answer says anything about another name (table of cache effects; DNSpooq,
 * MaginotDNS, CVE-2025-40778). Method: a poisoned answer, then every injected name is asked for: it must be asked of the upstream,
 * and 6.6.6.6 must never be seen.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aRecord, cnameRecord, record, soaRecord } from '../core/support.ts'
import { name } from '../fixtures/packets/octets.ts'
import type { ReadMessage } from '../support/client/dns-message.ts'
import { type Behaviour, delayed, failing } from '../upstream/fake-upstream.ts'
import { House, type Records, replyTo, zone } from './support.ts'

const test = suite<{ house: House }>('e2e/cache-effects')

const forged = '6.6.6.6'

test.before(async (context) => {
  // Hedges are put off: one upstream query is the point of many tests here.
  const exchange = { hedge: { minMs: 2000, maxMs: 2000 } }
  context.house = await House.open({ settings: { external: { exchange }, cluster: { exchange } } })
})

test.after(async ({ house }) => {
  await house.close()
})

const honest = (text: string): Records => ({ answers: [aRecord(text, '10.1.1.1')] })

function use(house: House, names: Readonly<Record<string, Records | Behaviour>>): void {
  house.external.behave = zone(names)
}

function everything(read: ReadMessage): string[] {
  return [...read.answers, ...read.authorities, ...read.additionals].map(
    ({ name: owner, data }) => `${owner} ${data}`,
  )
}

function timesInside(house: House, text: string): number {
  return house.cluster.queries.filter(({ qname }) => qname === text).length
}

/** Asks for a name that was injected: the upstream must be asked, and its own answer given. */
async function isClean(house: House, text: string): Promise<void> {
  const before = house.timesAsked(text)
  const read = await house.lookup(text)
  assert.is(house.timesAsked(text), before + 1, `${text} came from memory`)
  assert.not(
    everything(read).some((line) => line.includes(forged)),
    text,
  )
}

test('an alias to a victim with a forged address poisons the victim for nobody', async ({
  house,
}) => {
  use(house, {
    'trap1.example': {
      answers: [
        cnameRecord('trap1.example', 'victim1.example'),
        aRecord('victim1.example', forged),
      ],
    },
    'victim1.example': honest('victim1.example'),
  })
  // The chain is relayed to whoever asked for it, as by all resolvers that do not re-ask; it is kept under that question alone.
  assert.is((await house.lookup('trap1.example')).answers.length, 2)
  await isClean(house, 'victim1.example')
  assert.is((await house.lookup('victim1.example')).answers[0]?.data, '10.1.1.1')
})

test('an alias into the cluster domain takes no address from outside, but the cluster’s', async ({
  house,
}) => {
  const api = 'kubernetes.default.svc.cluster.local'
  use(house, {
    'trap2.example': { answers: [cnameRecord('trap2.example', api), aRecord(api, forged)] },
  })
  house.cluster.behave = (query) => query.answer({ address: '10.96.0.1' })
  const whole = [`trap2.example. ${api}.`, `${api}. 10.96.0.1`]
  assert.equal(everything(await house.lookup('trap2.example')), whole)
  const before = house.external.queries.length
  assert.is((await house.lookup(api)).answers[0]?.data, '10.96.0.1')
  assert.is(house.external.queries.length, before, 'the cluster’s name was asked for outside')
  assert.equal(everything(await house.lookup('trap2.example')), whole)
  assert.is(timesInside(house, api), 1)
  assert.is(house.timesAsked('trap2.example'), 1, 'the whole is kept')
})

test('many who follow one alias into the cluster are one question outside and one inside', async ({
  house,
}) => {
  const target = 'shared.default.svc.cluster.local'
  use(house, { 'shared.example': { answers: [cnameRecord('shared.example', target)] } })
  house.cluster.behave = (query) => query.answer({ address: '10.96.0.1' })
  // Until a server has answered a second question on a connection, one that is late is asked again on another.
  for (const label of ['one', 'two']) await house.lookup(`${label}.default.svc.cluster.local`)
  house.cluster.behave = delayed(100, { address: '10.96.0.2' })
  const reads = await Promise.all(Array.from({ length: 20 }, () => house.lookup('shared.example')))
  for (const read of reads) {
    assert.equal(everything(read), [`shared.example. ${target}.`, `${target}. 10.96.0.2`])
  }
  assert.is(house.timesAsked('shared.example'), 1)
  assert.is(timesInside(house, target), 1)
})

test('an alias to a name that the cluster denies is denied by the cluster’s word', async ({
  house,
}) => {
  const target = 'denied.default.svc.cluster.local'
  use(house, {
    'inside.example': { answers: [cnameRecord('inside.example', target), aRecord(target, forged)] },
  })
  house.cluster.behave = failing(3)
  const read = await house.lookup('inside.example')
  assert.is(read.rcode, 3)
  assert.equal(everything(read), [`inside.example. ${target}.`])
})

test('an alias into a cluster that does not answer is SERVFAIL', async ({ house }) => {
  const target = 'lost.default.svc.cluster.local'
  use(house, {
    'lost.example': { answers: [cnameRecord('lost.example', target), aRecord(target, forged)] },
  })
  house.cluster.behave = failing(2)
  const read = await house.lookup('lost.example')
  assert.is(read.rcode, 2)
  assert.equal(everything(read), [])
})

test('an address of another name in the answer is stripped', async ({ house }) => {
  use(house, {
    'extra.example': {
      answers: [...(honest('extra.example').answers ?? []), aRecord('victim3.example', forged)],
    },
    'victim3.example': honest('victim3.example'),
  })
  assert.equal(everything(await house.lookup('extra.example')), ['extra.example. 10.1.1.1'])
  await isClean(house, 'victim3.example')
})

test('name servers and glue for the victim and its parent are stripped', async ({ house }) => {
  use(house, {
    'glue.example': {
      ...honest('glue.example'),
      authorities: [
        record('example', 'NS', name('ns.evil')),
        record('victim4.example', 'NS', name('ns.evil')),
      ],
      additionals: [aRecord('ns.evil', forged), aRecord('victim4.example', forged)],
    },
    'victim4.example': honest('victim4.example'),
    'ns.evil': honest('ns.evil'),
  })
  assert.equal(everything(await house.lookup('glue.example')), ['glue.example. 10.1.1.1'])
  await isClean(house, 'victim4.example')
  await isClean(house, 'ns.evil')
})

test('an answer for another name than was asked is no data, for this question and nothing else', async ({
  house,
}) => {
  use(house, {
    'wrong.example': { answers: [aRecord('victim5.example', forged)] },
    'victim5.example': honest('victim5.example'),
  })
  for (let i = 0; i < 2; i++) {
    const read = await house.lookup('wrong.example')
    assert.equal([read.rcode, everything(read)], [0, []])
  }
  await isClean(house, 'victim5.example')
})

test('a DNAME at the parent redirects nothing but the name that was asked', async ({ house }) => {
  use(house, {
    'a.dname.example': {
      answers: [
        record('dname.example', 39, name('evil.test')),
        cnameRecord('a.dname.example', 'a.evil.test'),
        aRecord('a.evil.test', '10.1.1.6'),
      ],
    },
    'b.dname.example': honest('b.dname.example'),
  })
  const read = await house.lookup('a.dname.example')
  assert.equal(
    read.answers.map(({ type }) => type),
    [5, 1],
    'the DNAME is for validators only',
  )
  await isClean(house, 'b.dname.example')
  assert.is((await house.lookup('b.dname.example')).answers[0]?.data, '10.1.1.1')
})

for (const [what, text, of] of [
  ['NODATA without SOA, as of a template that switches AAAA off', 'nosoa1.example', {}],
  ['NXDOMAIN without SOA', 'nosoa2.example', { rcode: 3 }],
  ['SERVFAIL', 'nosoa3.example', { rcode: 2 }],
] as const) {
  test(`twenty look-ups, one after another and at once, that get ${what} are one question`, async ({
    house,
  }) => {
    const wanted = 'rcode' in of ? of.rcode : 0
    use(house, { [text]: (query) => query.after(20, () => query.send(replyTo(query, of))) })
    const ask = async () => assert.is((await house.lookup(text, 'AAAA')).rcode, wanted)
    await Promise.all(Array.from({ length: 20 }, ask))
    for (let i = 0; i < 20; i++) await ask()
    // One resolver is asked a second time for what it could not answer.
    assert.ok(house.timesAsked(text) <= (wanted === 2 ? 2 : 1), `${house.timesAsked(text)} times`)
  })
}

test('NXDOMAIN with the SOA of another tree holds for the question alone, and without that SOA', async ({
  house,
}) => {
  const forgedSoa = { rcode: 3, authorities: [soaRecord('evil.test', 86_400)] }
  use(house, { 'nxvict.example': forgedSoa, 'a.nxvict.example': honest('a.nxvict.example') })
  for (let i = 0; i < 2; i++) {
    const read = await house.lookup('nxvict.example')
    assert.equal([read.rcode, read.authorities], [3, []])
  }
  assert.is(house.timesAsked('nxvict.example'), 1)
  await isClean(house, 'a.nxvict.example')
})

for (const [what, ttl] of [
  ['2^31 + 5', 0x8000_0005],
  ['2^32 - 1', 0xffff_ffff],
] as const) {
  test(`a TTL of ${what} reaches the client as 0 and is not remembered`, async ({ house }) => {
    const text = `ttl${ttl}.example`
    use(house, { [text]: { answers: [aRecord(text, '10.1.1.1', ttl)] } })
    assert.equal(
      (await house.lookup(text)).answers.map((answer) => answer.ttl),
      [0],
    )
    await isClean(house, text)
  })
}

test('a TTL of 2^31 - 1 is cut to the limit of the zone', async ({ house }) => {
  use(house, { 'ttl.example': { answers: [aRecord('ttl.example', '10.1.1.1', 0x7fff_ffff)] } })
  assert.equal(
    (await house.lookup('ttl.example')).answers.map(({ ttl }) => ttl),
    [30],
  )
})

test('TTL 0 answers all who wait, and nobody later', async ({ house }) => {
  house.external.behave = (query) => query.after(80, () => query.answer({ ttl: 0 }))
  const replies = await Promise.all(Array.from({ length: 20 }, () => house.lookup('zero.example')))
  assert.ok(
    replies.every((read) => read.answers[0]?.data === '10.9.8.7' && read.answers[0].ttl === 0),
  )
  assert.is(house.timesAsked('zero.example'), 1)
  await house.lookup('zero.example')
  assert.is(house.timesAsked('zero.example'), 2)
})

test('a name that is NXDOMAIN for A has its AAAA and TXT, and the other way round', async ({
  house,
}) => {
  for (const denied of ['A', 'AAAA', 'TXT'] as const) {
    const text = `partly-${denied.toLowerCase()}.example`
    const all = {
      A: { answers: [aRecord(text, '10.1.1.1')] },
      AAAA: { answers: [record(text, 'AAAA', Buffer.alloc(16, 1))] },
      TXT: { answers: [record(text, 'TXT', Buffer.from([1, 120]))] },
    }
    const denial = { rcode: 3, authorities: [soaRecord('example', 30)] }
    house.external.behave = (query) => {
      const asked = query.message.readUInt16BE(query.questionEnd - 4)
      const type = asked === 1 ? 'A' : asked === 28 ? 'AAAA' : 'TXT'
      zone({ [text]: type === denied ? denial : all[type] })(query)
    }
    for (let round = 0; round < 2; round++) {
      for (const type of ['A', 'AAAA', 'TXT'] as const) {
        const read = await house.lookup(text, type)
        const expected = type === denied ? [3, 0] : [0, 1]
        assert.equal([read.rcode, read.answers.length], expected, `${type} of ${text}`)
      }
    }
    assert.is(house.timesAsked(text), 3, 'each type once')
  }
})

for (const [what, of, label] of [
  ['SERVFAIL', { rcode: 2 }, 'servfail'],
  ['REFUSED', { rcode: 5 }, 'refused'],
  ["somebody else's NXDOMAIN", { rcode: 3, authorities: [soaRecord('cluster.local')] }, 'nx'],
  ['NXDOMAIN without SOA', { rcode: 3 }, 'bare'],
] as const) {
  test(`in the cluster ${what} for A leaves the AAAA of the name, and is not asked for at each look-up`, async ({
    house,
  }) => {
    const text = `${label}.shop.svc.cluster.local`
    const asked = { a: 0, aaaa: 0 }
    house.cluster.behave = (query) => {
      const isA = query.message.readUInt16BE(query.questionEnd - 4) === 1
      asked[isA ? 'a' : 'aaaa'] += 1
      const data = { answers: [record(text, 'AAAA', Buffer.alloc(16, 1))] }
      query.send(replyTo(query, isA ? of : data))
    }
    for (let i = 0; i < 10; i++) {
      const [a, aaaa] = await Promise.all([house.lookup(text), house.lookup(text, 'AAAA')])
      assert.equal([a.rcode, aaaa.rcode, aaaa.answers.length], [of.rcode, 0, 1])
    }
    assert.is(asked.aaaa, 1)
    // An NXDOMAIN from before the AAAA was seen is dropped once; a failure is asked again after a second.
    assert.ok(asked.a <= 3, `${asked.a} times`)
  })
}

test('a name that is made after its NXDOMAIN is seen when that has expired, within 5 s in the cluster', async ({
  house,
}) => {
  const text = 'new.shop.svc.cluster.local'
  house.cluster.behave = zone({
    [text]: { rcode: 3, authorities: [soaRecord('cluster.local', 1)] },
  })
  assert.is((await house.lookup(text)).rcode, 3)
  house.cluster.behave = zone({ [text]: honest(text) })
  await new Promise((resolve) => setTimeout(resolve, 1050))
  assert.is((await house.lookup(text)).answers[0]?.data, '10.1.1.1')
  house.cluster.behave = zone({
    'x.svc.cluster.local': { rcode: 3, authorities: [soaRecord('cluster.local', 600)] },
  })
  assert.equal(
    (await house.lookup('x.svc.cluster.local')).authorities.map(({ ttl }) => ttl),
    [5],
  )
})

test('cluster names go over TCP to the cluster’s server and nowhere else', async ({ house }) => {
  house.cluster.behave = (query) => query.answer()
  const before = house.external.queries.length
  for (const text of [
    'a.svc.cluster.local',
    '7.0.0.10.in-addr.arpa',
    '1.ip6.arpa',
    'CLUSTER.local',
  ]) {
    assert.is((await house.lookup(text)).answers[0]?.data, '10.9.8.7')
  }
  assert.is(house.external.queries.length, before)
  assert.ok(house.cluster.queries.every(({ transport }) => transport === 'tcp'))
  assert.ok(house.cluster.queries.every(({ qname }) => qname === qname.toLowerCase()))
})

test.run()
