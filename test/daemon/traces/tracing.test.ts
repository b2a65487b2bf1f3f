/**
 * Goal: with a collector in the configuration, slow and failed queries of a daemon reach it as traces that the collector's own decoder reads; a dead
 * one costs clients nothing and is logged once. Method: the whole daemon, upstreams and collectors that the test plays.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Tracing } from '../../../src/daemon/traces/tracing.ts'
import { type House, withHouse } from '../../e2e/support.ts'
import { freePort } from '../../support/free-port.ts'
import { needing } from '../../support/needs.ts'
import { decodeOtlp, otlpDecoder } from '../../support/otlp-decoder.ts'
import { until } from '../../support/process.ts'
import type { FakeQuery } from '../../upstream/fake-upstream.ts'
import { configOf, KeptLog } from '../support.ts'
import { FakeCollector } from './collector.ts'

/** The decoder may have to be built. */
export const testTimeoutMs = 400_000

const test = suite('daemon/traces/tracing')
const real = needing(suite('daemon/traces/tracing with the decoder of the collector'), 'go')

/** For a machine that is busy with other tests. */
const patience = { timeoutMs: 30_000 }
const within = (what: string, probe: () => boolean | Promise<boolean>) =>
  until(what, probe, patience)

/** Slow is what takes longer than a quick answer does on such a machine. */
const slowMs = 700

/** Answers names that begin with `slow` after a while, others at once, and never those that begin with `never`. */
function external(query: FakeQuery): void {
  if (query.qname.startsWith('never')) return
  if (query.qname.startsWith('slow')) setTimeout(() => query.answer(), slowMs + 100)
  else query.answer()
}

async function withTraces(traces: object, body: (house: House) => Promise<void>): Promise<void> {
  const admin = { listen: '127.0.0.1:0', slowMs }
  await withHouse(
    { external, settings: { admin, log: { traces: { everyMs: 100, ...traces } } } },
    body,
  )
}

interface Decoded {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly DecodedSpan[] }[]
  }[]
}

interface DecodedSpan {
  readonly kind: number
  readonly traceId: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, string> }[]
}

const fact = ({ attributes }: DecodedSpan, wanted: string) =>
  attributes.find(({ key }) => key === wanted)?.value

real('what was slow and what failed arrive, what was quick does not', async () => {
  const decoder = await otlpDecoder()
  const collector = await FakeCollector.start()
  const traces = { endpoint: collector.url }
  try {
    await withTraces(traces, async (house) => {
      await house.lookup('quick.example', 'A', patience)
      await house.lookup('slow.example', 'A', patience)
      await house.lookup('slow.example', 'A', patience)
      await house.lookup('never.example', 'A', patience)
      const sent = () => house.metric('neardns_traces_total', { outcome: 'sent' })
      await within('both are sent', async () => (await sent()) === 2)
    })
    const spans = collector.posted.flatMap(({ body }) => {
      const { resourceSpans } = decodeOtlp(decoder, body) as Decoded
      return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
    })
    const names = spans.map((span) => fact(span, 'dns.question.name')?.['stringValue'])
    const servers = spans.filter(({ kind }) => kind === 2)
    assert.equal([...new Set(names)].toSorted(), ['never.example', 'slow.example'])
    assert.is(servers.length, 2)
    const [slow, failed] = servers
    assert.ok(slow && failed)
    const tookMs = (BigInt(slow.endTimeUnixNano) - BigInt(slow.startTimeUnixNano)) / 1_000_000n
    assert.ok(tookMs >= 790n && tookMs < 30_000n, `${tookMs} ms`)
    const ageMs = Date.now() - Number(BigInt(slow.endTimeUnixNano) / 1_000_000n)
    assert.ok(ageMs >= 0 && ageMs < 60_000, `${ageMs} ms ago`)
    assert.equal(fact(failed, 'error.type'), { stringValue: 'SERVFAIL' })
    assert.equal(fact(slow, 'client.address'), { stringValue: '127.0.0.1' })
    assert.ok(Number(fact(slow, 'server.port')?.['intValue']) > 0)
    const [asked] = spans.filter(({ kind, traceId }) => kind === 3 && traceId === slow.traceId)
    assert.ok(asked)
    assert.equal(fact(asked, 'neardns.outcome'), { stringValue: 'replied' })
    assert.equal(fact(asked, 'neardns.rcode'), { stringValue: 'NOERROR' })
    const failedOnes = spans.filter(({ kind, traceId }) => kind === 3 && traceId === failed.traceId)
    assert.ok(failedOnes.length > 0)
    for (const one of failedOnes) assert.equal(fact(one, 'error.type'), { stringValue: 'timeout' })
  } finally {
    await collector.stop()
  }
})

