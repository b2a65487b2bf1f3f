/**
 * Goal: the text is what prom-client would write of the same samples, line by line. Method: prom-client itself through its public API,
 * over every family there is and over random ones with hostile labels; `AggregatorRegistry.aggregate` takes samples that were counted
 * elsewhere, those of histograms too.
 */
import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type PrometheusContentType,
  Registry,
} from 'prom-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expositionOf, readFamily, withLabel } from '../../src/observe/exposition.ts'
import { allFamilies } from '../../src/observe/families/all.ts'
import { type Family, family, type Sample } from '../../src/observe/families/family.ts'
import { inOneGo } from '../../src/observe/time-slices.ts'
import { Random } from '../fuzz/random.ts'
import { readExposition } from '../support/exposition.ts'
import { cache, facts, group, inFlight, sourcesWith, tcp, udp, upstream } from './support.ts'

const test = suite('observe/exposition')

async function ours(families: readonly Family[]): Promise<string> {
  return (await expositionOf(families.map((one) => inOneGo(readFamily(one))))).body
}

function theirs(families: readonly Family[]): Promise<string> {
  const given = families.map(({ name, kind, help, collect }) => ({
    name,
    help,
    type: kind,
    aggregator: 'first',
    values: collect().map(({ labels, bound, suffix, value }) => ({
      labels: { ...bound, ...labels },
      value,
      ...(suffix && { metricName: `${name}${suffix}` }),
    })),
  }))
  return AggregatorRegistry.aggregate<PrometheusContentType>([given]).metrics()
}

/** prom-client puts an empty line between families. */
function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

test('every family is written as prom-client writes it', async () => {
  const sources = sourcesWith({
    cache: () => cache,
    inFlight: () => inFlight,
    upstreams: () => [upstream('10.0.0.1:53'), upstream('[fd00::1]:53', { transport: 'tls' })],
    groups: () => [group],
    udp: () => [udp],
    tcp: () => [tcp],
    kernelDrops: () => new Map([['127.0.0.1:53', 17]]),
  })
  for (let qtype = 0; qtype < 70; qtype++) sources.counters().replied({ ...facts, qtype })
  await sources.runtime.refresh()
  const families = allFamilies(sources)
  const lines = linesOf(await ours(families))
  assert.ok(lines.length > 500, `${lines.length} lines`)
  assert.equal(lines, linesOf(await theirs(families)))
})

const hostile = [
  '',
  'plain',
  '"',
  '\\',
  '\n',
  'a "b" \\n\\\n',
  '{le="1"} 5',
  'é\u0085\u{1f600}',
  ',=',
]
const values = [0, -0, 1, -1.5, 0.1 + 0.2, 1e21, 1e-7, 2 ** 53, Number.MAX_VALUE, 5e-324]
const infinite = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

test('hostile labels, help texts and extreme values are written as prom-client writes them, and read back as given', async () => {
  const random = new Random(3)
  for (let round = 0; round < 300; round++) {
    const samples = hostile.map(
      (first): Sample => ({
        labels: { first, second: random.pick(hostile) },
        value: random.pick([...values, ...infinite]),
      }),
    )
    const one = family('gauge', ['odd', `Help: ${random.pick(hostile)}.`], [], () => samples)
    const text = await ours([one])
    assert.equal(linesOf(text), linesOf(await theirs([one])))
    const series = readExposition(text).get('odd')?.series ?? []
    assert.equal(
      series.map(({ labels, value }) => ({ labels: Object.fromEntries(labels), value })),
      // The text format has no negative zero.
      samples.map(({ labels, value }) => ({ labels, value: value === 0 ? 0 : value })),
    )
  }
})

test('what prom-client has counted itself reads the same', async () => {
  const registry = new Registry()
  const about = { help: 'Help.', labelNames: ['to'], registers: [registry] }
  const counter = new Counter({ ...about, name: 'asked_total' })
  const gauge = new Gauge({ ...about, name: 'open' })
  counter.inc({ to: 'a' }, 3)
  counter.inc({ to: 'b"' }, 0.5)
  gauge.set({ to: 'a' }, -2)
  const text = await ours([
    family('counter', ['asked_total', 'Help.'], ['to'], () => [
      { labels: { to: 'a' }, value: 3 },
      { labels: { to: 'b"' }, value: 0.5 },
    ]),
    family('gauge', ['open', 'Help.'], ['to'], () => [{ labels: { to: 'a' }, value: -2 }]),
  ])
  assert.equal(linesOf(text), linesOf(await registry.metrics()))
})

test('the content type is that of the text format, and the last line ends', async () => {
  const { contentType, body } = await expositionOf([])
  assert.is(contentType, Registry.PROMETHEUS_CONTENT_TYPE)
  assert.is(body, '')
  const text = await ours([family('gauge', ['a', 'A.'], [], () => [{ labels: {}, value: 1 }])])
  assert.is(text, '# HELP a A.\n# TYPE a gauge\na 1\n')
})

test('NaN is written as the format says; prom-client writes Nan', async () => {
  const one = family('gauge', ['a', 'A.'], [], () => [{ labels: {}, value: Number.NaN }])
  assert.match(await ours([one]), /\na NaN\n$/)
  assert.match(await theirs([one]), /\na Nan\n$/)
})

test('a reading has its series in columns of equal length, suffixes for histograms only', () => {
  const samples: Sample[] = [
    { labels: { to: 'a' }, bound: { le: '+Inf' }, suffix: '_bucket', value: 1 },
    { labels: { to: 'a' }, suffix: '_sum', value: 0.5 },
    { labels: {}, bound: { le: '+Inf' }, suffix: '_bucket', value: 0 },
  ]
  const about = { name: 'a', help: 'A.', labelNames: [] }
  const read = (kind: Family['kind']) =>
    inOneGo(readFamily({ ...about, kind, collect: () => samples }))
  assert.equal(read('histogram'), {
    ...{ name: 'a', kind: 'histogram', help: 'A.' },
    labels: ['le="+Inf",to="a"', 'to="a"', 'le="+Inf"'],
    suffixes: ['_bucket', '_sum', '_bucket'],
    values: [1, 0.5, 0],
  })
  const plain = family('gauge', ['a', 'A.'], [], () => [{ labels: {}, value: 2 }])
  assert.equal(inOneGo(readFamily(plain)).suffixes, [])
})

test('a label is added behind the others, and escaped', () => {
  assert.is(withLabel('', 'worker', '0'), 'worker="0"')
  assert.is(withLabel('a="b"', 'worker', '"0"\\'), 'a="b",worker="\\"0\\"\\\\"')
})

test('a family with many series is read and written in pieces', async () => {
  const samples = Array.from({ length: 1000 }, (_, n) => ({ labels: { n: String(n) }, value: n }))
  const work = readFamily(family('gauge', ['a', 'A.'], ['n'], () => samples))
  let pieces = 0
  while (work.next().done !== true) pieces++
  assert.is(pieces, 10)
})

test.run()
