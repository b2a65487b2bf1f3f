/**
 * Goal: without a server of the cluster its names get a denial with a reason and nobody is asked; zones of their own, other names and other settings are left alone.
 * Method: queries through the pipeline, without a socket; replies read by the tests' own decoder.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../../src/config/load.ts'
import { foretell } from '../../../src/core/explain.ts'
import { unlimited } from '../../../src/local/bounded.ts'
import { UnservedStage } from '../../../src/local/unserved/stage.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { name } from '../../fixtures/packets/octets.ts'
import { Bench, Client } from '../../pipeline/support.ts'
import { type QueryOptions, type TypeName, writeQuery } from '../../support/client/dns-message.ts'

const test = suite('local/unserved/stage')

interface Situation {
  readonly unserved?: readonly string[]
  readonly claimed?: readonly string[]
  readonly unservedRcode?: 'nxdomain' | 'refused' | 'servfail'
}

function outlook({ unserved = ['cluster.local'], claimed = [], unservedRcode }: Situation) {
  const read = loadConfig({ file: { name: 'test.yaml', text: '{}' } })
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return {
    settings: read.config,
    claimed: ['cluster.local', ...claimed].map(name),
    unserved: unserved.map(name),
    unservedRcode: unservedRcode ?? 'nxdomain',
    limitsOf: () => unlimited,
    textOf: () => '',
  }
}

function started(situation: Situation = {}) {
  const stage = new UnservedStage(outlook(situation))
  const bench = new Bench({ local: [stage] })
  const ask = (qname: string, type: TypeName = 'A', options?: QueryOptions) =>
    bench.handle(writeQuery(qname, type, options), new Client())
  return { bench, stage, ask }
}

/** RFC 8914: option 15, its length, code 20, then the text. */
const reason = `000f${(2 + 45).toString(16).padStart(4, '0')}0014${Buffer.from('names of the cluster are not asked outside it').toString('hex')}`

test('names of the cluster do not exist for any type, with an SOA for five seconds and a reason', () => {
  const { bench, stage, ask } = started()
  const names = [
    'kubernetes.default.svc.cluster.local',
    'Cluster.Local',
    'www.example.cluster.local',
  ]
  for (const [i, qname] of names.entries()) {
    const reply = ask(qname, (['A', 'AAAA', 'TXT'] as const)[i], { ednsBytes: 1232 })
    const [soa] = reply?.authorities ?? []
    assert.equal([reply?.rcode, soa?.name, soa?.ttl], [3, 'cluster.local.', 5], qname)
    assert.ok(soa?.data.endsWith('5'), 'MINIMUM')
    assert.is(reply?.opt?.data, reason)
  }
  assert.is(bench.asked.length, 0)
  assert.is(stage.denied, 3)
  assert.is(stage.families()[0]?.collect()[0]?.value, 3)
})

test('REFUSED or SERVFAIL on request, for clients without EDNS as well', () => {
  for (const [unservedRcode, rcode] of [
    ['refused', 5],
    ['servfail', 2],
  ] as const) {
    const { bench, ask } = started({ unservedRcode })
    assert.equal(
      [ask('a.cluster.local')?.rcode, ask('a.cluster.local', 'A', { ednsBytes: 1232 })?.opt?.data],
      [rcode, reason],
    )
    assert.is(bench.asked.length, 0)
  }
})

test('a zone inside the cluster domain, a look-alike and what lies outside are asked', () => {
  const { bench, ask } = started({ claimed: ['legacy.cluster.local'] })
  for (const qname of [
    'a.legacy.cluster.local',
    'notcluster.local',
    'local',
    'cluster.local.example',
  ])
    assert.is(ask(qname), undefined, qname)
  assert.is(bench.asked.length, 4)
  assert.is(ask('other.cluster.local')?.rcode, 3)
})

test('a configuration with servers ends it', () => {
  const { stage, ask } = started()
  stage.reconfigure(outlook({ unserved: [] }))
  assert.is(ask('a.cluster.local'), undefined)
})

test('explain foretells it, and counts nothing', () => {
  const { bench, stage } = started()
  const query = writeQuery('a.cluster.local', 'A')
  const question = new Question()
  readQuestion(query, query.length, question)
  const { outcome, trace } = foretell(bench, query, question, {
    nowMs: bench.nowMs(),
    asker: { clientPort: 1, turns: 0, clientAddress: () => '192.0.2.1' },
  })
  assert.is(outcome.kind === 'reply' && outcome.rcode, 3)
  assert.match(outcome.why, /cluster.upstreams is empty/)
  assert.is(trace.at(-1)?.stage, 'unserved')
  assert.is(stage.denied, 0)
})

test.run()
