/** The pages that every neardns has: metrics for scrapers, health, readiness and start for probes. */
import type { PageSource } from './admin-server.ts'
import { healthBoundsSeconds } from './families/daemon.ts'
import type { Exposition } from './metrics.ts'

export interface AdminSources {
  /** Text of all metrics. */
  metrics(): Promise<Exposition>
  /** Why we are not ready, one line each; empty when ready. */
  ready(): readonly string[] | Promise<readonly string[]>
  /** Whether we have been ready once. */
  isStarted(): boolean
}

export function standardPages(sources: AdminSources): Map<string, PageSource> {
  return new Map<string, PageSource>([
    [
      '/metrics',
      async () => {
        const { contentType, body } = await sources.metrics()
        return { status: 200, contentType, body }
      },
    ],
    // Says that the event loop turns, and nothing else: upstreams that are down are no reason to be restarted.
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

/** Wraps a page so that the time it takes is counted in `slots` (see `healthFamilies`). */
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
