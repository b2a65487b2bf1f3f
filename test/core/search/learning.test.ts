/*
 * Goal: only a complete, authoritative denial of A by the kubernetes plugin teaches absence; whatever exists ends what denied it.
 * Method: one answer at a time, each differing in one thing from the one that teaches.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SearchKnowledge } from '../../../src/core/search/knowledge.ts'
import { type Learned, SearchLearning } from '../../../src/core/search/learning.ts'
import { name } from '../../fixtures/packets/octets.ts'
import { aRecord, responseTo, soaRecord } from '../support.ts'
import { answeredName, denial, existence, knowledge, observed, shown, wire } from './plugin-says.ts'
import { clusterSoa } from './support.ts'

const test = suite('core/search/learning')

const at = 1_000_000
const zone = 'cluster.local'
const namespace = `team-a.svc.${zone}`
const service = `com.${namespace}`
const host = `www.${service}`
const impossible = `www.example.com.${zone}`
const topRule = 'nothing but svc and pod below the zone'

function learn(
  known: SearchKnowledge,
  qname: string,
  reply: Buffer,
  { lifeSeconds = 5, nowMs = at } = {},
): Learned {
  const learning = new SearchLearning(known)
  return learning.observe(answeredName(qname), observed(reply, lifeSeconds), nowMs)
}

const cutOf = (known: SearchKnowledge, qname: string, nowMs = at) =>
  known.cuts.get(wire(qname), nowMs)

test("the plugin's denial of a cut point is a cut, and shows that CoreDNS answers", () => {
  const known = knowledge()
  const { deniesFamily, probes, brokenRule, revived, refutedCuts } = learn(
    known,
    service,
    denial(service),
  )
  assert.is(deniesFamily, true)
  assert.is(cutOf(known, service)?.exists, false)
  assert.is(cutOf(known, service)?.expiresMs, at + 5000)
  assert.equal([known.trust.fingerprint, known.soa?.ttlSeconds], ['coredns', 5])
  assert.equal([known.stats.learned, known.stats.probes], [1, 1])
  assert.equal(probes.map(shown), [`${namespace}.`], 'what is above is worth a probe')
  assert.equal([revived, refutedCuts, brokenRule], [[], [], undefined])
})

test('a cut lives as long as its evidence', () => {
  const known = knowledge()
  learn(known, service, denial(service), { lifeSeconds: 2 })
  assert.is(cutOf(known, service)?.expiresMs, at + 2000)
})

test('a cut point that was just denied is not probed itself, even if the denial has no life', () => {
  const { probes } = learn(knowledge(), service, denial(service), { lifeSeconds: 0 })
  assert.equal(probes.map(shown), [`${namespace}.`])
})

test('a denial below cut points teaches none, and has those that are unknown probed, widest first', () => {
  const known = knowledge()
  const { probes, deniesFamily } = learn(known, host, denial(host))
  assert.is(deniesFamily, true)
  assert.is(known.cuts.size, 0)
  assert.equal(probes.map(shown), [`${namespace}.`, `${service}.`])
  assert.is(known.stats.learned, 0)
})

test('below a cut that holds nothing is probed', () => {
  const known = knowledge()
  learn(known, namespace, denial(namespace))
  assert.equal(learn(known, host, denial(host)).probes, [])
})

test('what is known to exist is not probed, what is below it is', () => {
  const known = knowledge()
  learn(known, namespace, existence(namespace))
  assert.equal(learn(known, host, denial(host)).probes.map(shown), [`${service}.`])
})

test('where a rule denies a name its cut point is not probed; a cautious level infers nothing and probes nothing', () => {
  assert.equal(learn(knowledge(), impossible, denial(impossible)).probes, [])
  const cautious = knowledge({ trust: 'cautious' })
  assert.equal(learn(cautious, impossible, denial(impossible)).probes, [])
  assert.equal(learn(cautious, host, denial(host)).probes, [])
})

const unsigned = { flags: 0 }
const foreign = { authorities: [soaRecord(zone, 5)] }
const silent: Readonly<Record<string, readonly [Buffer, 'unseen' | 'foreign']>> = {
  'a denial of AAAA': [denial(service, 'AAAA'), 'unseen'],
  'a denial of TXT': [denial(service, 'TXT'), 'unseen'],
  'a truncated denial': [denial(service, 'A', { flags: 0x0600 }), 'unseen'],
  'a denial behind an answer': [
    denial(service, 'A', { answers: [aRecord(service, '10.0.0.1')] }),
    'unseen',
  ],
  'a denial without authority': [denial(service, 'A', unsigned), 'unseen'],
  'a denial with two authorities': [
    denial(service, 'A', { authorities: [clusterSoa(), clusterSoa()] }),
    'unseen',
  ],
  'a denial without SOA': [denial(service, 'A', { authorities: [] }), 'unseen'],
  "a denial with somebody else's SOA": [denial(service, 'A', foreign), 'foreign'],
  'a denial with an SOA of another zone': [
    denial(service, 'A', { authorities: [soaRecord('example.com', 5)] }),
    'foreign',
  ],
  'a failure': [denial(service, 'A', { rcode: 2 }), 'unseen'],
  'a refusal': [denial(service, 'A', { rcode: 5 }), 'unseen'],
}

for (const [what, [reply, fingerprint]] of Object.entries(silent)) {
  test(`${what} teaches no absence`, () => {
    const known = knowledge()
    const learned = learn(known, service, reply)
    assert.equal(
      { ...learned },
      {
        deniesFamily: false,
        probes: [],
        revived: [],
        refutedCuts: [],
        brokenRule: undefined,
      },
    )
    assert.is(known.cuts.size, 0)
    assert.is(known.soa, undefined)
    assert.is(known.trust.fingerprint, fingerprint)
  })
}

test('outside the zone and below a carve-out nothing is learned', () => {
  const known = knowledge({ carveOuts: [name(namespace)] })
  for (const qname of ['com.example', host, namespace]) {
    learn(known, qname, denial(qname))
    learn(known, qname, existence(qname))
  }
  assert.is(known.cuts.size, 0)
  assert.is(known.trust.fingerprint, 'unseen')
})

test('a rule is in force until somebody else denies a name of its shape', () => {
  const known = knowledge()
  const stranger = denial(impossible, 'A', foreign)
  assert.is(learn(known, impossible, stranger).brokenRule, undefined, 'it was not in force')
  learn(known, impossible, denial(impossible))
  assert.is(learn(known, service, denial(service, 'A', foreign)).brokenRule, undefined)
  learn(known, impossible, denial(impossible))
  assert.is(learn(known, impossible, stranger).brokenRule, topRule)
  assert.is(known.trust.fingerprint, 'foreign')
})

test('an unsigned denial breaks a rule too, and says nothing of who answers', () => {
  const known = knowledge()
  learn(known, impossible, denial(impossible))
  assert.is(learn(known, impossible, denial(impossible, 'A', unsigned)).brokenRule, topRule)
  assert.is(known.trust.fingerprint, 'coredns')
})

test('a denial proves the subjects that wait for it: the rule, and each cut point', () => {
  const known = knowledge()
  const subjects = [`${topRule} ${wire(`com.${zone}`)}`, wire(`com.${zone}`)]
  const others = [wire(service), wire(namespace)]
  for (const subject of [...subjects, ...others]) known.audit.noteFirst(subject, at)
  learn(known, impossible, denial(impossible))
  assert.equal(
    subjects.map((subject) => known.audit.isProved(subject)),
    [true, true],
  )
  assert.equal(
    others.map((subject) => known.audit.isProved(subject)),
    [false, false],
  )
  learn(known, host, denial(host))
  assert.equal(
    others.map((subject) => known.audit.isProved(subject)),
    [true, true],
  )
})

for (const type of ['A', 'AAAA', 'HTTPS', 'SRV', 'MX', 'CNAME', 'SVCB'] as const) {
  test(`a name that exists for ${type} ends the cuts at and above it, and they exist`, () => {
    const known = knowledge()
    for (const qname of [namespace, service]) learn(known, qname, denial(qname))
    const { revived, refutedCuts, brokenRule } = learn(known, host, existence(host, type))
    assert.equal(revived.map(shown), [`${host}.`, `${namespace}.`, `${service}.`])
    assert.equal(refutedCuts.map(shown), [`${namespace}.`, `${service}.`])
    assert.is(brokenRule, undefined)
    assert.is(known.stats.killed, 2)
    assert.is(cutOf(known, namespace)?.exists, true)
    assert.is(cutOf(known, service)?.exists, true)
  })
}

test('a cut that exists itself is no refuted one: it came', () => {
  const known = knowledge()
  learn(known, service, denial(service))
  const { revived, refutedCuts } = learn(known, service, existence(service))
  assert.equal(revived.map(shown), [`${service}.`, `${service}.`])
  assert.equal(refutedCuts, [])
})

test('a cautious level does not deny below a cut alone, so none is refuted', () => {
  const known = knowledge({ trust: 'cautious' })
  learn(known, service, denial(service))
  const { revived, refutedCuts } = learn(known, host, existence(host))
  assert.equal(revived.map(shown), [`${host}.`, `${service}.`])
  assert.equal(refutedCuts, [])
})

test('TXT and SOA have data rules of their own: they end a cut and prove nothing', () => {
  for (const type of ['TXT', 'SOA', 'NS'] as const) {
    const known = knowledge()
    learn(known, service, denial(service))
    learn(known, host, denial(host))
    const { revived } = learn(known, host, existence(host, type))
    assert.equal(revived, [], type)
    assert.is(cutOf(known, service), undefined, type)
    assert.is(known.stats.killed, 1, type)
  }
})

test('existence counts for a second at least', () => {
  const known = knowledge()
  learn(known, service, existence(service), { lifeSeconds: 0 })
  assert.is(cutOf(known, service, at + 999)?.exists, true)
  assert.is(cutOf(known, service, at + 1000), undefined)
})

test('a name that a rule has none of breaks the rule, in force or not', () => {
  const { brokenRule, revived } = learn(knowledge(), impossible, existence(impossible))
  assert.is(brokenRule, topRule)
  assert.equal(revived.map(shown), [`${impossible}.`])
  const txt = learn(knowledge(), impossible, existence(impossible, 'TXT'))
  assert.is(txt.brokenRule, undefined, 'but for types with rules of their own')
})

test('NODATA is existence, whoever says so', () => {
  const known = knowledge()
  learn(known, service, denial(service))
  learn(known, service, responseTo(service, 'A', {}))
  assert.is(cutOf(known, service)?.exists, true)
})

test('who says so is read off the SOA', () => {
  const learning = new SearchLearning(knowledge())
  assert.is(learning.isByPlugin(observed(denial(host, 'AAAA'))), true)
  assert.is(learning.isByPlugin(observed(denial(host, 'AAAA', foreign))), false)
  assert.is(learning.isByPlugin(observed(denial(host, 'AAAA', { authorities: [] }))), false)
})

test.run()
