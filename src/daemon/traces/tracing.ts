/** The spans of a configuration: an exporter that comes, changes and goes with `log.traces`. */
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { type Endpoint, formatEndpoint } from '../../address/endpoint.ts'
import { traceUrl } from '../../config/log-settings.ts'
import type { Config } from '../../config/schema.ts'
import type { FlightSink } from '../../observe/live/flight-recorder.ts'
import type { Log } from '../../observe/log.ts'
import type { TraceStats } from '../../observe/stats.ts'
import { SpanExporter } from './exporter.ts'
import { post } from './post.ts'
import { exportRequest, type Flight, type SpanTerms, spansText } from './spans.ts'

type TraceSettings = Config['log']['traces']

interface Terms {
  readonly version: string
  readonly nodeName?: string | undefined
}

const none: TraceStats = { sent: 0, dropped: 0, refused: 0, spansRejected: 0 }
/** A collector that comes and goes is told of once in this time. */
const linesEveryMs = 60_000
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

export class Tracing {
  private readonly log: Log
  private readonly terms: Terms
  private exporter: SpanExporter<Flight> | undefined
  private basis = ''
  /** Of exporters that are gone. */
  private before = none
  /** What is listened on, by `serverIndex`. */
  private own: readonly Endpoint[] = []

  constructor(log: Log, terms: Terms) {
    this.log = log
    this.terms = terms
  }

  get stats(): TraceStats {
    const { before } = this
    const now = this.exporter?.stats ?? none
    return {
      sent: before.sent + now.sent,
      dropped: before.dropped + now.dropped,
      refused: before.refused + now.refused,
      spansRejected: before.spansRejected + now.spansRejected,
    }
  }

  /** Follows the configuration. @returns who takes slow and failed queries; undefined while spans are off */
  follow({ traces }: Config['log'], own: readonly Endpoint[]): FlightSink | undefined {
    this.own = own
    const basis = JSON.stringify(traces)
    if (basis === this.basis) return this.exporter
    this.stop()
    this.basis = basis
    if (traces.endpoint !== null) this.exporter = this.open(traceUrl(traces.endpoint), traces)
    return this.exporter
  }

  stop(): void {
    this.before = this.stats
    this.exporter?.stop()
    this.exporter = undefined
    this.basis = ''
  }

  private open(url: URL, traces: TraceSettings): SpanExporter<Flight> {
    const { log, terms } = this
    const { version } = terms
    const servers = () => this.own.map(asked)
    const target = { ...traces, url, version, servers }
    const spanTerms = { version, nodeName: terms.nodeName, hasClients: traces.clients, newId }
    return new SpanExporter<Flight>(traces, {
      keep: (view, serverIndex) => ({ view, server: this.own[serverIndex] }),
      post: async (flights) =>
        post(target, exportRequest(await spanTexts(flights, spanTerms), spanTerms)),
      onTrouble: (why) => {
        if (log.limited('traces', linesEveryMs) !== undefined)
          log.warn({ endpoint: url.href, why }, 'traces: the collector takes nothing')
      },
      onTaken: (lost) => {
        if (log.limited('traces taken', linesEveryMs) !== undefined)
          log.info({ endpoint: url.href, lost }, 'traces: the collector takes them again')
      },
    })
  }
}

/** One in a turn of the event loop: queries of pods come between them. */
async function spanTexts(flights: readonly Flight[], terms: SpanTerms): Promise<string[]> {
  const texts: string[] = []
  for (const flight of flights) {
    texts.push(spansText(flight, terms))
    await setImmediate()
  }
  return texts
}

function newId(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}

/** Where the daemon itself is asked. */
function asked({ address, port }: Endpoint): string {
  return formatEndpoint({ address: wildcards[address] ?? address, port })
}