test('a dead collector is logged once, and queries are answered as before', async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`
  await withTraces({ endpoint }, async (house) => {
    const names = Array.from({ length: 20 }, (_, i) => `slow${i}.example`)
    for (const { rcode } of await Promise.all(
      names.map((name) => house.lookup(name, 'A', patience)),
    ))
      assert.is(rcode, 0)
    const isOfTraces = ({ message }: { message: string }) => message.startsWith('traces')
    await within('it is said', () => house.lines.some(isOfTraces))
    await Promise.all(names.map((name) => house.lookup(`${name}.too`, 'A', patience)))
    const said = house.lines.filter(isOfTraces)
    assert.is(said.length, 1, JSON.stringify(said))
    assert.match(JSON.stringify(said[0]), /"endpoint":"http:.*\/v1\/traces","why":".*ECONNREFUSED/)
    assert.is(await house.metric('neardns_traces_total', { outcome: 'sent' }), 0)
  })
})

test('a collector that says when is asked then, and gets what it had not taken', async () => {
  const collector = await FakeCollector.start()
  collector.reply = (response) => response.writeHead(429, { 'retry-after': '2' }).end()
  try {
    await withTraces({ endpoint: collector.url }, async (house) => {
      await house.lookup('slow.example', 'A', patience)
      await within('it is asked', () => collector.posted.length === 1)
      collector.reply = (response) => response.writeHead(200).end('{}')
      await within('it is asked again', () => collector.posted.length === 2)
      const [first, again] = collector.posted
      const waitedMs = (again?.atMs ?? 0) - (first?.atMs ?? 0)
      assert.ok(waitedMs > 1900, `${waitedMs} ms`)
      const sent = () => house.metric('neardns_traces_total', { outcome: 'sent' })
      await within('it counts', async () => (await sent()) === 1)
      assert.is(house.lines.filter(({ message }) => message.startsWith('traces')).length, 2)
    })
  } finally {
    await collector.stop()
  }
})

test('its name is asked of the daemon itself', async () => {
  const collector = await FakeCollector.start()
  const hosts = [{ zones: ['test'], entries: ['127.0.0.1 otel.test'] }]
  const traces = { everyMs: 100, endpoint: `http://otel.test:${collector.port}` }
  const admin = { listen: '127.0.0.1:0', slowMs }
  try {
    await withHouse({ external, settings: { admin, hosts, log: { traces } } }, async (house) => {
      await house.lookup('slow.example', 'A', patience)
      await within('it arrives', () => collector.posted.length === 1)
    })
  } finally {
    await collector.stop()
  }
})

test('it follows its settings: off, on, another, and its counts stay', () => {
  const logOf = (traces: object) => configOf({ log: { traces } }).log
  const tracing = new Tracing(new KeptLog(), { version: '1' })
  assert.is(tracing.follow(logOf({}), []), undefined)
  const on = logOf({ endpoint: 'http://127.0.0.1:1', queueMax: 1 })
  const first = tracing.follow(on, [])
  assert.ok(first?.wants())
  assert.is(tracing.follow(on, []), first)
  const other = tracing.follow(logOf({ endpoint: 'http://127.0.0.1:2' }), [])
  assert.ok(other !== undefined && other !== first)
  assert.is(tracing.follow(logOf({}), []), undefined)
  assert.equal(tracing.stats, { sent: 0, dropped: 0, refused: 0, spansRejected: 0 })
  tracing.stop()
})

test.run()
real.run()
