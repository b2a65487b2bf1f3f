/**
 * Goal: a name is denied without asking only on evidence that holds now, in a zone that may be trusted, and for questions that may be judged
 * at all. Method: what is known is set by single denials of CoreDNS, then one thing is taken away or changed.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Judgement, SearchJudge } from '../../../src/core/search/denial.ts'
import type { SearchKnowledge, SearchPathSettings } from '../../../src/core/search/knowledge.ts'
import { SearchLearning } from '../../../src/core/search/learning.ts'
import { pairMs } from '../../../src/core/search/pairs.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { name } from '../../fixtures/packets/octets.ts'
import { type QueryOptions, type TypeName, writeQuery } from '../../support/client/dns-message.ts'
import { stateOf } from '../state.ts'
import { answeredName, denial, existence, knowledge, observed, shown, wire } from './plugin-says.ts'

const test = suite('core/search/denial')

const at = 1_000_000
const zone = 'cluster.local'
const namespace = `team-a.svc.${zone}`
const service = `com.${namespace}`
const host = `www.${service}`
const impossible = `www.example.com.${zone}`
const rule = 'nothing but svc and pod below the zone'

class Judging {
  readonly known: SearchKnowledge
  readonly judge: SearchJudge
  nowMs = at

  constructor(changes: Partial<SearchPathSettings> = {}) {
    this.known = knowledge(changes)
    this.judge = new SearchJudge(this.known)
  }

  learn(qname: string, reply: Buffer): void {
    const learning = new SearchLearning(this.known)
    learning.observe(answeredName(qname), observed(reply), this.nowMs)
  }

  deny(...qnames: readonly string[]): this {
    for (const qname of qnames) this.learn(qname, denial(qname))
    return this
  }

  /** The judgement, which changes nothing. */
  of(qname: string): Judgement {
    const octets = Buffer.from(name(qname))
    const before = stateOf(this.known)
    const judgement = this.judge.judgementOf(octets, octets.length, this.nowMs)
    assert.is(stateOf(this.known), before, 'judging leaves no trace')
    return judgement
  }

  /** What a denial rests on; undefined when there is none. */
  kind(qname: string): string | undefined {
    const judgement = this.of(qname)
    if (judgement === undefined || judgement === 'outside') return judgement
    return judgement.evidence === 'cut' ? shown(judgement.kind) : judgement.kind
  }

  lapsed(qname: string): string | undefined {
    const octets = Buffer.from(name(qname))
    const lapsed = this.judge.lapsedCut(octets, octets.length, this.nowMs)
    return lapsed && shown(lapsed.name)
  }

  isDoubtful(qname: string): boolean {
    const octets = Buffer.from(name(qname))
    return this.judge.isDoubtful(octets, octets.length, this.nowMs)
  }
}

function question(type: TypeName | number, options: QueryOptions = {}): Question {
  const query = writeQuery(host, type, { ednsBytes: 1232, ...options })
  const into = new Question()
  readQuestion(query, query.length, into)
  return into
}

test('only types that share the existence of a name are judged, and no validating client', () => {
  const { judge } = new Judging()
  for (const type of ['A', 'AAAA', 'CNAME', 'MX', 'SRV', 'SVCB', 'HTTPS'] as const)
    assert.is(judge.isJudged(question(type)), true, type)
  for (const type of ['TXT', 'SOA', 'NS', 'PTR', 255] as const)
    assert.is(judge.isJudged(question(type)), false, `${type}`)
  assert.is(judge.isJudged(question('A', { do: true })), false)
  assert.is(judge.isJudged(question('A', { cd: true })), false)
})

test('names outside the zone are not judged', () => {
  const bench = new Judging().deny(service, impossible)
  for (const qname of ['www.example.com', 'local', 'xcluster.local', '.'])
    assert.is(bench.of(qname), 'outside', qname)
  assert.is(bench.judge.isInZone(Buffer.from(name(host)), name(host).length), true)
  assert.is(bench.judge.isInZone(Buffer.from(name('local')), 7), false)
})

test('nothing is denied before CoreDNS itself has denied something', () => {
  const bench = new Judging()
  for (const qname of [impossible, host, service]) assert.is(bench.of(qname), undefined, qname)
})

test('a shape that cannot exist is denied by its rule, for as long as CoreDNS lets a denial live', () => {
  const bench = new Judging().deny(service)
  assert.equal(bench.of(impossible), {
    evidence: 'structure',
    kind: rule,
    subject: `${rule} ${wire(`com.${zone}`)}`,
    ttlSeconds: 5,
    cut: undefined,
  })
})

test('a name below a cut is denied by the cut, to its end less a pair', () => {
  const bench = new Judging().deny(service)
  assert.is(bench.kind(host), `${service}.`)
  assert.is(bench.kind(service), `${service}.`)
  assert.is(bench.kind(`www.org.${namespace}`), undefined, 'another Service')
  bench.nowMs = at + 2001
  const judgement = bench.of(host)
  assert.is(judgement !== 'outside' && judgement?.ttlSeconds, 2, 'whole seconds that are left')
  bench.nowMs = at + 5000 - pairMs - 1
  assert.is(bench.kind(host), `${service}.`)
  bench.nowMs += 1
  assert.is(bench.kind(host), undefined)
})

