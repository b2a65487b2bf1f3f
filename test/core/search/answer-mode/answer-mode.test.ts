/*
 * Goal: answer mode answers when all of its conditions hold, for A and AAAA alike, and whenever one does not, a client gets what
 * it would get without it. Method: the pipeline with a described namespace, before a made-up CoreDNS and outside world.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SearchList } from '../../../../src/core/search/answer-mode/lists.ts'
import { name } from '../../../fixtures/packets/octets.ts'
import { Random } from '../../../fuzz/random.ts'
import { Client } from '../../../pipeline/support.ts'
import type { ReadMessage } from '../../../support/client/dns-message.ts'
import { SearchBench, type SearchBenchOptions } from '../support.ts'

const test = suite('search-answers')

const suffixes = ['team-0.svc.cluster.local', 'svc.cluster.local', 'cluster.local']
const pod = '10.244.0.7'

function listOf(domains: readonly string[], ndots = 5): SearchList {
  return { suffixes: domains.map((domain) => name(domain).toString('latin1')), ndots }
}

interface Setup {
  readonly domains?: readonly string[]
  readonly ndots?: number
  readonly trust?: 'declared' | 'cautious'
}

/** CoreDNS is known, and so is that `com` is no Service and no namespace; the outside world has `www.example.com`. */
function started({ domains = suffixes, ndots, trust = 'declared' }: Setup = {}): SearchBench {
  const options: SearchBenchOptions = {
    settings: { trust },
    stage: {
      lists: {
        namespaces: new Set(['\x06team-0']),
        find: (_, client) => (client === pod ? listOf(domains, ndots) : undefined),
      },
    },
  }
  const bench = new SearchBench(options)
  bench.saysOf.set('team-0.svc.cluster.local.', {})
  bench.says.set('example.com.', { a: '192.0.2.1', aaaa: '2001:db8::1' })
  bench.says.set('v4.com.', { a: '192.0.2.4' })
  bench.ask('first.org.cluster.local', 'A', other)
  for (const suffix of suffixes) {
    bench.ask(`warm.com.${suffix}`, 'A', other)
    bench.ask(`again.com.${suffix}`, 'A', other)
    bench.ask(`x.y.com.${suffix}`, 'A', other)
  }
  bench.takeAsked()
  return bench
}

/** As the tests' own decoder writes 2001:db8::1. */
const v6 = '2001:0db8:0000:0000:0000:0000:0000:0001'
const other = new Client({ host: '10.244.9.9' })
const first = (label: string) => `${label}.team-0.svc.cluster.local`

function told(reply: ReadMessage | undefined): string {
  if (reply === undefined) return 'nothing'
  const records = [...reply.answers, ...reply.authorities].map(({ data }) => data.split(' ')[0])
  return [reply.rcode, ...records].join(' ')
}

const answered = (bench: SearchBench) => bench.stage?.answerMode?.answered ?? 0
const fallbacks = (bench: SearchBench) => {
  const counted = Object.entries(bench.stage?.answerMode?.fallbacks ?? {})
  return counted.filter(([, count]) => count > 0).map(([reason]) => reason)
}

test('the first question gets the alias, and both families of the absolute name', () => {
  const bench = started()
  const [a, aaaa] = bench.pair(first('example.com'))
  assert.is(told(a), '0 example.com. 192.0.2.1')
  assert.is(told(aaaa), `0 example.com. ${v6}`)
  assert.equal(
    a?.answers.map((record) => record.name),
    ['example.com.team-0.svc.cluster.local.', 'example.com.'],
  )
  const ttls = [...(a?.answers ?? []), ...(aaaa?.answers ?? [])].map(({ ttl }) => ttl)
  assert.ok(Math.max(...ttls) <= 5, `TTLs ${ttls.join(' ')}`)
  assert.equal([a?.aa, a?.ra, a?.ad], [false, true, false])
})

test('a family without data is NODATA behind the alias, with a short-lived SOA', () => {
  const bench = started()
  const [a, aaaa] = bench.pair(first('v4.com'))
  assert.is(told(a), '0 v4.com. 192.0.2.4')
  assert.equal([aaaa?.rcode, aaaa?.answers.length, aaaa?.authorities.length], [0, 1, 1])
  assert.ok((aaaa?.authorities[0]?.ttl ?? 99) <= 5)
  assert.is(aaaa?.authorities[0]?.type, 6)
})

