/*
 * Goal: a client that was left to walk walks to the end, a later step is known as one for ten seconds, and what was answered is checked
 * as denials are. Method: the pipeline with a described namespace, at times just before and just behind each limit.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { name } from '../../../fixtures/packets/octets.ts'
import { Client } from '../../../pipeline/support.ts'
import { writeQuery } from '../../../support/client/dns-message.ts'
import { SearchBench } from '../support.ts'

const test = suite('core/search/answer-mode/walks-kept')

const suffixes = ['team-0.svc.cluster.local', 'svc.cluster.local', 'cluster.local']
const pod = '10.244.0.7'
const other = new Client({ host: '10.244.9.9' })
const first = (label: string) => `${label}.team-0.svc.cluster.local`

/** CoreDNS is known, and so is that none of the search domains has anything below `com`. */
function started(auditOneIn = 0, ndots = 5): SearchBench {
  const list = { suffixes: suffixes.map((domain) => name(domain).toString('latin1')), ndots }
  const bench = new SearchBench({
    settings: { auditOneIn },
    stage: {
      lists: {
        namespaces: new Set(['\x06team-0']),
        find: (_, client) => (client === pod ? list : undefined),
      },
    },
  })
  bench.saysOf.set('team-0.svc.cluster.local.', {})
  bench.says.set('example.com.', { a: '192.0.2.1', aaaa: '2001:db8::1' })
  learn(bench)
  return bench
}

/** Clients whose list is not known ask, so that all denials are fresh and proved. */
function learn(bench: SearchBench): void {
  bench.ask('first.org.cluster.local', 'A', other)
  for (const suffix of suffixes)
    for (const host of ['warm', 'again', 'x.y']) bench.ask(`${host}.com.${suffix}`, 'A', other)
  bench.takeAsked()
}

let port = 30_000
/** One question of the pod, from a socket of its own. @returns its rcode */
function ask(bench: SearchBench, label: string, options = {}): number | undefined {
  port += 1
  return bench.ask(first(label), 'A', new Client({ host: pod, port }), options)?.rcode
}

const view = (bench: SearchBench) => bench.stage?.answerMode
const isAnswered = (bench: SearchBench) => (view(bench)?.answered ?? 0) > 0

test('a question that does not want recursion is not answered with what recursion finds', () => {
  const bench = started()
  ask(bench, 'example.com', { rd: false })
  assert.is(isAnswered(bench), false)
  assert.is(ask(bench, 'example.com'), 0)
  assert.is(isAnswered(bench), true)
})

test('other types are not answered, though A and AAAA of the name are', () => {
  const bench = started()
  assert.is(ask(bench, 'example.com'), 0)
  for (const type of ['HTTPS', 'SRV', 'MX'] as const)
    bench.bench.handle(writeQuery(first('example.com'), type), new Client({ host: pod }))
  assert.is(view(bench)?.answered, 1)
})

test('a name is answered while it has fewer dots than the list says', () => {
  for (const [ndots, rcode] of [
    [2, 0],
    [1, 3],
  ] as const)
    assert.is(ask(started(0, ndots), 'example.com'), rcode, `${ndots}`)
})

for (const [seconds, rcode] of [
  [9.9, 3],
  [10.1, 0],
] as const) {
  const what = rcode === 3 ? 'may be its second step' : 'is a look-up of its own'
  test(`${seconds} s after a name that ends in the namespace the name before it ${what}`, () => {
    const bench = started()
    ask(bench, 'example.com.team-0')
    bench.later(seconds)
    assert.is(ask(bench, 'example.com'), rcode)
    assert.is(view(bench)?.fallbacks['second-step'], rcode === 3 ? 1 : 0)
  })
}

test('a name that ends in something else is no earlier step', () => {
  const bench = started()
  ask(bench, 'example.com.team-1')
  assert.is(ask(bench, 'example.com'), 0)
})

test('the second step of one client is the first of another', () => {
  const bench = started()
  bench.ask(first('example.com.team-0'), 'A', other)
  assert.is(ask(bench, 'example.com'), 0)
})

for (const [seconds, rcode] of [
  [1.7, 3],
  [1.8, 0],
] as const) {
  const what = rcode === 3 ? 'still walks' : 'is decided anew'
  test(`${seconds} s after it was left to walk a client ${what}`, () => {
    const bench = started()
    bench.says.set('example.com.', 'servfail')
    assert.is(ask(bench, 'example.com'), 3)
    bench.says.set('example.com.', { a: '192.0.2.1', aaaa: '2001:db8::1' })
    bench.later(seconds)
    assert.is(ask(bench, 'example.com'), rcode)
    assert.is(view(bench)?.fallbacks.absolute, 1)
  })
}

test('what an answer rests on is checked as often as denials are', () => {
  for (const [auditOneIn, isChecked] of [
    [1, true],
    [0, false],
  ] as const) {
    const bench = started(auditOneIn)
    bench.later(0.1)
    assert.is(ask(bench, 'example.com'), 0)
    const steps = bench.takeAsked().filter((asked) => asked.startsWith(first('example.com')))
    assert.is(steps.length > 0, isChecked, `${auditOneIn}`)
  }
})

test.run()
