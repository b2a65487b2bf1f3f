/**
 * Goal: a rewritten question is asked under its new name, shares the cache with everybody who asks for that name, and its client sees its own
 * name alone. Method: the pipeline without a socket, an upstream answered by hand; test/real/plugins/rewrites.test.ts asks a real CoreDNS the same.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HostsStage } from '../../../src/local/hosts/stage.ts'
import { Rewriter } from '../../../src/local/rewrites/rewriter.ts'
import { TemplatesStage } from '../../../src/local/templates/stage.ts'
import { aRecord, cnameRecord, responseTo } from '../../core/support.ts'
import { Client } from '../../pipeline/support.ts'
import { writeQuery } from '../../support/client/dns-message.ts'
import { LocalBench, linesOf, outlookOf, problemOf } from '../support.ts'

const test = suite('local/rewrites/rewriter')

async function started(rules: string, more = '') {
  const outlook = await outlookOf(`rewrites:\n${rules}\n${more}`)
  const rewriter = new Rewriter()
  const local = [new TemplatesStage(outlook), new HostsStage(outlook)]
  const bench = new LocalBench(local, { rotate: false })
  bench.resolver.setRewriting(rewriter.reconfigure(outlook.settings.rewrites))
  return { bench, rewriter }
}

const front = `  - { match: suffix, from: .front.example, to: .back.example, answer: [auto] }`

test('the new name is asked once, for those who wait under either name', async () => {
  const { bench, rewriter } = await started(front)
  const [one, other] = [new Client(), new Client({ port: 40_001 })]
  bench.handle(writeQuery('Www.Front.example', 'A'), one)
  bench.handle(writeQuery('www.back.example', 'A'), other)
  assert.is(bench.asked.length, 1)
  bench.answerA('www.back.example', '192.0.2.1')
  assert.equal(one.got[0]?.questions, [{ name: 'Www.Front.example.', type: 1, class: 1 }])
  assert.equal(
    one.got[0]?.answers.map(({ name, data }) => [name, data]),
    [['Www.Front.example.', '192.0.2.1']],
  )
  assert.equal(other.got[0]?.answers[0]?.name, 'www.back.example.')
  assert.equal(rewriter.counts, { asked: 1, same: 0, nameless: 0 })
})

test('what is in the cache is there for both names, and is not changed', async () => {
  const { bench } = await started(front)
  bench.ask('x.back.example', 'A')
  bench.answerA('x.back.example', '192.0.2.1')
  bench.frozenMs = bench.nowMs()
  for (let times = 0; times < 2; times++) {
    assert.equal(bench.ask('x.front.example', 'A')[1]?.split(' ')[1], 'x.front.example.')
    assert.equal(bench.ask('x.back.example', 'A')[1]?.split(' ')[1], 'x.back.example.')
  }
  assert.is(bench.asked.length, 0)
})

test('failures, stale answers and denials reach the client under its own name', async () => {
  const { bench } = await started(
    `${front.replace(' }', ", rcode: SERVFAIL NXDOMAIN, ttl: '7' }")}`,
  )
  const client = new Client()
  bench.handle(writeQuery('fail.front.example', 'A'), client)
  bench.fail()
  assert.equal(
    [client.got[0]?.rcode, client.got[0]?.questions[0]?.name],
    [3, 'fail.front.example.'],
  )
  assert.equal(bench.ask('fail.front.example', 'A'), ['3'], 'the remembered failure')
  assert.equal(bench.ask('fail.back.example', 'A'), ['2'])
  bench.ask('old.front.example', 'A')
  bench.answerA('old.back.example', '192.0.2.1')
  bench.aheadMs += 400_000
  const later = new Client()
  bench.handle(writeQuery('old.front.example', 'A'), later)
  bench.fail()
  assert.equal(
    later.got[0]?.answers.map(({ name, ttl }) => [name, ttl]),
    [['old.front.example.', 7]],
  )
})

test('a client that takes little gets its own question with TC', async () => {
  const { bench } = await started(front)
  const client = new Client()
  bench.handle(writeQuery('big.front.example', 'A'), client)
  const answers = Array.from({ length: 60 }, (_, i) => aRecord('big.back.example', `192.0.2.${i}`))
  bench.answer(responseTo('big.back.example', 'A', { answers }))
  assert.equal([client.got[0]?.tc, client.got[0]?.questions[0]?.name], [true, 'big.front.example.'])
})

test('what no name can be made of is SERVFAIL, and nobody is asked', async () => {
  const { bench, rewriter } = await started(
    `  - { match: prefix, from: 'a.', to: '${'long.'.repeat(52)}' }\n  - { match: regex, from: '^b\\.(.*)$', to: 'x..{1}' }`,
  )
  assert.equal(bench.ask('a.example', 'A'), ['2'])
  assert.equal(bench.ask('b.example', 'A'), ['2'])
  assert.equal(bench.ask('c.example', 'A'), ['asked'])
  assert.is(rewriter.counts.nameless, 2)
  assert.is(bench.explain('b.example', 'A').why, 'a rule of rewrites makes what is no name')
})

test('an answer that becomes no message is SERVFAIL', async () => {
  const { bench } = await started(
    `  - { from: a.example, to: b.example, answer: ['value .* ${'long.'.repeat(52)}'] }`,
  )
  const client = new Client()
  bench.handle(writeQuery('a.example', 'A'), client)
  const answers = [cnameRecord('b.example', 'c.example'), aRecord('c.example', '192.0.2.1')]
  bench.answer(responseTo('b.example', 'A', { answers }))
  assert.equal(client.got[0]?.rcode, 2)
})

test('templates and hosts see the new name, and their answers are given under the old one', async () => {
  const { bench } = await started(
    `  - { match: suffix, from: .front.example, to: .lan, answer: [auto] }`,
    `templates: [{ type: TXT, zones: [lan], answer: ['{{ .Name }} 5 IN TXT "{{ .Name }}"'] }]\nhosts: [{ entries: ['192.0.2.9 nas.lan'], fallthrough: ['.'] }]`,
  )
  assert.equal(bench.ask('nas.front.example', 'A'), [
    '0',
    'an nas.front.example. 3600 IN A 192.0.2.9',
  ])
  assert.equal(bench.ask('nas.front.example', 'TXT'), [
    '0',
    'an nas.front.example. 5 IN TXT "nas.lan."',
  ])
})

test('zones and except are about the name that the client asks for', async () => {
  const { bench } = await started(
    `  - { zones: [front.example], except: [no.front.example], match: suffix, from: .example, to: .back, mode: continue }
  - { zones: [front.example], match: suffix, from: .back, to: .last }`,
  )
  const asked = (name: string) => {
    bench.ask(name, 'A')
    const { ticket } = bench.asked.shift() ?? { ticket: undefined }
    return ticket?.key.slice(0, -5)
  }
  assert.is(asked('a.front.example'), '\u0001a\u0005front\u0004last\0')
  assert.is(asked('a.no.front.example'), '\u0001a\u0002no\u0005front\u0007example\0')
  assert.is(asked('a.back'), '\u0001a\u0004back\0')
})

test('a class that nobody can be asked in is asked as IN', async () => {
  const chaos = (type: 'TXT' | 'AXFR') => {
    const query = writeQuery('version.example', type)
    query.writeUInt16BE(3, query.length - 2)
    return query
  }
  const { bench } = await started('  - { class: CH IN }')
  const client = new Client()
  bench.handle(chaos('TXT'), client)
  bench.answer(responseTo('version.example', 'TXT', { answers: [] }))
  assert.equal(client.got[0]?.questions, [{ name: 'version.example.', type: 16, class: 3 }])
  assert.is(client.got[0]?.rcode, 0)
  assert.is(bench.handle(chaos('AXFR'), client)?.rcode, 5)
  const { bench: without } = await started(front)
  assert.is(without.handle(chaos('TXT'), client)?.rcode, 5)
})

test('without rules a resolver rewrites nothing, after a change of the configuration as well', async () => {
  const { bench, rewriter } = await started(front)
  bench.ask('a.back.example', 'A')
  bench.answerA('a.back.example', '192.0.2.1')
  assert.is(bench.ask('a.front.example', 'A')[0], '0')
  bench.resolver.setRewriting(rewriter.reconfigure([]))
  assert.equal(bench.ask('a.front.example', 'A'), ['asked'])
  bench.answerA('a.front.example', '192.0.2.2')
  assert.match(linesOf(bench.lastBytes)[1] ?? '', /./)
  assert.match(bench.ask('a.front.example', 'A')[1] ?? '', /a\.front\.example\..*192\.0\.2\.2/)
})

test('explain tells what is asked instead', async () => {
  const { bench } = await started(front)
  const told = bench.explained('Www.front.example', 'A')
  assert.is(told[0], 'www.front.example. A')
  assert.match(told[1] ?? '', /^rewrite +asked as the question below/)
  assert.is(told[2], 'www.back.example. A')
})

test('what is wrong with a rule is said where it stands', async () => {
  const problems = [
    ['{ to: a.example }', /rewrites\[0\]\.to: there is no `from`/],
    ['{ from: a.example, answer: [auto] }', /answer: there is no `to`/],
    ['{ from: a.example }', /it changes nothing/],
    ['{ from: a, to: b, answer: [auto, name x y] }', /auto and name both replace owners/],
    ['{ from: a, to: b, answer: [nme x y] }', /is no change of answers/],
    ['{ match: regex, from: "(", to: b }', /is no regular expression/],
    ['{ match: regex, from: "(a)b", to: "{1}{2}" }', /takes 2 groups, and "\(a\)b" has 1/],
    ['{ from: a, to: b, answer: ["name x {1}"] }', /takes 1 groups/],
    ['{ type: A }', /has 1 words; expected two record types/],
    ['{ type: A AXFR }', /"AXFR" is none of the record types/],
    ['{ class: IN CH }', /asks in another class than IN/],
    ['{ ttl: 5-1 }', /is no TTL/],
    ['{ ttl: "-" }', /is no TTL/],
    ['{ rcode: SERVFAIL NOPE }', /"NOPE" is none of the RCODEs/],
    ['{ from: "", to: b }', /is empty/],
  ] as const
  for (const [rule, expected] of problems)
    assert.match(await problemOf(`rewrites: [${rule}]`), expected, rule)
})

test.run()
