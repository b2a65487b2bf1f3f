/*
 * Goal: no denial of a new kind is given before CoreDNS has been asked about one, and whatever contradicts a rule or a cut ends
 * it, audit or not. Method: the pipeline with the search path at trust `declared`, before a made-up CoreDNS.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SearchBench, type SearchBenchOptions } from './support.ts'

const test = suite('core/search/denials-checked')

/** CoreDNS has shown what it is. */
function started(options?: SearchBenchOptions): SearchBench {
  const bench = new SearchBench(options)
  bench.ask('first.org.cluster.local')
  bench.takeAsked()
  return bench
}

const mismatches = (bench: SearchBench) => bench.stage?.counts().mismatches

test('the first name of a shape is asked in each part of the zone, the next is denied at once', () => {
  const bench = started()
  for (const part of ['com.cluster.local', 'com.team-0.svc.cluster.local']) {
    assert.is(bench.rcode(`a.b.c.${part}`), 3)
    assert.equal(
      bench.takeAsked().filter((asked) => asked.startsWith('a.b.c.')),
      [`a.b.c.${part}. A`],
    )
    assert.is(bench.rcode(`d.e.f.${part}`), 3)
    assert.equal(bench.takeAsked(), [])
  }
})

test('the first name below a cut is asked, the next is denied at once', () => {
  const bench = started()
  bench.ask('one.com.team-0.svc.cluster.local')
  assert.ok(bench.takeAsked().includes('com.team-0.svc.cluster.local. A'), 'the cut is probed')
  bench.ask('two.com.team-0.svc.cluster.local')
  assert.equal(bench.takeAsked(), ['two.com.team-0.svc.cluster.local. A'])
  bench.ask('three.com.team-0.svc.cluster.local')
  assert.equal(bench.takeAsked(), [])
})

test('A and AAAA of a first name are one question', () => {
  const bench = started()
  const replies = bench.pair('a.b.c.com.cluster.local')
  assert.equal(
    replies.map((reply) => reply?.rcode),
    [3, 3],
  )
  assert.equal(bench.takeAsked(), ['a.b.c.com.cluster.local. A'])
})

test('where somebody else answers, the rule is off before it has denied anything', () => {
  const bench = started()
  bench.says.set('corp.cluster.local.', 'stranger')
  bench.says.set('db.corp.cluster.local.', { a: '10.4.0.2' })
  assert.is(bench.rcode('h.corp.cluster.local'), 3)
  assert.is(bench.rcode('db.corp.cluster.local'), 0)
  assert.equal(bench.brokenRules, ['h.corp.cluster.local.'])
  assert.is(mismatches(bench), 0)
})

test('a rule by which names were denied is a mismatch when CoreDNS has one of them, asked by whomever', () => {
  const bench = started()
  bench.says.set('db.corp.cluster.local.', { a: '10.4.0.2' })
  bench.ask('x.corp.cluster.local')
  assert.is(bench.rcode('db.corp.cluster.local'), 3, 'nothing can know better')
  // TXT is always asked, and proves nothing; SRV of another part of the zone is asked first.
  bench.says.set('sub.other.cluster.local.', { a: '10.4.0.3' })
  assert.is(bench.rcode('sub.other.cluster.local'), 0)
  assert.equal(bench.mismatches, ['sub.other.cluster.local.'])
  assert.is(bench.rcode('db.corp.cluster.local'), 0, 'the rule is off everywhere')
  assert.is(mismatches(bench), 1)
})

test('below a carve-out nothing is a mismatch', () => {
  const corp = Buffer.from('\x04corp\x07cluster\x05local\0', 'latin1')
  const bench = started({ settings: { carveOuts: [corp] } })
  bench.ask('x.com.cluster.local')
  bench.ask('y.com.cluster.local')
  bench.says.set('corp.cluster.local.', { a: '10.4.0.2' })
  assert.is(bench.rcode('db.corp.cluster.local'), 0)
  bench.takeAsked()
  assert.is(bench.rcode('z.com.cluster.local'), 3)
  assert.equal(bench.takeAsked(), [], 'the rule holds still')
  assert.is(mismatches(bench), 0)
})

test('a name below a cut that is still denied is a mismatch the second time', () => {
  const bench = started()
  const cut = 'com.team-0.svc.cluster.local'
  bench.says.set(`${cut}.`, 'nxdomain')
  bench.ask(`one.${cut}`)
  bench.says.set(`db.${cut}.`, { a: '10.4.0.2' })
  assert.is(bench.rcode(`db.${cut}`), 0, 'it is the first below the cut')
  assert.is(mismatches(bench), 0, 'it may have come since')
  bench.later(6)
  bench.ask(`two.${cut}`)
  bench.ask(`three.${cut}`)
  bench.ask(`four.${cut}`)
  assert.is(mismatches(bench), 1)
  bench.later(1)
  assert.is(bench.rcode(`db.${cut}`), 0, 'the cut is off')
})

test('a CoreDNS that does not answer delays new kinds for two seconds, and known ones not at all', () => {
  const bench = started()
  bench.ask('a.com.cluster.local')
  bench.says.set('cluster.local.', 'servfail')
  assert.is(bench.rcode('b.com.cluster.local'), 3, 'a shape does not grow old')
  assert.is(bench.rcode('a.net.cluster.local'), 2)
  bench.later(2.1)
  assert.is(bench.rcode('b.net.cluster.local'), 3)
})

test.run()