test('nothing more is asked while the answer lasts, and the TTL counts down', () => {
  const bench = started()
  bench.pair(first('example.com'))
  bench.takeAsked()
  bench.later(2)
  const [a] = bench.pair(first('example.com'))
  assert.equal(bench.takeAsked(), [])
  assert.is(told(a), '0 example.com. 192.0.2.1')
  assert.ok((a?.answers[0]?.ttl ?? 99) <= 2)
})

test('both halves wait until all is known', () => {
  const bench = started()
  bench.isHolding = true
  const client = new Client()
  assert.equal(bench.pair(first('example.com'), client), [])
  bench.answerAll()
  assert.equal(client.got.map(told).toSorted(), [
    '0 example.com. 192.0.2.1',
    `0 example.com. ${v6}`,
  ])
})

const walks: Readonly<Record<string, (bench: SearchBench) => readonly [string, Client?]>> = {
  'the client is not known': () => [first('example.com'), other],
  'the namespace is another': () => ['example.com.team-1.svc.cluster.local'],
  'the name does not look public': () => [first('example.internal')],
  'the absolute name does not exist': () => [first('nosuch.com')],
  'the absolute name cannot be resolved': (bench) => {
    bench.says.set('example.com.', 'servfail')
    return [first('example.com')]
  },
  'the absolute name has neither family': (bench) => {
    bench.says.set('example.com.', {})
    return [first('example.com')]
  },
  'a later search domain has the name': (bench) => {
    bench.says.set('com.svc.cluster.local.', {})
    bench.says.set('example.com.svc.cluster.local.', { a: '10.96.0.5' })
    bench.later(6)
    return [first('example.com')]
  },
}

for (const [title, prepare] of Object.entries(walks)) {
  test(`the client walks when ${title}`, () => {
    const bench = started()
    const [qname, client] = prepare(bench)
    const replies = bench.pair(qname, client)
    assert.equal(
      replies.map((reply) => reply?.rcode),
      [3, 3],
    )
    assert.is(answered(bench), 0)
  })
}

test('a name with ndots dots is asked as it is first, and so never answered', () => {
  const bench = started({ ndots: 1 })
  assert.is(bench.rcode(first('example.com')), 3)
  assert.is(answered(bench), 0)
})

test('DO and CD, and types other than A and AAAA, are not answered', () => {
  const bench = started()
  const client = new Client()
  bench.ask(first('example.com'), 'A', client, { do: true, ednsBytes: 1232 })
  bench.ask(first('example.com'), 'A', client, { cd: true })
  assert.equal(
    client.got.map(({ rcode }) => rcode),
    [3, 3],
  )
  assert.is(answered(bench), 0)
})

test('trust cautious keeps it off, and says so', () => {
  const bench = started({ trust: 'cautious' })
  assert.is(bench.rcode(first('example.com')), 3)
  assert.equal(bench.answerStates, ['cautious'])
  assert.is(bench.stage?.answerMode?.state, 'cautious')
})

test('the first mismatch ends it, pinned answers included', () => {
  const bench = started()
  bench.pair(first('example.com'))
  bench.says.set('a.strange.cluster.local.', { a: '10.0.0.1' })
  bench.ask('a.strange.cluster.local', 'A', other)
  assert.is(bench.stage?.counts().mismatches, 1)
  assert.is(bench.rcode(first('example.com')), 3)
  assert.equal(bench.answerStates, ['on', 'stopped'])
})

test('what a client was told comes after the conditions: a later step of its next look-up is no first one', () => {
  const bench = started()
  assert.is(told(bench.ask(first('example.com'))), '0 example.com. 192.0.2.1')
  // The client looks up example.com.team-0, whose second step has the very name that was answered.
  assert.is(bench.rcode('example.com.team-0.team-0.svc.cluster.local'), 3)
  for (const reply of bench.pair(first('example.com'))) assert.is(reply?.rcode, 3)
})

