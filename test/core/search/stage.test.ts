/**
 * Goal: the search stage denies on evidence, lets the first of a kind be asked, tells all types of a name and both halves of a look-up the
 * same, and foretells what it will do. Method: the stage alone, before the search path of a bench that has learned something.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { pairMs } from '../../../src/core/search/pairs.ts'
import { SearchStage } from '../../../src/core/search/stage.ts'
import { Client } from '../../pipeline/support.ts'
import type { QueryOptions, TypeName } from '../../support/client/dns-message.ts'
import { client, foretold, inquire } from '../stages/support.ts'
import { wire } from './plugin-says.ts'
import { SearchBench, type SearchBenchOptions } from './support.ts'

const test = suite('core/search/stage')

const zone = 'cluster.local'
const service = `com.team-0.svc.${zone}`
const host = `www.${service}`
const deniedFor = { rcode: 3, source: ReplySource.synthesised }

class Staged {
  readonly bench: SearchBench
  readonly stage: SearchStage

  constructor(options?: SearchBenchOptions) {
    this.bench = new SearchBench(options)
    this.stage = new SearchStage({ path: this.bench.stage }, this.bench.bench.router)
    // Whole milliseconds, in which the evidence is kept.
    this.bench.bench.frozenMs = Math.ceil(this.bench.bench.nowMs())
  }

  get path() {
    const { stage } = this.bench
    if (stage === undefined) throw new Error('no search path')
    return stage
  }

  /** CoreDNS has denied the service and a name below it, so that a cut denies the rest. */
  denying(): this {
    this.bench.saysOf.set(`team-0.svc.${zone}.`, {})
    for (const label of ['h1', 'h2']) this.bench.rcode(`${label}.${service}`)
    this.bench.takeAsked()
    return this
  }

  inquire(qname: string, type: TypeName = 'A', options: QueryOptions = {}) {
    return inquire(this.bench.bench, qname, type, options)
  }

  foretold(qname: string, type: TypeName = 'A', options: QueryOptions = {}) {
    const { inFlight, cache, own, failures } = this.bench.bench
    const state = { path: this.path, inFlight, cache, own, failures }
    return foretold(state, this.stage, this.inquire(qname, type, options))
  }

  /** @returns whether the stage has decided, and what */
  commit(qname: string, type: TypeName = 'A') {
    const inquiry = this.inquire(qname, type)
    const finding = this.stage.judge(inquiry)
    const isDecided = finding !== undefined && this.stage.commit(inquiry, finding)
    return { isDecided, decision: inquiry.decision }
  }

  later(ms: number): void {
    this.bench.bench.frozenMs = this.bench.bench.nowMs() + ms
  }
}

test('questions of other types, of validating clients and of other zones are left alone', () => {
  const staged = new Staged().denying()
  assert.is(staged.foretold(host, 'TXT'), undefined)
  assert.is(staged.foretold(host, 'A', { do: true }), undefined)
  assert.is(staged.foretold(host, 'A', { cd: true }), undefined)
  assert.is(staged.foretold('www.example.com'), undefined)
  assert.is(staged.foretold(host)?.kind, 'reply')
})

test('without a search path the stage has nothing to say', () => {
  const staged = new Staged().denying()
  const bare = new SearchStage({ path: undefined }, staged.bench.bench.router)
  assert.is(bare.judge(staged.inquire(host)), undefined)
  assert.equal(bare.evidence(staged.inquire(host)), ['search    off'])
  assert.equal(bare.evidence(staged.inquire('www.example.com')), [])
})

test('a name below a cut gets NXDOMAIN with the SOA of CoreDNS, for as long as the cut lives', () => {
  const staged = new Staged().denying()
  staged.later(1500)
  const { isDecided, decision } = staged.commit(host)
  assert.is(isDecided, true)
  const { isReply, rcode, source, ede, zoneIndex, image } = decision
  assert.equal([isReply, ede, zoneIndex], [true, -1, 0])
  assert.equal({ rcode, source }, deniedFor)
  // MINIMUM of the SOA: 5 s of the cut, less those that are over.
  assert.is(image?.readUInt32BE(image.length - 4), 3)
  assert.is(staged.path.known.stats.cut, 1)
})

test('the denial is foretold, with its evidence', () => {
  const outcome = new Staged().denying().foretold(host)
  assert.is(outcome?.kind, 'reply')
  if (outcome?.kind !== 'reply') return
  assert.equal({ rcode: outcome.rcode, source: outcome.source }, deniedFor)
  assert.is(outcome.why, `without asking, for 5 s: ${service}. does not exist`)
  assert.ok(outcome.image !== undefined)
})

test('the first of a kind is left to be asked, and remembered only when that is carried out', () => {
  const staged = new Staged().denying()
  const rule = `a.b.org.${zone}`
  assert.equal(staged.foretold(rule), {
    kind: 'pass',
    why: 'the first of its kind is asked, not denied',
  })
  const denial = staged.path.judge.denialOf(
    staged.inquire(rule).key.name,
    staged.inquire(rule).key.nameBytes,
    staged.bench.bench.nowMs(),
  )
  const { audit } = staged.path.known
  const subject = denial?.subject ?? ''
  audit.confirm(subject, staged.bench.bench.nowMs())
  assert.is(audit.isProved(subject), false, 'foretelling has remembered nothing')
  assert.is(staged.commit(rule).isDecided, false)
  audit.confirm(subject, staged.bench.bench.nowMs())
  assert.is(audit.isProved(subject), true)
  assert.is(staged.commit(rule).isDecided, true)
})

