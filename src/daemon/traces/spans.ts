/**
 * Slow and failed queries as spans of OpenTelemetry, in the JSON that OTLP/HTTP takes: a SERVER span for the query, below it a CLIENT span for
 * each sending to an upstream. Names of attributes are those of the semantic conventions; what has none there begins with `neardns.`. Written by
 * hand, because it is JSON (docs/decisions/0062). Pure.
 */
import type { Endpoint } from '../../address/endpoint.ts'
import { typeText } from '../../core/type-text.ts'
import type { FlightView, SendingView } from '../../observe/live/flight-recorder.ts'

export interface Flight {
  readonly view: FlightView
  /** What the client asked at; undefined when that is listened on no more. */
  readonly server: Endpoint | undefined
}

export interface SpanTerms {
  readonly version: string
  /** In Kubernetes; undefined where nobody says it. */
  readonly nodeName: string | undefined
  /** Whether spans say who asked. */
  readonly hasClients: boolean
  /** @returns random octets in hexadecimal, not all 0 */
  readonly newId: (bytes: number) => string
}

/** Numbers of trace.proto. */
const kinds = { server: 2, client: 3 } as const
const statusError = 2
/** Sampled, and known to have no parent elsewhere (0x100). */
const flags = 0x101
const [traceIdBytes, spanIdBytes] = [16, 8]

type Value =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean }
type Attribute = { readonly key: string; readonly value: Value }
/** What is undefined is left out. */
type Facts = Readonly<Record<string, string | number | boolean | undefined>>

/** Replies that are no answer. NXDOMAIN is one. */
const failing: ReadonlySet<string> = new Set(['SERVFAIL', 'REFUSED', 'FORMERR', 'NOTIMP'])

/** @param queries as `spansText` has written them. @returns an ExportTraceServiceRequest in JSON */
export function exportRequest(
  queries: readonly string[],
  { version, nodeName }: Pick<SpanTerms, 'version' | 'nodeName'>,
): string {
  const resource = {
    'service.name': 'neardns',
    'service.version': version,
    'k8s.node.name': nodeName,
  }
  const attributes = JSON.stringify(attributesOf(resource))
  const scope = JSON.stringify({ name: 'neardns', version })
  const spans = queries.join(',')
  return `{"resourceSpans":[{"resource":{"attributes":${attributes}},"scopeSpans":[{"scope":${scope},"spans":[${spans}]}]}]}`
}

/** The spans of one query, with commas between them. A query at a time, because each takes as long as some ten cache hits. */
export function spansText({ view, server }: Flight, { hasClients, newId }: SpanTerms): string {
  const traceId = newId(traceIdBytes)
  const spanId = newId(spanIdBytes)
  const isFailed = failing.has(view.rcode)
  const startMs = view.atMs - view.tookMs
  const own = {
    ...{ traceId, spanId, flags, name: `DNS ${typeText(view.type)}`, kind: kinds.server },
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(view.atMs),
    attributes: attributesOf({
      ...questionFacts(view),
      ...(hasClients && clientFacts(view)),
      'server.address': server?.address,
      'server.port': server?.port,
      'network.transport': view.proto,
      'error.type': isFailed ? view.rcode : undefined,
      ...ownFacts(view),
    }),
    ...(isFailed && { status: { code: statusError, message: view.rcode } }),
  }
  const below = view.sendings.map((sending) => ({
    ...{ traceId, spanId: newId(spanIdBytes), parentSpanId: spanId, flags },
    ...sendingSpan(sending, view, startMs),
  }))
  return [own, ...below].map((span) => JSON.stringify(span)).join(',')
}

function ownFacts({
  rcode,
  source,
  ede,
  group,
  answeredBy,
  waitedMs,
  isJoined,
}: FlightView): Facts {
  return {
    'neardns.rcode': rcode,
    'neardns.source': source,
    'neardns.extended_error': ede < 0 ? undefined : ede,
    'neardns.group': group,
    'neardns.answered_by': answeredBy,
    'neardns.waited_ms': waitedMs,
    'neardns.joined': isJoined,
  }
}

function sendingSpan(sending: SendingView, view: FlightView, startMs: number) {
  const { upstream, proto, why, afterMs, queuedMs, endMs, rcode, lostTo } = sending
  const error = errorOf(sending, view)
  const peer = placeOf(upstream)
  return {
    ...{ name: `DNS ${typeText(view.type)}`, kind: kinds.client },
    startTimeUnixNano: nanoseconds(startMs + afterMs),
    endTimeUnixNano: nanoseconds(startMs + Math.max(afterMs, endMs ?? view.tookMs)),
    attributes: attributesOf({
      ...questionFacts(view),
      'server.address': peer.name ?? peer.address,
      'server.port': peer.port,
      'network.peer.address': peer.address,
      'network.peer.port': peer.port,
      'network.type': familyText(peer.address),
      'network.transport': proto === 'udp' ? 'udp' : 'tcp',
      'error.type': error,
      'neardns.attempt': why,
      'neardns.rcode': rcode,
      'neardns.tls': proto === 'tls' ? true : undefined,
      'neardns.outcome': outcomeOf(rcode, lostTo),
    }),
    ...(queuedMs !== undefined && {
      events: [{ name: 'sent', timeUnixNano: nanoseconds(startMs + afterMs + queuedMs) }],
    }),
    ...(error !== undefined && { status: { code: statusError, message: error } }),
  }
}

/** Who has not replied when the query fails has let the time pass; who has not when it is answered was given up, which is no error. */
function errorOf({ lostTo, rcode }: SendingView, view: FlightView): string | undefined {
  if (rcode !== undefined) return failing.has(rcode) ? rcode : undefined
  return lostTo ?? (view.answeredBy === undefined ? 'timeout' : undefined)
}

function outcomeOf(rcode: string | undefined, lostTo: string | undefined): string {
  if (rcode !== undefined) return 'replied'
  return lostTo === undefined ? 'given_up' : 'lost'
}

function questionFacts({ name, type }: FlightView): Facts {
  return {
    'dns.question.name': name === '.' ? name : name.slice(0, -1),
    'neardns.question.type': typeText(type),
    'network.protocol.name': 'dns',
  }
}

function clientFacts({ client, clientPort }: FlightView): Facts {
  return {
    'client.address': client,
    'client.port': clientPort,
    'network.peer.address': client,
    'network.peer.port': clientPort,
    'network.type': familyText(client),
  }
}

function familyText(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

/** @param upstream as `tls://192.0.2.1:853#name` */
function placeOf(upstream: string): { address: string; port: number; name: string | undefined } {
  const [place = '', name] = (upstream.split('://').at(-1) ?? '').split('#')
  const colon = place.lastIndexOf(':')
  const address = place.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return { address, port: Number(place.slice(colon + 1)), name }
}

function attributesOf(facts: Facts): Attribute[] {
  return Object.entries(facts).flatMap(([key, fact]) =>
    fact === undefined ? [] : [{ key, value: anyValue(fact) }],
  )
}

/** Whole numbers are 64-bit ones, which JSON of protobuf writes as texts. */
function anyValue(fact: string | number | boolean): Value {
  if (typeof fact === 'string') return { stringValue: fact }
  if (typeof fact === 'boolean') return { boolValue: fact }
  return Number.isInteger(fact) ? { intValue: `${fact}` } : { doubleValue: fact }
}

/** @param ms milliseconds since 1970, of which microseconds count */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`
}