test('the second half of an answered look-up is answered, whatever step the name has become meanwhile', () => {
  const bench = started()
  const client = new Client()
  assert.is(told(bench.ask(first('example.com'), 'A', client)), '0 example.com. 192.0.2.1')
  bench.rcode('example.com.team-0.team-0.svc.cluster.local')
  assert.is(told(bench.ask(first('example.com'), 'AAAA', client)), `0 example.com. ${v6}`)
})

test('the second step of another look-up is not the first of this one', () => {
  const bench = started()
  const client = new Client()
  // `example.com.team-0` is looked up: a Service's pod perhaps, that is not there now.
  assert.is(bench.ask(first('example.com.team-0'), 'A', client)?.rcode, 3)
  assert.is(bench.ask(first('example.com'), 'A', client)?.rcode, 3)
  assert.equal(fallbacks(bench), ['second-step'])
  bench.later(11)
  assert.is(bench.ask(first('example.com'), 'A', client)?.rcode, 0)
})

test('search domains of the node count name by name, for both types, and no longer than 5 s', () => {
  const bench = started({ domains: [...suffixes, 'corp.example'] })
  const client = new Client()
  assert.is(told(bench.pair(first('example.com'), client)[0]), '0 example.com. 192.0.2.1')
  assert.ok(bench.takeAsked().includes('example.com.corp.example. A'))
  bench.says.set('example.com.corp.example.', { a: '10.9.9.9' })
  bench.later(6)
  assert.is(bench.pair(first('example.com'), client)[0]?.rcode, 3, 'a wildcard there wins')
})

test('who was denied one half is denied the other, whatever has become known', () => {
  const bench = started()
  bench.says.set('example.com.', 'servfail')
  const client = new Client()
  assert.is(bench.ask(first('example.com'), 'A', client)?.rcode, 3)
  bench.says.set('example.com.', { a: '192.0.2.1', aaaa: '2001:db8::1' })
  bench.later(1.5)
  assert.is(bench.ask(first('example.com'), 'AAAA', client)?.rcode, 3)
  bench.later(6)
  assert.equal(bench.pair(first('example.com'), client).map(told), [
    '0 example.com. 192.0.2.1',
    `0 example.com. ${v6}`,
  ])
})

test('who got one half gets the other, whatever has become known', () => {
  const bench = started()
  const client = new Client()
  const a = bench.ask(first('example.com'), 'A', client)
  assert.is(told(a), '0 example.com. 192.0.2.1')
  // A Service comes, and somebody's question with DO, which is always asked, tells of it.
  bench.says.set(`${first('com')}.`, { a: '10.96.0.9', aaaa: '2001:db8::9', ttl: 5 })
  bench.ask(first('example.com'), 'A', other, { do: true, ednsBytes: 1232 })
  assert.is(bench.ask(first('example.com'), 'AAAA', other)?.rcode, 0)
  assert.is(told(bench.ask(first('example.com'), 'AAAA', client)), `0 example.com. ${v6}`)
})

test('the look-up that shows what CoreDNS is walks as a whole', () => {
  const bench = new SearchBench({
    stage: { lists: { namespaces: new Set(['\x06team-0']), find: () => listOf(suffixes) } },
  })
  bench.says.set('example.com.', { a: '192.0.2.1', aaaa: '2001:db8::1' })
  assert.equal(
    bench.pair(first('example.com')).map((reply) => reply?.rcode),
    [3, 3],
  )
})

const outsideNames = [
  'h9.org',
  'a.h9.org',
  'a.b.h9.org',
  'c.a.b.h9.org',
  'x.h9.com',
  'h8.com',
  'no.net',
]

interface LookUp {
  readonly qname: string
  readonly client: Client
}

