/*
 * Goal: a walk is answered only when every step before the last is denied now and the last is known for both families; else it says why
 * not, or what is to be asked. Method: all of it known, then one thing after the other taken away or changed.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CacheEntry } from '../../../../src/core/cache/entry.ts'
import { type Walk, WalkReader } from '../../../../src/core/search/answer-mode/walk.ts'
import { SearchJudge } from '../../../../src/core/search/denial.ts'
import { SearchLearning } from '../../../../src/core/search/learning.ts'
import { pairMs } from '../../../../src/core/search/pairs.ts'
import type { TypeName } from '../../../support/client/dns-message.ts'
import { aRecord, cnameRecord, record, responseTo, soaRecord } from '../../support.ts'
import {
  AuditBench,
  answeredName,
  denial,
  existence,
  observed,
  shown,
  wire,
} from '../plugin-says.ts'

const test = suite('core/search/answer-mode/walk')

const suffixes = ['team-a.svc.cluster.local', 'svc.cluster.local', 'cluster.local']
const step = { labels: ['\x07example', '\x03com'], namespace: '\x06team-a' }
const target = 'example.com'
const cuts = ['com.team-a.svc.cluster.local', 'com.svc.cluster.local']
const rule = 'nothing but svc and pod below the zone'
const soa = { authorities: [soaRecord(target, 60)] }

class Walking extends AuditBench {
  private readonly reader: WalkReader
  private readonly judge: SearchJudge

  constructor() {
    super()
    this.judge = new SearchJudge(this.known)
    const { known, run: auditRun, judge } = this
    this.reader = new WalkReader({ known, judge, own: this.core.own, auditRun })
  }

  deny(qname: string): void {
    const learning = new SearchLearning(this.known)
    learning.observe(answeredName(qname), observed(denial(qname)), this.nowMs)
  }

  prove(subject: string): void {
    this.known.audit.noteFirst(subject, this.nowMs)
    this.known.audit.confirm(subject, this.nowMs)
  }

  cache(qname: string, type: TypeName, reply: Buffer): void {
    this.core.answer(this.core.ask(qname, type).ticket, reply)
  }

  fail(qname: string, type: TypeName): void {
    this.core.fail(this.core.ask(qname, type).ticket)
  }

  entry(qname: string, index = 0): CacheEntry {
    const found = [...this.core.cache.all()].filter(({ name }) => name === wire(qname))[index]
    if (found === undefined) throw new Error(`${qname} is not in the cache`)
    return found
  }

  read(domains = suffixes): Walk {
    return this.reader.read(step, { suffixes: domains.map(wire), ndots: 5 }, this.nowMs)
  }

  /** @returns what was asked for the walk; it is not in flight any more */
  ask(walk: Walk): string[] {
    this.open(walk)
    return this.takeAsked()
  }

  open(walk: Walk): void {
    this.reader.ask(walk, this.nowMs)
  }

  /** The same, foretold. */
  opens(walk: Walk): string[] {
    return this.reader.opens(walk, this.nowMs)
  }

  check(): string[] {
    this.reader.check(step, { suffixes: suffixes.map(wire), ndots: 5 }, this.nowMs)
    return this.takeAsked()
  }
}

function addresses(ttl = 300): readonly (readonly [TypeName, Buffer])[] {
  const aaaa = record(target, 'AAAA', Buffer.alloc(16, 1), ttl)
  return [
    ['A', responseTo(target, 'A', { answers: [aRecord(target, '192.0.2.1', ttl)] })],
    ['AAAA', responseTo(target, 'AAAA', { answers: [aaaa] })],
  ]
}

/** The cluster has none of the steps, and that is proved. */
function denied(): Walking {
  const bench = new Walking()
  for (const cut of cuts) {
    bench.deny(cut)
    bench.prove(wire(cut))
  }
  bench.prove(`${rule} ${wire('com.cluster.local')}`)
  return bench
}

/** The absolute name is known, too. */
function known(): Walking {
  const bench = denied()
  for (const [type, reply] of addresses()) bench.cache(target, type, reply)
  return bench
}

const wanted = (walk: Walk) => walk.wanted.map(({ name, qtype }) => `${shown(name)} ${qtype}`)

test('what is known as a whole has no refusal, nothing to ask, and both answers', () => {
  const bench = known()
  const walk = bench.read()
  assert.is(walk.refusal, undefined)
  assert.equal(wanted(walk), [])
  assert.is(shown(walk.target), 'example.com.')
  assert.equal([walk.a?.rcode, walk.aaaa?.rcode], [0, 0])
  assert.is(walk.untilMs, bench.nowMs + 5000)
})

test('the evidence that ends first ends the answer', () => {
  const bench = known()
  bench.core.later(1)
  bench.deny(cuts[1] ?? '')
  assert.is(bench.read().untilMs, bench.nowMs + 4000)
})

test('an absolute name of a short life ends it, too', () => {
  const bench = denied()
  for (const [type, reply] of addresses(3)) bench.cache(target, type, reply)
  assert.is(bench.read().untilMs, bench.nowMs + 3000)
})

