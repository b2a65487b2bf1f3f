// Goal: what an upstream does wrong is found over each transport, with its cause. Method: real probes of servers that a test plays.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { probe } from '../../../src/cli/doctor/probe.ts'
import { type ProbedUpstream, upstreamFindings } from '../../../src/cli/doctor/upstream-findings.ts'
import { overlapping } from '../../support/lab/overlap.ts'
import { type Behaviour, FakeUpstream } from '../../upstream/fake-upstream.ts'

const plain = suite('cli/doctor/upstream-findings')
// They wait for replies that do not come.
const test = overlapping(plain)
const slowMs = 200
const question = { name: 'kubernetes.default.svc.cluster.local', type: 'A' }

async function findingsOf(
  behave: Behaviour,
  {
    transport = 'tcp',
    group = 'cluster',
  }: Partial<{ transport: 'udp' | 'tcp'; group: ProbedUpstream['group'] }> = {},
) {
  const fake = await FakeUpstream.start(behave)
  try {
    const upstream = { address: '127.0.0.1', port: fake.port, family: 4, transport } as const
    const ask = (over: 'udp' | 'tcp') => probe(upstream, over, { question, times: 3 })
    return upstreamFindings(
      {
        group,
        upstream,
        question,
        results: await Promise.all([ask('udp'), ask('tcp')]),
      },
      slowMs,
    )
  } finally {
    await fake.stop()
  }
}

test('a server that answers gets one tick, with round trips', async () => {
  const [found, ...more] = await findingsOf((query) => query.answer())
  assert.is(found?.state, 'ok')
  assert.match(found?.what ?? '', /\(cluster\): UDP [\d.]+ ms \([\d.]+ to [\d.]+\); TCP [\d.]+ ms/)
  assert.equal(more, [])
})

const planted: [what: string, behave: Behaviour, transport: 'udp' | 'tcp', says: RegExp][] = [
  [
    'silence over TCP',
    (query) => query.transport === 'udp' && query.answer(),
    'tcp',
    /nothing over TCP.*no reply within 2500 ms: a firewall or NetworkPolicy/,
  ],
  [
    'silence over UDP',
    (query) => query.transport === 'tcp' && query.answer(),
    'udp',
    /nothing over UDP.*no reply within 2500 ms/,
  ],
  [
    'no TCP behind UDP',
    (query) => query.transport === 'udp' && query.answer(),
    'udp',
    /nothing over TCP, so large answers fail/,
  ],
  [
    'SERVFAIL',
    (query) => query.answer({ rcode: 2 }),
    'tcp',
    /answers SERVFAIL.*its connection to the API server/,
  ],
  [
    'REFUSED',
    (query) => query.answer({ rcode: 5 }),
    'tcp',
    /answers REFUSED.*does not serve this node/,
  ],
  [
    'another cluster domain',
    (query) => query.answer({ rcode: 3 }),
    'tcp',
    /does not know kubernetes\.default.*another domain/,
  ],
]
for (const [what, behave, transport, says] of planted) {
  test(`${what} is found, with its cause`, async () => {
    const found = (await findingsOf(behave, { transport })).filter(({ state }) => state === 'fault')
    assert.ok(
      found.some((one) => says.test(`${one.what}: ${one.cause}`)),
      JSON.stringify(found),
    )
  })
}

test('loss is counted', async () => {
  let n = 0
  const behave: Behaviour = (query) => {
    n += query.transport === 'udp' ? 1 : 0
    if (query.transport === 'tcp' || n > 1) query.answer()
  }
  const [found] = await findingsOf(behave, { transport: 'udp', group: 'external' })
  assert.match(found?.what ?? '', /\(external\): 1 of 3 questions over UDP got no answer/)
})

test('CoreDNS without UDP is no fault, because TCP is what it is asked over', async () => {
  const found = await findingsOf((query) => query.transport === 'tcp' && query.answer())
  assert.equal(
    found.map(({ state }) => state),
    ['ok', 'note'],
  )
})

test('a port where nobody listens is told as such', async () => {
  const fake = await FakeUpstream.start()
  await fake.stop()
  const upstream = { address: '127.0.0.1', port: fake.port, family: 4, transport: 'tcp' } as const
  const results = [await probe(upstream, 'tcp', { question, times: 2 })]
  const [found] = upstreamFindings({ group: 'cluster', upstream, question, results }, slowMs)
  assert.is(found?.cause, 'connection refused: the server is down, or listens elsewhere')
})

plain.run()
