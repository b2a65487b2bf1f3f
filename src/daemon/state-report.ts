/** The state of a daemon as the fields of one log line. Reads counters only: it must be possible when everything else is stuck. */
import { formatEndpoint } from '../address/endpoint.ts'
import type { Interception } from '../host/interception.ts'
import type { LogFields } from '../observe/log.ts'
import type { Readiness } from '../observe/readiness.ts'
import type { ReloadStats } from '../observe/stats.ts'
import { readMemory } from '../platform/process-memory.ts'
import type { DataPath } from './data-path.ts'
import type { Listeners } from './listeners.ts'

export interface ReportedParts {
  readonly path: DataPath
  readonly listeners: Listeners
  readonly readiness: Readiness
  readonly interception: () => Interception
  readonly reloads: () => ReloadStats
}

export function stateOf(parts: ReportedParts): LogFields {
  const { path, listeners, readiness, interception, reloads } = parts
  const { stats: cache } = path.cache
  const { questions, waiters, refused } = path.inFlight.stats
  const { rss, heapUsed, external } = readMemory()
  const { succeeded, failed, isLastGood } = reloads()
  return {
    upSeconds: Math.round(process.uptime()),
    notReady: readiness.reasons(),
    listening: listeners.pairs.map(({ udp, tcp }) => ({
      address: formatEndpoint(udp.address),
      received: udp.stats.received + tcp.stats.received,
      sent: udp.stats.sent + tcp.stats.sent,
      connections: tcp.stats.open,
    })),
    cacheEntries: cache.entriesSuccess + cache.entriesDenial,
    cacheEvictions: cache.evictionsSuccess + cache.evictionsDenial,
    questions,
    waiters,
    questionsRefused: refused,
    upstreams: path.exchange.stats().map(({ name, upstreams }) => ({
      group: name,
      upstreams: upstreams.map((one) => ({
        name: one.name,
        isUp: one.isUp,
        inFlight: one.load,
        roundTripMs: Math.round(one.roundTripMs * 10) / 10,
      })),
    })),
    intercepted: interception().view.addresses.filter(({ isActive }) => isActive),
    reloads: { succeeded, failed, isLastGood },
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
  }
}
