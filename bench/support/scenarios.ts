/** The three loads: which upstream, what is asked, and what has to be in the cache before the clock runs. */
import { type KubeWorld, makeKubeWorld } from '../../test/support/kube-world.ts'
import { knownNames, podTraffic, uniqueNames } from './query-mix.ts'
import type { Place } from './servers.ts'
import { type BenchUpstream, kubernetesUpstream, madeUpUpstream } from './upstreams.ts'

export const scenarioNames = ['hit', 'miss', 'mixed'] as const
export type ScenarioName = (typeof scenarioNames)[number]

export interface Scenario {
  readonly name: ScenarioName
  readonly about: string
  readonly upstreamAbout: string
  readonly ttlMaxSeconds: number
  /** Each question is asked once in the whole bench. */
  readonly isUnique: boolean
  upstream(place: Place): Promise<BenchUpstream>
  /** Asked before each run; empty for none. */
  readonly warm: readonly string[]
  /** Questions of one run, which is `number` in the order of runs. */
  lines(number: number): readonly string[]
}

/** So many Services and pods that there are 1,000 names with an address. */
const namespaces = 100
const hitNames = 1000
const mixedLines = 100_000
/** More than a run of ten seconds needs. */
const uniqueLinesPerRun = 300_000
const hitTtlSeconds = 3600
const nodeLocalTtlSeconds = 30

export function makeScenario(name: ScenarioName): Scenario {
  return makers[name](makeKubeWorld(namespaces))
}

const kubernetesAbout = 'CoreDNS with the kubernetes plugin, fed by an API stand-in'

const makers: Readonly<Record<ScenarioName, (world: KubeWorld) => Scenario>> = {
  hit: (world) => {
    const names = knownNames(world, hitNames)
    return {
      name: 'hit',
      about: '1,000 names, all cached; times to live raised so that none expires during a run',
      upstreamAbout: kubernetesAbout,
      ttlMaxSeconds: hitTtlSeconds,
      isUnique: false,
      upstream: (place) => kubernetesUpstream(world, hitTtlSeconds, place),
      warm: names,
      lines: () => names,
    }
  },
  miss: () => ({
    name: 'miss',
    about: 'names that come once, half of them exist, asked of the upstream over TCP',
    upstreamAbout: 'unbound with made-up zones, the cheapest real server at hand',
    ttlMaxSeconds: nodeLocalTtlSeconds,
    isUnique: true,
    upstream: madeUpUpstream,
    warm: [],
    lines: (number) => uniqueNames(number * uniqueLinesPerRun, uniqueLinesPerRun),
  }),
  mixed: (world) => {
    const lines = podTraffic(world, mixedLines, 1)
    return {
      name: 'mixed',
      about:
        'look-ups of pods with ndots:5 and three search domains, A and AAAA, popularity by Zipf',
      upstreamAbout: `${kubernetesAbout}; names outside by its template plugin`,
      ttlMaxSeconds: nodeLocalTtlSeconds,
      isUnique: false,
      upstream: (place) => kubernetesUpstream(world, nodeLocalTtlSeconds, place),
      warm: [...new Set(lines)],
      lines: () => lines,
    }
  },
}
