/**
 * Goal: entries of hosts say what CoreDNS's plugin says. Method: questions through the pipeline, without a socket; test/real/plugins/stages.test.ts
 * asks a real CoreDNS the same.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HostsStage } from '../../../src/local/hosts/stage.ts'
import { LocalBench, outlookOf, problemOf } from '../support.ts'

const test = suite('local/hosts/stage')

async function started(hosts: string, file = '') {
  const stage = new HostsStage(await outlookOf(`hosts:\n${hosts}`, { textOf: () => file }))
  return { stage, bench: new LocalBench([stage]) }
}

test('a name has its addresses, no data of other types, and a reverse name', async () => {
  const { bench } = await started(
    `  - { entries: ['192.0.2.10 registry.example reg', '2001:db8::10 registry.example'], ttlSeconds: 60, fallthrough: ['.'] }`,
  )
  assert.equal(bench.ask('Registry.example', 'A'), ['0', 'an registry.example. 60 IN A 192.0.2.10'])
  assert.equal(bench.ask('registry.example', 'AAAA'), [
    '0',
    'an registry.example. 60 IN AAAA 2001:db8::10',
  ])
  assert.equal(bench.ask('reg', 'AAAA'), ['0'])
  assert.equal(bench.ask('reg', 'TXT'), ['0'])
  assert.equal(bench.ask('10.2.0.192.in-addr.arpa', 'PTR'), [
    '0',
    'an 10.2.0.192.in-addr.arpa. 60 IN PTR registry.example.',
    'an 10.2.0.192.in-addr.arpa. 60 IN PTR reg.',
  ])
  assert.equal(bench.ask('11.2.0.192.in-addr.arpa', 'PTR'), ['asked'])
  assert.equal(bench.ask('other.example', 'A'), ['asked'])
})

test('without fallthrough a name without entry gets SERVFAIL, a reverse name goes on', async () => {
  const { bench, stage } = await started(
    `  - { zones: [lan.example], entries: ['192.0.2.1 a.lan.example b.example'], reverse: false }`,
  )
  assert.equal(bench.ask('x.lan.example', 'A'), ['2'])
  assert.equal(bench.ask('b.example', 'A'), ['asked'], 'outside of the zones')
  assert.equal(bench.ask('1.2.0.192.in-addr.arpa', 'PTR'), ['asked'])
  assert.equal(stage.counts, { answer: 0, denial: 0, failure: 1 })
})

test('the file comes first, comments and what is no entry are skipped, a wildcard is one label', async () => {
  const { bench } = await started(
    `  - { file: /etc/hosts, entries: ['192.0.2.2 a.example', '192.0.2.3 *.wild.example'], fallthrough: ['.'] }`,
    '# comment\n192.0.2.1 a.example # more\nnonsense a.example\n192.0.2.9\n\t192.0.2.1  a.example\n',
  )
  const addresses = (lines: readonly string[]) =>
    lines.slice(1).map((line) => line.split(' ').at(-1))
  assert.equal(addresses(bench.ask('a.example', 'A')).toSorted(), ['192.0.2.1', '192.0.2.2'])
  assert.equal(addresses(bench.ask('x.wild.example', 'A')), ['192.0.2.3'])
  assert.equal(bench.ask('y.x.wild.example', 'A'), ['asked'])
  assert.equal(bench.ask('wild.example', 'A'), ['asked'])
})

test('other types go on where that is wanted', async () => {
  const { bench } = await started(
    `  - { entries: ['192.0.2.1 a.example'], fallthrough: ['.'], fallthroughUnsupported: true }`,
  )
  assert.equal(bench.ask('a.example', 'TXT'), ['asked'])
  assert.equal(bench.ask('a.example', 'AAAA'), ['0'])
})

test('what an upstream said of a name is not given once the name has an entry', async () => {
  const { bench, stage } = await started(
    `  - { entries: ['192.0.2.1 a.example'], fallthrough: ['.'] }`,
  )
  assert.is(stage.alters(Buffer.from('\x01a\x07example\0', 'latin1'), 11), true)
  assert.is(stage.alters(Buffer.from('\x01b\x07example\0', 'latin1'), 11), false)
  assert.equal(bench.explain('a.example', 'A'), {
    stage: 'hosts',
    why: 'an entry of hosts, in the configuration',
  })
})

test('counts and entries are published', async () => {
  const { bench, stage } = await started(
    `  - { entries: ['192.0.2.1 a.example'], fallthrough: ['.'] }`,
  )
  bench.ask('a.example', 'A')
  bench.ask('a.example', 'TXT')
  const [counts, entries] = stage.families().map((family) => family.collect())
  assert.equal(
    counts?.map(({ value }) => value),
    [1, 1, 0],
  )
  assert.equal(
    entries?.map(({ value }) => value),
    [2],
  )
})

test('a line that is no entry is a mistake in the configuration', async () => {
  const wrong = await problemOf(`hosts: [{ entries: ['192.0.2.1'] }]`)
  assert.match(wrong, /^test.yaml:1:\d+ hosts\[0\].entries\[0\]: "192\.0\.2\.1" is no entry/)
})

test.run()
