/*
 * Goal: a rule that is broken once is off, a cut that is contradicted twice, and each denial whose turn it is gets checked. Method: an
 * audit run before a core whose own questions and reports the test reads.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Learned } from '../../../src/core/search/learning.ts'
import { AuditBench, denialBy, wire } from './plugin-says.ts'

const test = suite('core/search/audit-run')

const com = wire('com.team-a.svc.cluster.local')
const db = { name: wire('db.com.team-a.svc.cluster.local'), qtype: 1 }
const comText = 'com.team-a.svc.cluster.local.'
const dbText = 'db.com.team-a.svc.cluster.local.'
const rule = 'not the address of a pod'
const never = () => false

const nothing: Learned = {
  deniesFamily: false,
  probes: [],
  revived: [],
  refutedCuts: [],
  brokenRule: undefined,
}

interface Said {
  readonly name: string
  readonly type?: 'A' | 'AAAA'
  readonly rcode: number
  readonly learned?: Partial<Learned>
  readonly audited?: string
}

/** The answer to a question of ours or a client's. */
function finish(bench: AuditBench, { name, type = 'A', rcode, learned, audited }: Said): void {
  const { ticket } = bench.core.ask(name === com ? comText : dbText, type)
  if (ticket === undefined) throw new Error('not asked')
  bench.core.inFlight.close(ticket)
  const finished = { ...ticket, audited }
  bench.run.finish(finished, { name, rcode }, { ...nothing, ...learned }, bench.nowMs)
}

test('a denial that is due is asked for as what it rests on, and counts as checked', () => {
  const bench = new AuditBench()
  bench.run.begin(denialBy(com), db, bench.nowMs, never)
  assert.equal(bench.takeAsked(), [`${dbText} 1 for ${comText}`])
  assert.is(bench.known.audit.audits, 1)
  bench.run.begin(denialBy(com), db, bench.nowMs, never)
  assert.equal(bench.takeAsked(), [])
})

test('a rule is checked by its subject, and asked for by its name', () => {
  const bench = new AuditBench()
  bench.run.begin(denialBy(rule, `${rule} a`), { ...db, qtype: 28 }, bench.nowMs, never)
  assert.equal(bench.takeAsked(), [`${dbText} 28 for ${rule}`])
  assert.equal(
    [`${rule} a`, rule].map((subject) => bench.known.audit.isProved(subject)),
    [true, false],
  )
})

test('a name that CoreDNS denied itself a moment ago is not asked again', () => {
  const bench = new AuditBench()
  bench.run.begin(denialBy(com), db, bench.nowMs, () => true)
  assert.equal(bench.takeAsked(), [])
  assert.is(bench.known.audit.audits, 0)
})

test('an audit that cannot be asked is not begun', () => {
  const bench = new AuditBench()
  bench.core.ask(dbText)
  bench.run.begin(denialBy(com), db, bench.nowMs, never)
  assert.is(bench.known.audit.audits, 0)
})

test('a doubted cut has its name checked before all others', () => {
  const bench = new AuditBench()
  const { contradictions } = bench.known.audit
  bench.known.audit.begin(com, db.name, bench.nowMs)
  contradictions.raise(com, db, bench.nowMs)
  contradictions.hear(com, false, bench.nowMs)
  const other = { name: wire('x.com.team-a.svc.cluster.local'), qtype: 1 }
  bench.run.begin(denialBy(com), other, bench.nowMs, never)
  assert.equal(bench.takeAsked(), [`${dbText} 1 for ${comText}`])
})

test('an audit that finds the name absent changes nothing', () => {
  const bench = new AuditBench()
  finish(bench, { name: db.name, rcode: 3, audited: com })
  assert.equal(bench.takeAsked(), [])
  assert.is(bench.known.audit.isOpen(com, bench.nowMs), false)
})

test('an audit that finds the name has the cut asked for', () => {
  const bench = new AuditBench()
  finish(bench, { name: db.name, rcode: 0, audited: com })
  assert.equal(bench.takeAsked(), [`${comText} 1`])
  assert.equal(bench.mismatches, [])
})

test('an audit of a rule that finds the name is left to the broken rule', () => {
  const bench = new AuditBench()
  finish(bench, { name: db.name, rcode: 0, audited: rule })
  assert.equal(bench.takeAsked(), [])
})

test('a cut that is found by its own A is no contradiction, by its AAAA it is', () => {
  const bench = new AuditBench()
  finish(bench, { name: com, rcode: 0, audited: com })
  assert.equal(bench.takeAsked(), [])
  finish(bench, { name: com, type: 'AAAA', rcode: 0, audited: com })
  assert.equal(bench.takeAsked(), [`${comText} 1`])
})

