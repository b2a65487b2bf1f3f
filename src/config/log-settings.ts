/** Settings of the log, that of single queries included. */
import { type Parsed, parseEndpoint } from './address.ts'
import { parseDomainName } from './domain-name.ts'
import {
  choice,
  filePath,
  item,
  list,
  onOff,
  optionalText,
  parsed,
  section,
  whole,
} from './setting.ts'

/** Where a reader of dnstap listens, as node:net connects to it. */
export type DnstapReader =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }

const tcpScheme = 'tcp://'

export type QueryClass = 'success' | 'denial' | 'error'

const classes: readonly QueryClass[] = ['success', 'denial', 'error']
const rulesMax = 512
const formatCharactersMax = 4096

const queryClass = {
  what: 'success, denial or error',
  parse: (text: string): Parsed<QueryClass> => {
    const value = classes.find((one) => one === text)
    if (value !== undefined) return { ok: true, value }
    return { ok: false, why: `${JSON.stringify(text)} is no class; write success, denial or error` }
  },
  examples: ['denial'],
}

const zone = {
  what: 'a domain name, or . for the root',
  parse: (text: string): Parsed<string> =>
    text === '.' ? { ok: true, value: text } : parseDomainName(text),
}

function parseFormat(text: string): Parsed<string> {
  const isLine = text !== '' && text.length <= formatCharactersMax && !/\p{Cc}/u.test(text)
  if (isLine) return { ok: true, value: text }
  const why = `${JSON.stringify(text)} is no format; expected one line of 1 to ${formatCharactersMax} characters`
  return { ok: false, why }
}

/** A Unix socket is a path, the rest is a URL. */
function parseReader(text: string): Parsed<string> {
  if (!text.includes('://')) {
    const why = 'is empty; expected the path of a Unix socket'
    return text === '' ? { ok: false, why } : { ok: true, value: text }
  }
  if (!text.startsWith(tcpScheme)) {
    const why = `${JSON.stringify(text)} is no reader; write a path or tcp://ADDRESS:PORT`
    return { ok: false, why }
  }
  const place = parseEndpoint(text.slice(tcpScheme.length))
  return place.ok ? { ok: true, value: text } : place
}

/** @param text of the setting `log.dnstap.socket`. @throws an Error for a text that the setting refuses */
export function dnstapReaderAt(text: string): DnstapReader {
  if (!text.startsWith(tcpScheme)) return { path: text }
  const place = parseEndpoint(text.slice(tcpScheme.length))
  if (!place.ok) throw new Error(`log.dnstap.socket: ${place.why}`)
  return { host: place.value.address, port: place.value.port }
}

const dnstapTextBytesMax = 255

function parseDnstapText(text: string): Parsed<string> {
  const bytes = Buffer.byteLength(text)
  if (bytes <= dnstapTextBytesMax) return { ok: true, value: text }
  return { ok: false, why: `has ${bytes} bytes; at most ${dnstapTextBytesMax} are sent` }
}

const dnstapText = { what: 'a text', parse: parseDnstapText, examples: ['node-7'] }

/** OTLP/HTTP: where traces go at a collector that is named without a path. */
const usualTracePath = '/v1/traces'
const urlCharactersMax = 2048

function parseCollector(text: string): Parsed<string> {
  const refuse = (why: string) => ({ ok: false, why: `${JSON.stringify(text)} ${why}` }) as const
  if (text.length > urlCharactersMax)
    return { ok: false, why: `is longer than ${urlCharactersMax} characters` }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return refuse(
      'is no collector; write a URL such as http://otel.monitoring.svc.cluster.local:4318',
    )
  if (url.username !== '' || url.password !== '')
    return refuse('has a password in it; put it into log.traces.headersFile')
  if (url.hash !== '') return refuse('has a #fragment, which nobody is sent')
  return { ok: true, value: text }
}

/** @param text of the setting `log.traces.endpoint` */
export function traceUrl(text: string): URL {
  const url = new URL(text)
  if (url.pathname === '/') url.pathname = usualTracePath
  return url
}

