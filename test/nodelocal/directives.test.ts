/*
 * Goal: each directive is taken or refused as CoreDNS's plugin takes or refuses it, at the place where the mistake is. Method: a table of texts in
 * one server block, each with the place of its mistake. What is valid was asked of CoreDNS 1.14.7: nodelocal/coredns asks again.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
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

test.run()
