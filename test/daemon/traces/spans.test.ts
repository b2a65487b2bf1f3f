/**
 * Goal: a query becomes spans as OTLP defines them, with times, ends and errors of each sending, and the collector's own decoder keeps every field.
 * Method: queries by hand; the decoder of the OpenTelemetry collector, through protobuf and back.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  exportRequest,
  type Flight,
  type SpanTerms,
  spansText,
} from '../../../src/daemon/traces/spans.ts'
import { needing } from '../../support/needs.ts'
import { decodeOtlp, otlpDecoder } from '../../support/otlp-decoder.ts'
import { flightOf, sendingOf } from './flights.ts'

/** The decoder may have to be built. */
export const testTimeoutMs = 400_000

const test = suite('daemon/traces/spans')
const real = needing(suite('daemon/traces/spans with the decoder of the collector'), 'go')

const server = { family: 4, address: '169.254.20.10', port: 53 } as const

function termsOf(of: Partial<SpanTerms> = {}): SpanTerms {
  let last = 0
  const newId = (bytes: number) => (++last).toString(16).padStart(bytes * 2, '0')
  return { version: '1.2.3', nodeName: 'node-7', hasClients: true, newId, ...of }
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: object }[]
  readonly events?: readonly object[]
  readonly status?: object
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource: Pick<Span, 'attributes'>
    readonly scopeSpans: readonly { readonly scope: object; readonly spans: readonly Span[] }[]
  }[]
}

function requestOf(flights: readonly Flight[], terms: SpanTerms): string {
  return exportRequest(
    flights.map((flight) => spansText(flight, terms)),
    terms,
  )
}

function factsOf({ attributes }: Pick<Span, 'attributes'>): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

function madeOf(view = flightOf(), terms = termsOf()): { request: Request; spans: Span[] } {
  const request = JSON.parse(requestOf([{ view, server }], terms)) as Request
  const spans = request.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  )
  return { request, spans }
}

test('the process and the node are the resource', () => {
  const [first] = madeOf().request.resourceSpans
  assert.ok(first)
  assert.equal(factsOf(first.resource), {
    ...{ 'service.name': 'neardns', 'service.version': '1.2.3', 'k8s.node.name': 'node-7' },
  })
  assert.equal(first.scopeSpans[0]?.scope, { name: 'neardns', version: '1.2.3' })
  const nobody = madeOf(flightOf(), termsOf({ nodeName: undefined })).request.resourceSpans[0]
  assert.ok(nobody)
  assert.not('k8s.node.name' in factsOf(nobody.resource))
})

test('the query is a SERVER span, from its arrival to its answer', () => {
  const [span] = madeOf().spans
  assert.ok(span)
  const { traceId, spanId, kind, name } = span
  assert.equal(
    [traceId, spanId, kind, name],
    ['00000000000000000000000000000001', '0000000000000002', 2, 'DNS AAAA'],
  )
  assert.is(span.startTimeUnixNano, '1779999999690000000')
  assert.is(span.endTimeUnixNano, '1780000000000000000')
  assert.is(span.status, undefined)
  assert.equal(factsOf(span), {
    ...{ 'dns.question.name': 'www.example', 'neardns.question.type': 'AAAA' },
    ...{ 'network.protocol.name': 'dns', 'client.address': '10.1.2.3', 'client.port': '40000' },
    ...{ 'network.peer.address': '10.1.2.3', 'network.peer.port': '40000' },
    ...{ 'network.type': 'ipv4', 'server.address': '169.254.20.10', 'server.port': '53' },
    ...{ 'network.transport': 'udp', 'neardns.rcode': 'NOERROR', 'neardns.source': 'upstream' },
    ...{ 'neardns.group': 'external', 'neardns.answered_by': 'udp://192.0.2.53:53' },
    ...{ 'neardns.waited_ms': '10', 'neardns.joined': false },
  })
})