export function logSection() {
  return section('JSON lines on standard output.', {
    level: choice({
      of: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      default: 'info',
      about: 'Lines below this level are not written.',
    }),
    queries: section('Lines about single queries.', {
      sampleOneIn: whole({
        default: 0,
        min: 0,
        max: 1_000_000_000,
        unit: 'queries',
        about:
          'One query in this many is logged, 0 for none: a log line costs as much CPU as a cached answer.',
      }),
      rules: list({
        of: item('Which queries of a zone are logged.', {
          zone: parsed(zone).meta({ description: 'Names at and below this one.' }),
          classes: list({
            of: parsed(queryClass),
            what: 'classes of replies',
            max: classes.length,
            default: [...classes],
            about:
              'Replies that are logged: success, denial (NXDOMAIN, or no record of the type), error (every other RCODE). Empty: none.',
          }),
          format: optionalText({
            what: 'a text with placeholders',
            parse: parseFormat,
            examples: ['{common}', '{remote} {name} {type} {rcode} {duration}'],
            about:
              'Text of the line behind [INFO], with the placeholders of CoreDNS: {type}, {name}, {class}, {proto}, {remote}, {port}, {local}, {size}, {rcode}, {rsize}, {duration}, {>id}, {>opcode}, {>do}, {>bufsize}, {>rflags}, {/log/class}, {/log/type}; {common} and {combined} are its own formats. Null: a JSON line.',
          }),
        }),
        what: 'rules',
        max: rulesMax,
        default: [],
        about:
          'Which queries sampleOneIn counts: the first rule whose zone holds the name decides, and a name that no rule is for is not logged. Empty: all queries.',
      }),
    }),
    dnstap: section('Every query of a client and its reply, for a reader of dnstap.', {
      socket: optionalText({
        what: 'the path of a Unix socket, or tcp://ADDRESS:PORT',
        parse: parseReader,
        examples: ['/run/dnstap.sock', 'tcp://192.0.2.5:6000'],
        about:
          'Where the reader listens: a path, as `fstrm_capture -u`, or tcp://ADDRESS:PORT; looked for each second while it is away. Frame Streams, CLIENT_QUERY (header and question) and CLIENT_RESPONSE (whole). Null: off, and a query costs nothing more. The reader learns what every pod asks, and TCP is not encrypted.',
      }),
      messages: onOff({
        default: true,
        about: 'Query and reply themselves; off: only who asked which address and when.',
      }),
      identity: optionalText({
        ...dnstapText,
        about: 'Sent with each message: which server this is. Null: the host name.',
      }),
      version: optionalText({
        ...dnstapText,
        about: 'Sent with each message: the version of the server. Null: `neardns`.',
      }),
      queueBytesMax: whole({
        default: 1_048_576,
        min: 65_536,
        max: 268_435_456,
        unit: 'bytes',
        about:
          'Messages that wait for the reader, with those in the socket; beyond it they are dropped and counted. Some 250 bytes each: a fifth of a second at 10,000 q/s.',
      }),
    }),
    traces: tracesSection(),
  })
}

function tracesSection() {
  return section(
    'Spans of slow and failed queries, for a collector of OpenTelemetry (OTLP/HTTP).',
    {
      endpoint: optionalText({
        what: 'the URL of a collector',
        parse: parseCollector,
        examples: ['http://otel.monitoring.svc.cluster.local:4318', 'https://192.0.2.5:4318'],
        about:
          'Collector to which each query is sent that `neardns slow` or `neardns failures` would show (admin.slowMs), as a span, with one below it for each sending to an upstream; /v1/traces unless it has a path. JSON over HTTP, no redirect is followed. A host name is asked of neardns itself and has to be whole. Null: off, and nothing leaves the node. The collector learns which names pods ask for, and who.',
      }),
      sampleOneIn: whole({
        default: 1,
        min: 1,
        max: 1_000_000,
        unit: 'queries',
        about: 'One slow or failed query in this many is sent.',
      }),
      clients: onOff({
        default: true,
        about: 'Addresses and ports of clients; off: a span does not say who asked.',
      }),
      headersFile: optionalText({
        ...filePath('the path of a file with headers'),
        about:
          'File with one `NAME: VALUE` a line, sent as headers: `authorization: Bearer ...`, a tenant. Read at each request. A file, so that no secret is in the configuration.',
      }),
      caFile: optionalText({
        ...filePath('the path of a file with certificates'),
        about:
          "PEM certificates that may sign the collector's, in place of those that Node trusts. Read at each request.",
      }),
      everyMs: whole({
        default: 5000,
        min: 100,
        max: 600_000,
        unit: 'ms',
        about: 'Queries are collected for this long before a request is made.',
      }),
      timeoutMs: whole({
        default: 10_000,
        min: 100,
        max: 60_000,
        unit: 'ms',
        about:
          'Time for a request. After a failure the next waits 1 s, then twice as long each time up to a minute, or as long as Retry-After says; there is one request at a time.',
      }),
      queueMax: whole({
        default: 512,
        min: 1,
        max: 100_000,
        unit: 'queries',
        about:
          'Queries that wait for the collector; beyond it they are dropped and counted (neardns_traces_total). Some 1,000 bytes each.',
      }),
      batchMax: whole({
        default: 64,
        min: 1,
        max: 1000,
        unit: 'queries',
        about: 'Queries in one request; some 4 KB of JSON each.',
      }),
    },
  )
}