test('a failure says nothing', () => {
  for (const rcode of [2, 5]) {
    const bench = new AuditBench()
    const learned = { refutedCuts: [com], brokenRule: rule }
    finish(bench, { name: db.name, rcode, audited: com, learned })
    assert.equal(bench.takeAsked(), [])
    assert.equal(bench.brokenRules, [])
  }
})

/** An audit found a name below the cut, and the cut is denied still. */
function contradicted(bench: AuditBench): void {
  finish(bench, { name: db.name, rcode: 0, audited: com })
  assert.equal(bench.takeAsked(), [`${comText} 1`])
  finish(bench, { name: com, rcode: 3 })
}

test('a cut that is denied still rests for five seconds, the second time it is off for ten minutes', () => {
  const bench = new AuditBench()
  const { audit } = bench.known
  contradicted(bench)
  assert.is(audit.isOpen(com, bench.nowMs + 4999), true)
  assert.is(audit.isOpen(com, bench.nowMs + 5000), false)
  assert.equal(bench.mismatches, [])
  bench.core.later(6)
  contradicted(bench)
  assert.equal(bench.mismatches, [`${dbText} by ${comText}`])
  assert.is(audit.mismatches, 1)
  assert.is(audit.isOpen(com, bench.nowMs + 599_999), true)
  assert.is(audit.isOpen(com, bench.nowMs + 600_000), false)
})

test('only A speaks for a cut', () => {
  const bench = new AuditBench()
  finish(bench, { name: db.name, rcode: 0, audited: com })
  finish(bench, { name: com, type: 'AAAA', rcode: 3 })
  assert.is(bench.known.audit.isOpen(com, bench.nowMs), false)
  finish(bench, { name: com, rcode: 3 })
  assert.is(bench.known.audit.isOpen(com, bench.nowMs), true)
})

test('an audit that confirms the doubted name ends the doubt', () => {
  const bench = new AuditBench()
  contradicted(bench)
  finish(bench, { name: db.name, rcode: 3, audited: com })
  bench.core.later(6)
  contradicted(bench)
  assert.equal(bench.mismatches, [], 'that is the first time again')
})

test("a client's answer refutes cuts as an audit does, unless they are off", () => {
  const bench = new AuditBench()
  finish(bench, { name: db.name, rcode: 0, learned: { refutedCuts: [com] } })
  assert.equal(bench.takeAsked(), [`${comText} 1`])
  finish(bench, { name: com, rcode: 3 })
  finish(bench, { name: db.name, rcode: 0, learned: { refutedCuts: [com] } })
  assert.equal(bench.takeAsked(), [], 'it rests')
})

test('a rule by which something was denied is a mismatch when a name exists against it', () => {
  const bench = new AuditBench()
  bench.known.audit.noteUse(rule)
  finish(bench, { name: db.name, rcode: 0, learned: { brokenRule: rule } })
  assert.equal(bench.mismatches, [`${dbText} by ${rule}`])
  assert.equal(bench.brokenRules, [])
  assert.is(bench.known.audit.isOpen(rule, bench.nowMs + 599_999), true)
})

test('a rule by which nothing was denied is broken, told once, and off', () => {
  const bench = new AuditBench()
  finish(bench, { name: db.name, rcode: 0, learned: { brokenRule: rule } })
  finish(bench, { name: db.name, rcode: 0, learned: { brokenRule: rule } })
  assert.equal(bench.brokenRules, [`${dbText} by ${rule}`])
  assert.equal(bench.mismatches, [])
  assert.is(bench.known.audit.isOpen(rule, bench.nowMs), true)
})

test("a rule that somebody else's denial breaks is no mismatch, though it was used", () => {
  const bench = new AuditBench()
  bench.known.audit.noteUse(rule)
  finish(bench, { name: db.name, rcode: 3, learned: { brokenRule: rule } })
  assert.equal(bench.brokenRules, [`${dbText} by ${rule}`])
  assert.equal(bench.mismatches, [])
})

test('a rule that stays broken stays off', () => {
  const bench = new AuditBench()
  finish(bench, { name: db.name, rcode: 0, learned: { brokenRule: rule } })
  bench.core.later(599)
  finish(bench, { name: db.name, rcode: 0, learned: { brokenRule: rule } })
  assert.is(bench.known.audit.isOpen(rule, bench.nowMs + 599_999), true)
})

test.run()
