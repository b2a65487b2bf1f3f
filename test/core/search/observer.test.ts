/*
 * Goal: what the cluster's DNS says is worth to the cache what it proves, a denial that contradicts a fresh answer is not kept, and a
 * name that exists loses its older denials. Method: a core that has learned what a test lets it, and one answer more.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SearchPathSettings } from '../../../src/core/search/knowledge.ts'
import { type Observation, SearchObserver } from '../../../src/core/search/observer.ts'
import type { QueryOptions, TypeName } from '../../support/client/dns-message.ts'
import { record, responseTo, soaRecord } from '../support.ts'
import { AuditBench, denial, existence, observed, wire } from './plugin-says.ts'

const test = suite('core/search/observer')

const service = 'com.team-a.svc.cluster.local'
const host = `www.${service}`
const foreign = { authorities: [soaRecord('cluster.local', 5)] }

class Observing extends AuditBench {
  private readonly observer: SearchObserver

  constructor(changes: Partial<SearchPathSettings> = {}) {
    super(changes)
    const { known, core, run } = this
    this.observer = new SearchObserver({ known, cache: core.cache, own: core.own, auditRun: run })
  }

  /** The cache has it. */
  learn(qname: string, type: TypeName, reply: Buffer): void {
    this.core.answer(this.core.ask(qname, type).ticket, reply)
  }

  /** An answer that comes in now, whatever the cache has. */
  observe(qname: string, type: TypeName, reply: Buffer, options: QueryOptions = {}): Observation {
    const { core } = this
    const { ticket } = core.ask(qname, type, options)
    const asked = ticket ?? this.expired(qname, type, options)
    core.inFlight.close(asked)
    return this.observer.observe(asked, observed(reply), core.nowMs)
  }

  has(qname: string, type: TypeName): boolean {
    const { reply, ticket } = this.core.ask(qname, type)
    if (ticket !== undefined) this.core.inFlight.close(ticket)
    return reply !== undefined
  }

  /** The ticket of a question whose own answer is in the cache. */
  private expired(qname: string, type: TypeName, options: QueryOptions) {
    const { ticket } = new AuditBench().core.ask(qname, type, options)
    if (ticket === undefined) throw new Error('not asked')
    return ticket
  }
}

test("the plugin's denial of A denies the family, and has the cuts above it probed", () => {
  const bench = new Observing()
  const observation = bench.observe(host, 'A', denial(host))
  assert.equal({ ...observation }, { deniesFamily: true, isContradiction: false })
  assert.equal(bench.takeAsked(), ['team-a.svc.cluster.local. 1', `${service}. 1`])
})

test("somebody else's denial denies its own type", () => {
  const bench = new Observing()
  const observation = bench.observe(host, 'A', denial(host, 'A', foreign))
  assert.equal({ ...observation }, { deniesFamily: false, isContradiction: false })
})

/** Lives for 30 s in the cache. */
const found = responseTo(service, 'AAAA', {
  answers: [record(service, 'AAAA', Buffer.alloc(16), 30)],
})

for (const [seconds, isContradiction] of [
  [0, true],
  [4.999, true],
  [5, false],
] as const) {
  const what = isContradiction ? 'contradicts it, and teaches nothing' : 'is news'
  test(`a denial of A ${seconds} s after AAAA was found ${what}`, () => {
    const bench = new Observing()
    bench.learn(service, 'AAAA', found)
    bench.core.later(seconds)
    const observation = bench.observe(service, 'A', denial(service))
    assert.is(observation.isContradiction, isContradiction)
    assert.is(bench.known.stats.learned, isContradiction ? 0 : 1)
  })
}

test('what was denied for the other type is no contradiction', () => {
  const bench = new Observing()
  bench.learn(service, 'AAAA', denial(service, 'AAAA'))
  assert.is(bench.observe(service, 'A', denial(service)).isContradiction, false)
})

test("the plugin's denial of AAAA alone is never kept, a stranger's is", () => {
  const bench = new Observing()
  assert.is(bench.observe(host, 'AAAA', denial(host, 'AAAA')).isContradiction, true)
  assert.is(bench.observe(host, 'AAAA', denial(host, 'AAAA', foreign)).isContradiction, false)
})

