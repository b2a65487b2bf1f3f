/*
 * Goal: what a client gets is as short as it can be and in an order that it can use, whatever the upstream sent. Method: the pipeline
 * between clients and an upstream that writes all names in full, as CoreDNS does over TCP.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aRecord, cnameRecord, record, responseTo } from '../core/support.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { Bench, Client } from './support.ts'

const test = suite('pipeline/order-and-size')

const headless = 'web.shop.svc.cluster.local'
const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`)

function answered(bench: Bench, name: string, records: readonly Buffer[]): Client {
  const client = new Client()
  bench.handle(writeQuery(name, 'A'), client)
  bench.answer(responseTo(name, 'A', { answers: records }))
  bench.handle(writeQuery(name, 'A'), client)
  return client
}

test('20 addresses fit into 512 bytes although CoreDNS wrote 20 names in full', () => {
  const bench = new Bench()
  const records = addresses(20).map((address) => aRecord(headless, address))
  for (const { answers, tc } of answered(bench, headless, records).got) {
    assert.equal([answers.length, tc], [20, false])
  }
  // 12 for the header, 32 for the question, 16 for each record.
  assert.equal(
    bench.facts.map(({ replyBytes }) => replyBytes),
    [364, 364],
  )
})

test('where not all addresses fit, as many as fit come with TC', () => {
  const records = addresses(40).map((address) => aRecord(headless, address))
  for (const { answers, tc } of answered(new Bench(), headless, records).got) {
    assert.equal([answers.length, tc], [29, true])
  }
})

test('an address before its alias is put behind it, from the cluster and from outside, first and later', () => {
  for (const zone of ['svc.cluster.local', 'example']) {
    const [host, target] = [`db.shop.${zone}`, `db-1.shop.${zone}`]
    const records = [aRecord(target, '10.0.0.1'), cnameRecord(host, target)]
    for (const { answers } of answered(new Bench(), host, records).got) {
      assert.equal(
        answers.map(({ name, data }) => `${name} ${data}`),
        [`${host}. ${target}.`, `${target}. 10.0.0.1`],
      )
    }
  }
})

const three = ['10.0.0.1', '10.0.0.2', '10.0.0.3']

/** How often each address came first. */
function firstCounts(client: Client): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { answers } of client.got) {
    const first = answers.find(({ type }) => type === 1)?.data ?? 'none'
    counts[first] = (counts[first] ?? 0) + 1
  }
  return counts
}

for (const tcp of [false, true]) {
  test(`three addresses come first in turn over ${tcp ? 'TCP' : 'UDP'}, each as often as the others`, () => {
    const bench = new Bench({ cache: { prefetch: { hitsMin: 0, remainingPercent: 10 } } })
    const client = new Client({ tcp })
    bench.handle(writeQuery(headless, 'A'), new Client())
    const alias = 'web-1.shop.svc.cluster.local'
    const records = [
      cnameRecord(headless, alias),
      ...three.map((address) => aRecord(alias, address)),
    ]
    bench.answer(responseTo(headless, 'A', { answers: records }))
    for (let i = 0; i < 30; i++) bench.handle(writeQuery(headless, 'A'), client)
    assert.equal(firstCounts(client), Object.fromEntries(three.map((address) => [address, 10])))
    for (const { answers } of client.got) {
      assert.equal([answers[0]?.type, answers.length], [5, 4])
      assert.equal(
        answers
          .slice(1)
          .map(({ data }) => data)
          .toSorted(),
        three,
      )
    }
  })
}

test('misses, waiting clients and stale answers take turns as well', () => {
  const bench = new Bench()
  bench.frozenMs = 1000
  const records = three.map((address) => aRecord(headless, address, 1))
  const waiting = new Client()
  for (let i = 0; i < 9; i++) bench.handle(writeQuery(headless, 'A', { id: i }), waiting)
  bench.answer(responseTo(headless, 'A', { answers: records }))
  assert.is(Object.keys(firstCounts(waiting)).length, 3)

  const outside = 'www.example'
  bench.handle(writeQuery(outside, 'A'), new Client())
  bench.answer(
    responseTo(outside, 'A', { answers: three.map((address) => aRecord(outside, address, 1)) }),
  )
  bench.frozenMs = 600_000
  const stale = new Client()
  bench.handle(writeQuery(outside, 'A'), stale)
  bench.fail('timeout')
  for (let i = 0; i < 29; i++) bench.handle(writeQuery(outside, 'A'), stale)
  const counts = Object.values(firstCounts(stale))
  assert.is(stale.got.length, 30)
  assert.ok(counts.length === 3 && counts.every((count) => count >= 7), JSON.stringify(counts))
})

test('A and AAAA that come in pairs take turns each for itself, though nothing is kept', () => {
  const bench = new Bench()
  const client = new Client()
  for (let i = 0; i < 20; i++) {
    for (const [type, data] of [
      ['A', (last: number) => Uint8Array.of(10, 0, 0, last)],
      ['AAAA', (last: number) => Uint8Array.of(0xfd, ...new Array<number>(14).fill(0), last)],
    ] as const) {
      bench.handle(writeQuery('www.example', type), client)
      const answers = [1, 2].map((last) => record('www.example', type, data(last), 0))
      bench.answer(responseTo('www.example', type, { answers }))
    }
  }
  const firsts = client.got.map(({ answers }) => answers[0]?.data ?? '')
  for (const type of [0, 1]) {
    const half = firsts.filter((_, index) => index % 2 === type)
    const ones = half.filter((first) => first.endsWith('1')).length
    assert.ok(ones >= 7 && ones <= 13, `${ones} of 20`)
  }
})

test('an order can be kept', () => {
  const bench = new Bench({ rotate: false })
  const records = three.map((address) => aRecord(headless, address))
  const client = answered(bench, headless, records)
  for (let i = 0; i < 10; i++) bench.handle(writeQuery(headless, 'A'), client)
  assert.equal(firstCounts(client), { '10.0.0.1': 12 })
})

test.run()