test('each sending is a CLIENT span below it, with its own times, peer and end', () => {
  const sendings = [
    sendingOf({ endMs: 60.25, rcode: undefined, lostTo: 'refused' }),
    sendingOf({ why: 'failover', afterMs: 61, endMs: 110, rcode: 'SERVFAIL' }),
    sendingOf({ why: 'hedge', afterMs: 70, endMs: undefined, rcode: undefined }),
    sendingOf({
      ...{ upstream: 'tls://[2001:db8::53]:853#dns.test', proto: 'tls', why: 'failover' },
      ...{ afterMs: 120, queuedMs: undefined },
    }),
  ]
  const [query, ...below] = madeOf(flightOf({ sendings })).spans
  assert.ok(below.every(({ parentSpanId }) => parentSpanId === query?.spanId))
  assert.ok(below.every(({ traceId, kind }) => traceId === query?.traceId && kind === 3))
  assert.is(new Set(below.map(({ spanId }) => spanId)).size, 4)
  const [lost, failing, givenUp, answered] = below
  assert.ok(lost && failing && givenUp && answered)
  assert.is(lost.startTimeUnixNano, '1779999999700000000')
  assert.is(lost.endTimeUnixNano, '1779999999750250000')
  assert.equal(lost.events, [{ name: 'sent', timeUnixNano: '1779999999700500000' }])
  assert.equal(lost.status, { code: 2, message: 'refused' })
  const said = below.map((span) => factsOf(span))
  const pick = (key: string) => said.map((facts) => facts[key])
  assert.equal(pick('error.type'), ['refused', 'SERVFAIL', undefined, undefined])
  assert.equal(pick('neardns.outcome'), ['lost', 'replied', 'given_up', 'replied'])
  assert.equal(pick('neardns.attempt'), ['first', 'failover', 'hedge', 'failover'])
  assert.equal(pick('network.transport'), ['udp', 'udp', 'udp', 'tcp'])
  assert.equal(pick('server.address').slice(2), ['192.0.2.53', 'dns.test'])
  assert.equal(pick('network.peer.address').slice(2), ['192.0.2.53', '2001:db8::53'])
  assert.equal(pick('network.peer.port').slice(2), ['53', '853'])
  assert.equal(pick('neardns.tls'), [undefined, undefined, undefined, true])
  assert.is(givenUp.endTimeUnixNano, query?.endTimeUnixNano)
  assert.is(answered.events, undefined)
})

test('a failure has its response code, and who never replied let the time pass', () => {
  const silent = sendingOf({ endMs: undefined, rcode: undefined })
  const { answeredBy: _, ...failed } = flightOf({ rcode: 'SERVFAIL', source: 'failed', ede: 22 })
  const [query, sending] = madeOf({ ...failed, answeredBy: undefined, sendings: [silent] }).spans
  assert.ok(query && sending)
  assert.equal(query.status, { code: 2, message: 'SERVFAIL' })
  assert.is(factsOf(query)['error.type'], 'SERVFAIL')
  assert.is(factsOf(query)['neardns.extended_error'], '22')
  assert.is(factsOf(sending)['error.type'], 'timeout')
  assert.is(factsOf(sending)['neardns.outcome'], 'given_up')
})

test('NXDOMAIN is an answer; the root has its name; who asked is left out where that is wanted', () => {
  const [denied] = madeOf(flightOf({ rcode: 'NXDOMAIN', name: '.' })).spans
  assert.ok(denied)
  assert.is(denied.status, undefined)
  assert.is(factsOf(denied)['dns.question.name'], '.')
  const text = requestOf([{ view: flightOf(), server }], termsOf({ hasClients: false }))
  assert.not.match(text, '10.1.2.3')
  assert.not.match(text, '40000')
})

real('the decoder of the collector keeps every field', async () => {
  const decoder = await otlpDecoder()
  const { answeredBy: _, ...failed } = flightOf({ rcode: 'SERVFAIL', client: '2001:db8::7' })
  const views = [
    flightOf({ tookMs: 310.125, waitedMs: 0.25 }),
    { ...failed, answeredBy: undefined, sendings: [sendingOf({ lostTo: 'refused' }), sendingOf()] },
    flightOf({ name: '\\032\\"x.', isJoined: true, sendings: [sendingOf({ afterMs: -20 })] }),
  ]
  const flights = views.map((view) => ({ view, server }))
  const body = requestOf(flights, termsOf())
  // It writes the status of a span that has none.
  const decoded = JSON.stringify(decodeOtlp(decoder, body)).replaceAll(',"status":{}', '')
  assert.equal(JSON.parse(decoded), JSON.parse(body))
})

test.run()
real.run()
