/** The pages of every neardns: its status for people, metrics for scrapers; health, readiness and start for probes. Knows no HTTP and no part of the daemon. */
import type { PageSource } from './admin-server.ts'
import type { Exposition } from './exposition.ts'
import { healthBoundsSeconds } from './families/daemon.ts'
import { statusPage } from './page/status-page.ts'

export interface AdminSources {
  /** Text of all metrics. */
  metrics(): Promise<Exposition>
  /** Why the daemon is not ready, one line each; empty when ready. */
  ready(): readonly string[] | Promise<readonly string[]>
  /** Whether the daemon has been ready once. */
  isStarted(): boolean
}

export function standardPages(sources: AdminSources): Map<string, PageSource> {
  return new Map<string, PageSource>([
    ['/', () => statusPage],
    [
      '/metrics',
      async () => {
        const { contentType, body } = await sources.metrics()
        return { status: 200, contentType, body }
      },
    ],
    // Says only that the event loop turns: a restart does not mend upstreams that are down.
    ['/health', () => ({ status: 200, body: 'OK\n' })],
    ['/ready', async () => readyPage(await sources.ready())],
    [
      '/startup',
      async () =>
        sources.isStarted()
          ? { status: 200, body: 'OK\n' }
          : readyPage([...(await sources.ready()), 'start: not completed']),
    ],
  ])
}

function readyPage(reasons: readonly string[]) {
  return reasons.length === 0
    ? { status: 200, body: 'OK\n' }
    : { status: 503, body: `${reasons.join('\n')}\n` }
}

/** Wraps a page so that the time of each request is counted in `slots` (see `healthFamilies`). */
export function timed(source: PageSource, slots: Float64Array): PageSource {
  return async () => {
    const startMs = performance.now()
    const page = await source()
    const seconds = (performance.now() - startMs) / 1000
    const found = healthBoundsSeconds.findIndex((bound) => seconds <= bound)
    const bucket = found < 0 ? healthBoundsSeconds.length : found
    slots[bucket] = (slots[bucket] ?? 0) + 1
    const sumSlot = healthBoundsSeconds.length + 1
    slots[sumSlot] = (slots[sumSlot] ?? 0) + seconds
    return page
  }
}