test("a stranger's denial of A beside a fresh AAAA is kept: it is about A alone", () => {
  const bench = new Observing()
  bench.learn(host, 'AAAA', existence(host, 'AAAA'))
  const { isContradiction, deniesFamily } = bench.observe(host, 'A', denial(host, 'A', foreign))
  assert.equal([isContradiction, deniesFamily], [false, false])
  assert.is(bench.has(host, 'AAAA'), true)
})

test('a denial of AAAA with DO goes by what is known of A with DO', () => {
  const bench = new Observing()
  const options = { do: true, ednsBytes: 1232 }
  const observe = () => bench.observe(host, 'AAAA', denial(host, 'AAAA'), options).isContradiction
  assert.is(observe(), false)
  bench.learn(host, 'A', existence(host))
  assert.is(observe(), false, 'that was asked without DO')
  bench.core.answer(bench.core.ask(host, 'A', options).ticket, existence(host))
  assert.is(observe(), true)
})

test('a denial of another type contradicts a fresh A, if the plugin says it', () => {
  const bench = new Observing()
  assert.is(bench.observe(host, 'HTTPS', denial(host, 'HTTPS')).isContradiction, false)
  bench.learn(host, 'A', existence(host))
  assert.is(bench.observe(host, 'HTTPS', denial(host, 'HTTPS')).isContradiction, true)
  assert.is(bench.observe(host, 'HTTPS', denial(host, 'HTTPS', foreign)).isContradiction, false)
  bench.core.later(6)
  assert.is(bench.observe(host, 'HTTPS', denial(host, 'HTTPS')).isContradiction, false, 'it is old')
})

test('a denial of TXT is no contradiction: TXT has rules of its own', () => {
  const bench = new Observing()
  bench.learn(host, 'A', existence(host))
  assert.is(bench.observe(host, 'TXT', denial(host, 'TXT')).isContradiction, false)
})

test('NODATA and failures are no contradiction', () => {
  const bench = new Observing()
  bench.learn(host, 'A', existence(host))
  assert.is(bench.observe(host, 'AAAA', existence(host, 'AAAA')).isContradiction, false)
  assert.is(bench.observe(host, 'AAAA', denial(host, 'AAAA', { rcode: 2 })).isContradiction, false)
})

test('a contradiction of a doubted cut is heard still, though nothing is learned from it', () => {
  const bench = new Observing()
  bench.learn(service, 'AAAA', existence(service, 'AAAA'))
  const { audit } = bench.known
  const cut = wire(service)
  audit.contradictions.raise(cut, { name: `\x02db${cut}`, qtype: 1 }, bench.nowMs)
  bench.observe(service, 'A', denial(service))
  assert.is(audit.isOpen(cut, bench.nowMs), true)
})

test('a name that exists loses its older denials, for all types that share its existence', () => {
  const bench = new Observing()
  bench.learn(host, 'A', denial(host))
  bench.learn(host, 'HTTPS', denial(host, 'HTTPS'))
  bench.learn(host, 'TXT', denial(host, 'TXT'))
  bench.observe(host, 'AAAA', existence(host, 'AAAA'))
  assert.equal(
    (['A', 'HTTPS', 'TXT'] as const).map((type) => bench.has(host, type)),
    [false, false, true],
  )
})

test('NODATA is no denial of the name, and stays', () => {
  const bench = new Observing()
  bench.learn(host, 'HTTPS', existence(host, 'HTTPS'))
  bench.learn(host, 'SRV', denial(host, 'SRV'))
  bench.observe(host, 'A', existence(host))
  assert.is(bench.has(host, 'SRV'), false)
  assert.is(bench.has(host, 'HTTPS'), true)
})

test('the cuts above a name that exists lose their denials, too', () => {
  const bench = new Observing()
  bench.observe(service, 'A', denial(service))
  bench.learn(service, 'A', denial(service))
  bench.observe(host, 'A', existence(host))
  assert.is(bench.has(service, 'A'), false)
})

test('denials of other names stay', () => {
  const bench = new Observing()
  bench.learn(`ftp.${service}`, 'A', denial(`ftp.${service}`))
  bench.observe(host, 'AAAA', existence(host, 'AAAA'))
  assert.is(bench.has(`ftp.${service}`, 'A'), true)
})

test('a name against a rule is reported by its own name', () => {
  const bench = new Observing()
  const odd = 'db.corp.cluster.local'
  bench.observe(odd, 'A', existence(odd))
  assert.equal(bench.brokenRules, [`${odd}. by nothing but svc and pod below the zone`])
})

test.run()
