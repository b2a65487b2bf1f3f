/** What a daemon would say to `status` and `top`. */
import type { Live } from '../../../../src/cli/operator/forms.ts'

export function liveOf(changes: Partial<Live> = {}): Live {
  return {
    ...{
      version: '1.2.3',
      atMs: 1_000_000,
      upSeconds: 100,
      notReady: [],
      listening: ['169.254.20.10:53'],
    },
    ...{
      intercepted: ['169.254.20.10:53'],
      wanted: ['169.254.20.10:53', '10.96.0.10:53'],
      queries: 1000,
      drops: 2,
    },
    bySource: { cacheSuccess: 800, cacheDenial: 100, upstream: 90, stale: 10 },
    byRcode: { NOERROR: 900, NXDOMAIN: 100 },
    durations: [900, 0, 0, 0, 90, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0],
    ...{ searchLevel: 'verified', spared: 300 },
    cache: { answers: 40, denials: 10, bytes: 1_048_576, bytesMax: 33_554_432, evictions: 0 },
    inFlight: { questions: 3, questionsMax: 2000, waiters: 4, refused: 0 },
    kernelHits: { off: '', interfaces: 2, entries: 30, answered: 700 },
    upstreams: [
      {
        group: 'cluster',
        name: 'tcp://10.96.0.11:53',
        isUp: true,
        inFlight: 1,
        roundTripMs: 0.8,
        sent: 90,
        failures: 0,
      },
      {
        group: 'external',
        name: 'udp://10.0.0.2:53',
        isUp: false,
        inFlight: 2,
        roundTripMs: 21,
        sent: 9,
        failures: 7,
      },
    ],
    ...{ rssBytes: 90_000_000, memoryLimitBytes: 134_217_728, cpuMs: 2000 },
    reload: { isLastGood: true, appliedSeconds: 0 },
    ...{ workers: 1, missing: 0 },
    names: [
      { key: 'kubernetes.default.svc.cluster.local.', perSecond: 40 },
      { key: 'www.example.com.', perSecond: 10 },
    ],
    clients: [{ key: '10.244.1.7', perSecond: 50 }],
    slowest: [{ key: 'slow.example.', maxMs: 812.4, meanMs: 300 }],
    ...changes,
  }
}