test('the widest of several cuts denies', () => {
  assert.is(new Judging().deny(service, namespace).kind(host), `${namespace}.`)
})

test('names that only CoreDNS can tell of are never denied', () => {
  const bench = new Judging().deny(service, namespace, impossible)
  for (const qname of [zone, `svc.${zone}`, `dns-version.${zone}`])
    assert.is(bench.of(qname), undefined, qname)
})

test('what exists ends the denial', () => {
  const bench = new Judging().deny(service)
  bench.learn(host, existence(host))
  assert.is(bench.of(host), undefined)
})

test('a zone where somebody else answers has no rules, and cuts all the same', () => {
  const bench = new Judging().deny(service)
  bench.known.trust.fingerprint = 'foreign'
  assert.is(bench.of(impossible), undefined)
  assert.is(bench.kind(host), `${service}.`)
})

test('at and below a carve-out no type waits for what another says of the name', () => {
  const bench = new Judging({ carveOuts: [name(namespace)] })
  assert.equal([bench.isDoubtful(service), bench.isDoubtful(host)], [false, false])
})

test('what is carved out is asked', () => {
  const bench = new Judging({ carveOuts: [name(namespace)] })
  bench.deny(`com.team-b.svc.${zone}`)
  bench.known.cuts.learnAbsence(wire(service), 5, at)
  assert.is(bench.of(host), undefined)
  assert.is(bench.kind(`www.com.team-b.svc.${zone}`), `com.team-b.svc.${zone}.`)
})

test('what a breaker has switched off is asked, and nothing else', () => {
  const bench = new Judging().deny(service, `org.${namespace}`)
  bench.known.audit.trip(wire(service), at)
  assert.is(bench.of(host), undefined)
  assert.is(bench.kind(`www.org.${namespace}`), `org.${namespace}.`)
  bench.known.audit.trip(rule, at)
  assert.is(bench.of(impossible), undefined)
})

test('a cautious zone denies no name by what is known of another', () => {
  const bench = new Judging({ trust: 'cautious' }).deny(service, host, `com.${zone}`)
  for (const qname of [host, `ftp.${service}`, impossible, service])
    assert.is(bench.of(qname), undefined, qname)
})

test('a cut that ended within a minute is worth asking again in place of the names below it', () => {
  const bench = new Judging().deny(service)
  const endMs = at + 5000 - pairMs
  assert.is(bench.lapsed(host), undefined, 'it still holds')
  bench.nowMs = endMs
  assert.is(bench.lapsed(host), `${service}.`)
  assert.is(bench.lapsed(service), undefined, 'the cut itself is asked anyway')
  assert.is(bench.lapsed('www.example.com'), undefined)
  bench.nowMs = endMs + 59_999
  assert.is(bench.lapsed(host), `${service}.`)
  bench.nowMs += 1
  assert.is(bench.lapsed(host), undefined)
})

test('an ended cut that is switched off, carved out or in a cautious zone is not asked for', () => {
  const ended = (changes: Partial<SearchPathSettings> = {}) => {
    const bench = new Judging(changes).deny(`org.team-b.svc.${zone}`)
    bench.known.cuts.learnAbsence(wire(service), 5, at)
    bench.nowMs = at + 5000
    return bench
  }
  assert.is(ended().lapsed(host), `${service}.`)
  const tripped = ended()
  tripped.known.audit.trip(wire(service), at)
  assert.is(tripped.lapsed(host), undefined)
  assert.is(ended({ carveOuts: [name(namespace)] }).lapsed(host), undefined)
  assert.is(ended({ trust: 'cautious' }).lapsed(host), undefined)
})

test('a name may be doubted until it was seen to exist', () => {
  const bench = new Judging()
  assert.equal([bench.isDoubtful(service), bench.isDoubtful(host)], [true, true])
  bench.learn(service, existence(service))
  assert.equal([bench.isDoubtful(service), bench.isDoubtful(host)], [false, true])
  assert.equal([bench.isDoubtful('www.example.com'), bench.isDoubtful(zone)], [false, false])
})

test('a name in text is denied as the same name in bytes', () => {
  const bench = new Judging().deny(service)
  assert.is(bench.judge.isDenied(wire(host), at), true)
  assert.is(bench.judge.isDenied(wire(`www.org.${namespace}`), at), false)
  assert.is(bench.judge.isDenied(wire('www.example.com'), at), false)
})

test('all evidence of a name is told: shape, rule, cuts, trust and breakers', () => {
  const bench = new Judging().deny(service)
  bench.known.audit.trip(rule, at)
  const explain = (qname: string) => {
    const octets = Buffer.from(name(qname))
    return bench.judge.explain(octets, octets.length, at)
  }
  const { cuts, ...others } = explain(host)
  assert.equal(
    cuts.map(({ name: cutName, known }) => [shown(cutName), known?.exists]),
    [
      [`${namespace}.`, undefined],
      [`${service}.`, false],
    ],
  )
  assert.equal(others, {
    shape: 'exists only if its Service does',
    rule: undefined,
    trust: 'declared',
    fingerprint: 'coredns',
    isCarvedOut: false,
    openBreakers: [rule],
  })
  const shape = explain(impossible)
  assert.equal([shape.shape, shape.rule], ['nothing of this shape exists', rule])
})

test.run()