/** Programs in one pod: several look-ups of a name may be under way at once. Answers come in any order, soon. */
function lookUpAtRandom(bench: SearchBench, random: Random): LookUp[] {
  const lookUps: LookUp[] = []
  const answerSome = (count: number) => {
    for (let i = count; i > 0; i--) bench.answerOne(random.below(bench.bench.asked.length + 1))
  }
  for (let step = 0; step < 120; step++) {
    const qname = first(random.pick(outsideNames))
    const client = new Client({ port: 40_000 + step })
    for (const type of random.pick([['A', 'AAAA'] as const, ['AAAA', 'A'] as const])) {
      bench.ask(qname, type, client)
      answerSome(random.below(2))
    }
    lookUps.push({ qname, client })
    answerSome(random.below(6))
    if (random.below(3) > 0) continue
    // What ends a denial or an answer is its age, not an answer that takes longer than a pair's halves may be apart.
    bench.isHolding = false
    bench.answerAll()
    bench.isHolding = true
    bench.later(random.below(30) / 10)
  }
  bench.isHolding = false
  bench.answerAll()
  return lookUps
}

test('both halves of a look-up are told the same, in whatever order answers and other look-ups come', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed)
    const bench = started()
    bench.isHolding = true
    for (const zone of ['h9.org.', 'h9.com.', 'h8.com.'])
      bench.says.set(zone, { a: '192.0.2.1', aaaa: '2001:db8::1', ttl: 1 + random.below(6) })
    for (const { qname, client } of lookUpAtRandom(bench, random)) {
      const [one, theOther] = client.got
      assert.is(client.got.length, 2, `seed ${seed}, ${qname}`)
      assert.is(
        one?.rcode,
        theOther?.rcode,
        `seed ${seed}, ${qname}: ${client.got.map(told).join(' and ')}`,
      )
    }
  }
})

/** Many programs in one pod ask at once: between the halves of one look-up come those of others, some tens of milliseconds apart. */
function lookUpInterleaved(bench: SearchBench, random: Random): LookUp[] {
  const lookUps: LookUp[] = []
  const begun: { readonly step: number; readonly complete: () => void }[] = []
  for (let step = 0; step < 400; step++) {
    const [oldest] = begun
    // Halves come within a quarter of a second of each other.
    const isDue = oldest !== undefined && step >= oldest.step + 6
    if (isDue || random.below(2) === 0) begun.splice(isDue ? 0 : random.below(4), 1)[0]?.complete()
    else {
      const qname = first(random.pick(['h9.org', 'x.h9.com', 'h8.com', 'no.net']))
      const client = new Client({ port: 40_000 + step })
      const [one, theOther] = random.pick([['A', 'AAAA'] as const, ['AAAA', 'A'] as const])
      bench.ask(qname, one, client)
      begun.push({ step, complete: () => bench.ask(qname, theOther, client) })
      lookUps.push({ qname, client })
    }
    bench.later(random.below(25) / 1000)
    // Never between the halves of a look-up that CoreDNS is asked for. It stays: a cached half may be older than the other.
    if (begun.length === 0 && random.below(20) === 0)
      bench.says.set(`${first('org')}.`, { a: '10.96.0.9', aaaa: '2001:db8::9', ttl: 2 })
  }
  for (const { complete } of begun) complete()
  return lookUps
}

test('both halves of a look-up are told the same when those of many are interleaved', () => {
  let answered = 0
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const bench = started()
    for (const zone of ['h9.org.', 'h9.com.', 'h8.com.'])
      bench.says.set(zone, { a: '192.0.2.1', aaaa: '2001:db8::1', ttl: 1 + random.below(6) })
    for (const { qname, client } of lookUpInterleaved(bench, random)) {
      const said = client.got.map(told)
      assert.is(said.length, 2, `seed ${seed}, ${qname}`)
      const [one, theOther] = said.map((each) => each.at(-1))
      assert.is(one, theOther, `seed ${seed}, ${qname}, port ${client.port}: ${said.join(' and ')}`)
      if (one === '1' || one === '9') answered += 1
    }
  }
  assert.ok(answered > 100, `${answered}`)
})

test('a Service that comes is there for A and AAAA when the evidence ends', () => {
  const bench = started()
  const client = new Client()
  bench.pair(first('example.com'), client)
  bench.says.set(`${first('com')}.`, { a: '10.96.0.9', aaaa: '2001:db8::9', ttl: 5 })
  bench.later(5.1)
  const replies = bench.pair(first('example.com'), client)
  assert.equal(replies.map(told), ['0 10.96.0.9', `0 ${v6.slice(0, -1)}9`])
})

test.run()