test('a denial is the other half of its pair, even when the evidence has ended between them', () => {
  const staged = new Staged().denying()
  assert.is(staged.commit(host).isDecided, true)
  staged.path.known.cuts.learnExistence(wire(service), 5, staged.bench.bench.nowMs())
  const held = staged.foretold(host, 'AAAA')
  assert.is(held?.kind, 'reply')
  assert.is(held?.why, 'the other type of this look-up was denied just now')
  const { isDecided, decision } = staged.commit(host, 'AAAA')
  assert.equal([isDecided, decision.rcode], [true, 3])
  const { image } = decision
  assert.is(image?.readUInt32BE(image.length - 4), 0, 'nobody may keep it')
  assert.is(staged.foretold(host, 'AAAA')?.kind, 'wait', 'the pair is whole')
})

test('the other half is held for a quarter of a second', () => {
  const staged = new Staged().denying()
  staged.commit(host)
  staged.path.known.cuts.learnExistence(wire(service), 5, staged.bench.bench.nowMs())
  staged.later(pairMs - 1)
  assert.is(staged.foretold(host, 'AAAA')?.kind, 'reply')
  staged.later(1)
  assert.is(staged.foretold(host, 'AAAA')?.kind, 'wait')
})

test('the same type again is another look-up: the half that was held is free', () => {
  const staged = new Staged().denying()
  staged.commit(host)
  staged.path.known.cuts.learnExistence(wire(service), 5, staged.bench.bench.nowMs())
  const held = () => {
    const member = staged.inquire(host, 'AAAA').member()
    return staged.path.family.pairs.holds(member, staged.bench.bench.nowMs())
  }
  assert.is(staged.foretold(host)?.kind, 'pass')
  assert.is(held(), true, 'foretelling has ended nothing')
  assert.is(staged.commit(host).isDecided, false)
  assert.is(held(), false)
})

test("CoreDNS's denial of A is given to every type of the name", () => {
  const staged = new Staged()
  const name = `db.team-0.svc.${zone}`
  assert.is(staged.bench.rcode(name), 3)
  staged.path.known.cuts.learnExistence(wire(name), 0, staged.bench.bench.nowMs())
  staged.later(pairMs)
  const outcome = staged.foretold(name, 'AAAA')
  assert.is(outcome?.why, 'A was denied, and so is every type of the name')
  const { isDecided, decision } = staged.commit(name, 'AAAA')
  assert.equal([isDecided, decision.rcode], [true, 3])
  assert.equal([decision.source, staged.path.family.shared], [ReplySource.cacheDenial, 1])
  assert.ok(decision.stored !== undefined)
})

test('AAAA of a name in doubt waits for A, which tells whether it exists', () => {
  const staged = new Staged()
  const name = `db.team-0.svc.${zone}`
  const outcome = staged.foretold(name, 'AAAA')
  assert.is(outcome?.kind, 'wait')
  if (outcome?.kind !== 'wait') return
  assert.equal([outcome.follows, outcome.starts, outcome.group], ['existence', true, 'cluster'])
  const { isDecided, decision } = staged.commit(name, 'AAAA')
  assert.equal([isDecided, decision.isReply, decision.starts], [true, false, true])
  assert.is(decision.follows, 'existence')
  assert.is(decision.ticket?.key, outcome.key)
  assert.is(staged.inquire(name).key.text(), outcome.key, "it is A's")
  const again = staged.commit(name, 'AAAA').decision
  assert.equal([again.ticket, again.starts], [decision.ticket, false], 'it is asked once')
})

test('a question that has waited often enough is asked itself', () => {
  const staged = new Staged()
  const patient = { asker: { ...client, turns: 2 } }
  const asked = inquire(staged.bench.bench, `db.team-0.svc.${zone}`, 'AAAA', patient)
  assert.is(staged.stage.judge(asked), undefined)
})

test('names below a cut that has ended wait for one question about the cut', () => {
  const staged = new Staged().denying()
  staged.later(5000)
  const outcome = staged.foretold(host)
  assert.is(outcome?.kind, 'wait')
  assert.is(outcome?.why, `asks first if ${service}. exists`)
  const { decision } = staged.commit(host)
  assert.equal([decision.starts, decision.follows], [true, 'existence'])
  const sibling = staged.commit(`ftp.${service}`).decision
  assert.equal([sibling.ticket, sibling.starts], [decision.ticket, false])
})

test('a cut whose answer taught nothing is not asked twice', () => {
  const staged = new Staged().denying()
  staged.later(5000)
  const { ticket } = staged.commit(host).decision
  if (ticket === undefined) throw new Error('the cut is asked')
  staged.bench.bench.inFlight.close(ticket)
  assert.is(staged.stage.judge(staged.inquire(`ftp.${service}`)), undefined)
})

test('a half whose other half already waits for CoreDNS is not denied meanwhile', () => {
  const staged = new Staged()
  staged.bench.rcode(`first.org.${zone}`)
  staged.bench.isHolding = true
  const { clientPort: port } = client
  const asking = new Client({ host: client.clientAddress(), port })
  staged.bench.ask(host, 'A', asking)
  staged.path.known.cuts.learnAbsence(wire(service), 5, staged.bench.bench.nowMs())
  staged.path.known.audit.noteFirst(wire(service), staged.bench.bench.nowMs())
  staged.path.known.audit.confirm(wire(service), staged.bench.bench.nowMs())
  assert.is(staged.foretold(`ftp.${service}`)?.kind, 'reply', 'the cut is in force')
  const outcome = staged.foretold(host, 'AAAA')
  assert.is(outcome?.kind, 'wait')
  assert.is(outcome?.why, 'asks first for A, which tells if the name exists')
  assert.is(staged.foretold(host), undefined, 'A joins its own question')
})

test.run()