test('no answer rests on anything for more than five seconds', () => {
  const bench = denied()
  for (const [type, reply] of addresses(300)) bench.cache(target, type, reply)
  assert.is(bench.read(['cluster.local']).untilMs, bench.nowMs + 5000)
})

test('an unknown absolute name is wanted for both families, A last', () => {
  const walk = denied().read()
  assert.equal(wanted(walk), ['example.com. 28', 'example.com. 1'])
  assert.is(walk.refusal, undefined)
})

test('an absolute name that ends within a pair is wanted again', () => {
  const bench = denied()
  for (const [type, reply] of addresses(1)) bench.cache(target, type, reply)
  bench.core.nowMs += 1000 - pairMs - 1
  assert.equal(wanted(bench.read()), [])
  bench.core.nowMs += 1
  assert.equal(wanted(bench.read()), ['example.com. 28', 'example.com. 1'])
})

test('an absolute name that could not be resolved leaves the client to walk', () => {
  const bench = denied()
  bench.fail(target, 'A')
  assert.is(bench.read().refusal, 'absolute')
})

test('an absolute name that does not exist, or has neither family, leaves the client to walk', () => {
  const absent = denied()
  absent.cache(target, 'A', responseTo(target, 'A', { rcode: 3, ...soa }))
  assert.is(absent.read().refusal, 'absolute')
  const toNowhere = {
    rcode: 3,
    answers: [cnameRecord(target, 'nowhere.example', 60)],
    authorities: [soaRecord('example', 60)],
  }
  const half = denied()
  half.cache(target, 'A', responseTo(target, 'A', toNowhere))
  half.cache(target, 'AAAA', addresses()[1]?.[1] ?? Buffer.alloc(0))
  assert.is(half.read().refusal, 'absolute', 'behind an alias')
  const empty = denied()
  for (const type of ['A', 'AAAA'] as const)
    empty.cache(target, type, responseTo(target, type, soa))
  assert.is(empty.read().refusal, 'absolute')
})

test('one family is enough', () => {
  for (const missing of ['A', 'AAAA'] as const) {
    const bench = denied()
    for (const [type, reply] of addresses())
      bench.cache(target, type, type === missing ? responseTo(target, type, soa) : reply)
    assert.is(bench.read().refusal, undefined, missing)
  }
})

test('a step that nothing denies is wanted before the absolute name', () => {
  const bench = new Walking()
  bench.deny('com.cluster.local')
  assert.equal(wanted(bench.read()), [
    'example.com.team-a.svc.cluster.local. 1',
    'example.com.svc.cluster.local. 1',
    'example.com.cluster.local. 1',
    'example.com. 28',
    'example.com. 1',
  ])
})

test('a denial whose kind was never checked is asked for by name', () => {
  const bench = known()
  const other = new Walking()
  for (const cut of cuts) other.deny(cut)
  for (const [type, reply] of addresses()) other.cache(target, type, reply)
  assert.equal(wanted(bench.read()), [])
  assert.equal(
    wanted(other.read()),
    suffixes.map((suffix) => `example.com.${suffix}. 1`),
  )
})

test('a cut that ended lately is wanted in place of the name', () => {
  const bench = known()
  bench.core.later(5)
  assert.equal(
    wanted(bench.read()).slice(0, 2),
    cuts.map((cut) => `${cut}. 1`),
  )
})

test("CoreDNS's own denial of a step counts to the end of its evidence, a pair after its entry", () => {
  const bench = new Walking()
  bench.deny('com.cluster.local')
  bench.prove(`${rule} ${wire('com.cluster.local')}`)
  for (const [type, reply] of addresses()) bench.cache(target, type, reply)
  for (const suffix of suffixes.slice(0, 2)) {
    const name = `example.com.${suffix}`
    bench.cache(name, 'A', denial(name))
    bench.entry(name).deniesFamily = true
  }
  const entry = bench.entry(`example.com.${suffixes[0]}`)
  entry.expiresMs = bench.nowMs + 3000
  const walk = bench.read()
  assert.equal([walk.refusal, wanted(walk)], [undefined, []])
  assert.is(walk.untilMs, bench.nowMs + 3000 + pairMs)
})

test('a step that exists, or is denied for A alone, leaves the client to walk', () => {
  const name = `example.com.${suffixes[0]}`
  for (const reply of [existence(name), denial(name)]) {
    const bench = new Walking()
    bench.deny('com.cluster.local')
    bench.cache(name, 'A', reply)
    assert.is(bench.read().refusal, 'exists')
  }
})

test('a step that could not be asked leaves the client to walk', () => {
  const bench = new Walking()
  bench.deny('com.cluster.local')
  bench.fail(`example.com.${suffixes[0]}`, 'A')
  assert.is(bench.read().refusal, 'evidence')
})

test('the first reason is told', () => {
  const bench = new Walking()
  bench.deny('com.cluster.local')
  bench.fail(`example.com.${suffixes[0]}`, 'A')
  bench.fail(target, 'A')
  assert.is(bench.read().refusal, 'evidence')
})

const node = 'example.com.ec2.internal'
const withNode = [...suffixes, 'ec2.internal']

