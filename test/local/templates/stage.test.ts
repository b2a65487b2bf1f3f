/**
 * Goal: templates say what CoreDNS's plugin says: by zone, class, type and expression, in their order, with fallthrough. Method: questions
 * through the pipeline, without a socket; test/real/plugins/stages.test.ts asks a real CoreDNS the same.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TemplatesStage } from '../../../src/local/templates/stage.ts'
import { Client } from '../../pipeline/support.ts'
import { writeQuery } from '../../support/client/dns-message.ts'
import { LocalBench, outlookOf, problemOf } from '../support.ts'

const test = suite('local/templates/stage')

async function started(templates: string) {
  const stage = new TemplatesStage(await outlookOf(`templates:\n${templates}`))
  return { stage, bench: new LocalBench([stage]) }
}

test('AAAA is denied without SOA, A goes on, and an excepted zone does', async () => {
  const { bench } = await started(`  - { type: AAAA, except: [cluster.local] }`)
  assert.equal(bench.ask('www.example', 'AAAA'), ['0'])
  assert.equal(bench.lastBytes.readUInt8(2) & 0x04, 4, 'AA, as from CoreDNS')
  assert.equal(bench.ask('www.example', 'A'), ['asked'])
  assert.equal(bench.ask('db.cluster.local', 'AAAA'), ['asked'])
})

test('an SOA is written with the zone that the name is in, the longest of several', async () => {
  const { bench } = await started(`  - type: AAAA
    class: ANY
    zones: [example, sub.example]
    authority: ['{{ .Zone }} 60 IN SOA ns.dns. host.master. (1 60 60 60 60)']`)
  const soa = 'IN SOA ns.dns. host.master. 1 60 60 60 60'
  assert.equal(bench.ask('www.example', 'AAAA'), ['0', `ns example. 60 ${soa}`])
  assert.equal(bench.ask('WWW.Sub.Example', 'AAAA'), ['0', `ns sub.example. 60 ${soa}`])
})

test('groups and variables make records in all sections', async () => {
  const { bench } = await started(`  - type: A
    zones: [example.test]
    match: ['^web-(?P<n>[0-9]+)[.]example[.]test[.]$', '^(a)-(b)[.]']
    answer: ['{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}']
    additional: ['ns1.example.test. 60 IN A 192.0.2.53']
    authority: ['example.test. 60 IN NS ns1.example.test.']
    fallthrough: ['.']`)
  assert.equal(bench.ask('web-7.example.test', 'A'), [
    '0',
    'an web-7.example.test. 60 IN A 192.0.2.7',
    'ns example.test. 60 IN NS ns1.example.test.',
    'ar ns1.example.test. 60 IN A 192.0.2.53',
  ])
  assert.equal(bench.ask('web-x.example.test', 'A'), ['asked'])
  assert.equal(bench.ask('web-777.example.test', 'A'), ['2'], 'no address can be made')
  assert.equal(bench.ask('a-b.example.test', 'A'), ['2'], 'no such group')
})

test('without fallthrough no expression means SERVFAIL, not the next template', async () => {
  const { bench, stage } =
    await started(`  - { type: A, match: ['^a[.]'], answer: ['a. IN A 192.0.2.1'] }
  - { type: A, answer: ['b. IN A 192.0.2.2'] }`)
  assert.equal(bench.ask('b', 'A'), ['2'])
  assert.equal(bench.ask('b', 'TXT'), ['asked'])
  assert.equal(stage.counts, { answer: 0, denial: 0, failure: 1 })
})

test('fallthrough of some zones goes on to the next template and to the upstream', async () => {
  const { bench } =
    await started(`  - { type: A, match: ['^a[.]'], rcode: NXDOMAIN, fallthrough: [example] }
  - { type: ANY, zones: [b.example], rcode: NXDOMAIN }`)
  assert.equal(bench.ask('a.example', 'A'), ['3'])
  assert.equal(bench.ask('b.example', 'A'), ['3'])
  assert.equal(bench.ask('c.example', 'A'), ['asked'])
  assert.equal(bench.ask('c.other', 'A'), ['2'])
})

test('a client reads the extended error, with its text', async () => {
  const { bench } = await started(`  - { type: A, rcode: NXDOMAIN, ede: '15 blocked here' }`)
  bench.ask('a.example', 'A', { ednsBytes: 1232 })
  assert.ok(bench.lastBytes.includes(Buffer.from('\0\x0fblocked here', 'latin1')))
})

test('an alias is followed for addresses, to an upstream, another template, and round in a circle', async () => {
  const { bench } =
    await started(`  - { type: ANY, zones: [x.example], answer: ['{{ .Name }} 60 IN CNAME y.example.'] }
  - { type: ANY, zones: [y.example], answer: ['{{ .Name }} 60 IN CNAME www.other.'] }
  - { type: ANY, zones: [z.example], answer: ['{{ .Name }} 60 IN CNAME z.example.'] }`)
  const client = new Client()
  bench.handle(writeQuery('x.example', 'A'), client)
  bench.handle(writeQuery('x.example', 'A'), client)
  assert.is(bench.asked.length, 1)
  bench.answerA('www.other', '192.0.2.9')
  for (const reply of client.got)
    assert.equal(
      reply.answers.map(({ data }) => data),
      ['y.example.', 'www.other.', '192.0.2.9'],
    )
  assert.is(client.got.length, 2)
  assert.equal(bench.ask('x.example', 'MX'), ['0', 'an x.example. 60 IN CNAME y.example.'])
  const circle = new Client()
  bench.handle(writeQuery('z.example', 'A'), circle)
  assert.equal(
    circle.got.map(({ rcode }) => rcode),
    [2],
  )
})

test('TTLs are bounded as those of an upstream are', async () => {
  const limits = {
    positiveMinSeconds: 40,
    positiveMaxSeconds: 30,
    negativeMinSeconds: 0,
    negativeMaxSeconds: 5,
  }
  const text = `templates: [{ type: A, answer: ['{{ .Name }} 3600 IN A 192.0.2.1', '{{ .Name }} 1 IN A 192.0.2.2'] }]`
  const stage = new TemplatesStage(await outlookOf(text, { limitsOf: () => limits }))
  const lines = new LocalBench([stage]).ask('a.example', 'A')
  assert.equal(lines.map((line) => line.split(' ')[2]).toSorted(), ['1', '30', undefined])
})

test('a name asked of an upstream before is answered by a new template, not from the cache', async () => {
  const { bench, stage } = await started(`  - { type: AAAA }`)
  assert.equal(bench.ask('www.example', 'A'), ['asked'])
  bench.answerA('www.example', '192.0.2.9')
  assert.match(bench.ask('www.example', 'A').join(), /192\.0\.2\.9/)
  stage.reconfigure(await outlookOf(`templates: [{ type: A, rcode: NXDOMAIN }]`))
  bench.router.generation += 1
  assert.equal(bench.ask('www.example', 'A'), ['3'])
})

test('what nobody but us asked for does not stand in a template’s way', async () => {
  const { bench } = await started(`  - { type: A, rcode: NXDOMAIN, zones: [example] }`)
  bench.own.ask('\x03www\x07example\0', 1)
  // A client's packet makes the pipeline ask what we want to know.
  bench.ask('www.example', 'TXT')
  bench.asked.reverse()
  bench.answerA('www.example', '192.0.2.9')
  assert.equal(bench.ask('www.example', 'A'), ['3'])
})

test('explain names the stage, and counts nothing', async () => {
  const { bench, stage } = await started(`  - { type: A, zones: [example], rcode: NXDOMAIN }`)
  assert.equal(bench.explain('www.example', 'A'), {
    stage: 'templates',
    why: 'a template for IN A in example.',
  })
  assert.equal(stage.counts, { answer: 0, denial: 0, failure: 0 })
})

test('a mistake is said with its place', async () => {
  const wrong = async (template: string) => problemOf(`templates:\n  - ${template}`)
  assert.match(
    await wrong(`{ type: A, match: ['(a'] }`),
    /^test.yaml:2:\d+ templates\[0\].match\[0\]: .*missing closing \)/,
  )
  assert.match(await wrong(`{ type: A, answer: ['{{ .Nme }}'] }`), /unknown field \.Nme/)
  assert.match(
    await wrong(`{ type: A, answer: ['a. IN A 1.2.3'] }`),
    /expected an IPv4 address, found "1\.2\.3"/,
  )
  assert.match(await wrong(`{ type: AAA }`), /"AAA" is no record type/)
  assert.match(await wrong(`{ type: A, ede: 'x' }`), /expected a code/)
  assert.match(await wrong(`{ type: A, zones: [] }`), /list is empty/)
})

test.run()
