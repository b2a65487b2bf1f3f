/*
 * Goal: each directive is taken or refused as CoreDNS's plugin takes or refuses it, at the place where the mistake is. Method: a table of texts in
 * one server block, each with the place of its mistake. What is valid was asked of CoreDNS 1.14.7: nodelocal/coredns asks again.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { compileRe2 } from '../../src/local/pattern/re2.ts'
import { translate } from '../../src/nodelocal/translate.ts'
import { directiveCases, inBlock } from './directive-cases.ts'

const test = suite('nodelocal/directives')

for (const { name, text, wrong } of directiveCases) {
  test(`${name} ${wrong === undefined ? 'is taken' : 'is refused'}: ${text.replaceAll('\n', ' / ')}`, () => {
    const { problems, settings } = translate(inBlock(text), {
      file: 'Corefile',
      compilePattern: compileRe2,
    })
    const places = problems.map(({ line, column }) => `${line - 1}:${column}`)
    assert.equal(places, wrong === undefined ? [] : [wrong], JSON.stringify(problems))
    assert.is(settings === undefined, wrong !== undefined)
    if (settings !== undefined) {
      const loaded = loadConfig({ file: { name: 'Corefile', text: JSON.stringify(settings) } })
      assert.ok(loaded.ok, JSON.stringify(loaded))
    }
    for (const { message, cure } of problems) assert.ok(message !== '' && cure !== '', message)
  })
}

/** Words that CoreDNS obeys and neardns takes without doing what they say. */
const noted = [
  'errors {\nconsolidate 5m x\n}',
  'errors {\nstacktrace\n}',
  'health {\nlameduck 5s\n}',
  'timeouts {\nread 5s\nmaxtcpqueries 10\n}',
  'ready {\nmonitor continuously\n}',
  'metadata',
  'dnstap a.sock full 2',
  'dnstap a.sock {\nextra x\n}',
  'trace',
  'pprof',
  'rewrite edns0 nsid unset',
  'cache {\nkeepttl\n}',
  'cache {\nprefetch 5 1m\n}',
  'cache {\nservfail 0\n}',
  ...[
    'max_fails 3',
    'max_idle_conns 5',
    'expire 30s',
    'max_concurrent 1000',
    'failfast_all_unhealthy_upstreams',
    'doh_method GET',
    'health_check 5s no_rec domain example.org',
  ].map((option) => `forward . 192.0.2.1 {\n${option}\n}`),
]

for (const text of noted) {
  test(`taken with a remark: ${text.replaceAll('\n', ' / ')}`, () => {
    const { problems, notes } = translate(inBlock(text), {
      file: 'Corefile',
      compilePattern: compileRe2,
    })
    assert.equal(problems, [])
    const [note, ...more] = notes
    assert.equal(more, [])
    assert.match(note?.message ?? '', /`/)
    assert.ok((note?.line ?? 0) > 1 && (note?.column ?? 0) > 0)
  })
}

/** Zones and formats that CoreDNS takes and that do nothing, each with what is said. */
const idle: readonly (readonly [string, RegExp])[] = [
  ['cache 30 *.example', /passed over.*"example" includes all names below it/],
  ['cache {\ndisable success 10.0.0.0/8\n}', /passed over/],
  ['hosts /dev/null a..b', /passed over/],
  ['forward . 192.0.2.1 {\nexcept *.example\n}', /passed over/],
  ['forward *.example 192.0.2.2\nforward . 192.0.2.1', /never asked/],
  ['template IN A a.example {\nmatch x\nfallthrough *.example\n}', /passed over/],
  ['log "{name}"', /log \. FORMAT/],
  ['log . "{remote}\n{name}"', /written as spaces/],
]

for (const [text, said] of idle) {
  test(`taken and told: ${text.replaceAll('\n', ' / ')}`, () => {
    const { problems, notes } = translate(inBlock(text), {
      file: 'Corefile',
      compilePattern: compileRe2,
    })
    assert.equal(problems, [])
    assert.match(notes[0]?.message ?? '', said)
    assert.ok((notes[0]?.line ?? 0) > 1 && (notes[0]?.column ?? 0) > 1)
  })
}

test.run()