function nodeDenied(): Walking {
  const bench = known()
  for (const type of ['A', 'AAAA'] as const) {
    const reply = responseTo(node, type, { rcode: 3, authorities: [soaRecord('internal', 60)] })
    bench.cache(node, type, reply)
  }
  return bench
}

test("the node's denial of one type leaves the other wanted", () => {
  const bench = known()
  const reply = responseTo(node, 'A', { rcode: 3, authorities: [soaRecord('internal', 60)] })
  bench.cache(node, 'A', reply)
  assert.equal(wanted(bench.read(withNode)), [`${node}. 28`])
})

test("a search domain of the node's is wanted for both families", () => {
  assert.equal(wanted(known().read(withNode)), [`${node}. 1`, `${node}. 28`])
})

test("the node's DNS denied both: that counts for five seconds, less a pair, however long it may be kept", () => {
  const bench = nodeDenied()
  assert.equal(wanted(bench.read(withNode)), [])
  assert.is(bench.read(withNode).refusal, undefined)
  const deniedMs = bench.nowMs
  bench.core.nowMs = deniedMs + 5000 - pairMs - 1
  assert.is(bench.read(['ec2.internal']).untilMs, deniedMs + 5000)
  assert.equal(wanted(bench.read(['ec2.internal'])), [])
  bench.core.nowMs += 1
  assert.equal(wanted(bench.read(['ec2.internal'])), [`${node}. 1`, `${node}. 28`])
})

test("a name of the node's domain that exists, for whatever family, leaves the client to walk", () => {
  const data = responseTo(node, 'A', { answers: [aRecord(node, '10.0.0.1')] })
  const empty = responseTo(node, 'AAAA', { authorities: [soaRecord('internal', 60)] })
  for (const [type, reply] of [
    ['A', data],
    ['AAAA', empty],
  ] as const) {
    const bench = known()
    bench.cache(node, type, reply)
    assert.is(bench.read(withNode).refusal, 'exists', type)
  }
})

test("a name of the node's domain that could not be asked leaves the client to walk", () => {
  const bench = known()
  bench.fail(node, 'AAAA')
  assert.is(bench.read(withNode).refusal, 'evidence')
})

test('a step too long to be a name is none', () => {
  const bench = known()
  const label = 'x'.repeat(60)
  const long = Array.from({ length: 4 }, () => label).join('.')
  assert.equal(wanted(bench.read([...suffixes, long])), [])
  assert.is(bench.read([...suffixes, long]).refusal, undefined)
})

test('a cut in use is refreshed before it ends, once', () => {
  const bench = known()
  bench.core.nowMs += 5000 - pairMs - 101
  assert.equal(bench.ask(bench.read()), [])
  bench.core.nowMs += 1
  assert.equal(
    bench.ask(bench.read()),
    cuts.map((cut) => `${cut}. 1`),
  )
  assert.equal(bench.ask(bench.read()), [])
})

test('reading a walk asks nothing, proves nothing and refreshes nothing', () => {
  const bench = new Walking()
  for (const cut of cuts) bench.deny(cut)
  bench.core.nowMs += 5000 - pairMs - 100
  const walk = bench.read()
  assert.equal([walk.wanted.length, bench.takeAsked()], [5, []])
  bench.known.audit.confirm(wire(cuts[0] ?? ''), bench.nowMs)
  assert.is(bench.known.audit.isProved(wire(cuts[0] ?? '')), false)
  assert.equal(wanted(bench.read()), wanted(walk))
})

test('what asking would open is foretold: cuts that are due, and what is wanted; not what is in flight', () => {
  const bench = new Walking()
  for (const cut of cuts) {
    bench.deny(cut)
    bench.prove(wire(cut))
  }
  bench.core.nowMs += 5000 - pairMs - 100
  const walk = bench.read()
  assert.is(walk.cuts.length, 2)
  const foretold = bench.opens(walk)
  assert.equal(bench.takeAsked(), [])
  bench.open(walk)
  assert.equal(
    bench.core.own.take().map(({ key }) => key),
    foretold,
  )
  assert.is(foretold.length, 5, 'two cuts, the last step, and the absolute name for both families')
  assert.equal(bench.opens(walk), [])
})

test('a subject that is wanted for its first denial waits for its proof', () => {
  const bench = new Walking()
  for (const cut of cuts) bench.deny(cut)
  bench.ask(bench.read())
  bench.known.audit.confirm(wire(cuts[0] ?? ''), bench.nowMs)
  assert.is(bench.known.audit.isProved(wire(cuts[0] ?? '')), true)
})

test('what an answer rests on is checked as the denial of each step would be', () => {
  const bench = known()
  assert.equal(bench.check(), [])
  bench.core.later(600)
  for (const cut of cuts) bench.deny(cut)
  assert.equal(bench.check(), [
    ...suffixes.slice(0, 2).map((suffix, i) => `example.com.${suffix}. 1 for ${cuts[i]}.`),
    `example.com.cluster.local. 1 for ${rule}`,
  ])
  assert.equal(bench.check(), [], 'once')
})

test.run()
