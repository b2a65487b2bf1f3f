/**
 * Is a small memory limit kept? The daemon in a memory cgroup, for minutes nothing but misses for names that never come twice, with
 * answers up to 4 KiB, as fast as it can answer. Needs root, for the cgroup.
 */
import { atMost } from '../support/bars.ts'
import { floodNames } from '../support/query-mix.ts'
import { significant } from '../support/statistics.ts'
import type { MemoryReading } from './memory-cgroup.ts'
import {
  countsOf,
  type Flags,
  type ResultOf,
  type Rig,
  replyBars,
  runSoak,
  sampling,
} from './rig.ts'

const sampleMs = 5000
/** Every twelfth sample, one a minute, is kept in the file. */
const keptSampleEvery = 12

export type SoakMemoryResult = ResultOf<'soak-memory', typeof measure>
type Sample = Awaited<ReturnType<typeof sampleOf>>

const flags = { minutes: 30, mebibytes: 128, 'in-flight': 400 }
const limitBytesOf = ({ mebibytes }: { readonly mebibytes: number }) => mebibytes * 1_048_576

async function measure(rig: Rig, given: Flags<keyof typeof flags>) {
  const { minutes, 'in-flight': window } = given
  const { cgroup } = rig
  if (cgroup === undefined) throw new Error('the daemon has no cgroup')
  const queryFile = rig.queries('queries', floodNames(), 1)
  const samples: Sample[] = []
  const loading = rig.load({ queryFile, seconds: minutes * 60, window })
  const report = await sampling(loading, sampleMs, async (at) => {
    samples.push(await sampleOf(rig, at, cgroup.read()))
  })
  const largest = (read: (sample: Sample) => number) => Math.max(...samples.map(read))
  const { usageMaxBytes, limitHits, oomKills } = cgroup.read()
  const verdict = {
    ...countsOf(report),
    ...{ minutes, limitBytes: limitBytesOf(given), limitHits, oomKills },
    /** Received, neither wrong nor SERVFAIL. */
    right: report.received - report.wrong - report.servfail,
    queriesPerSecond: Math.round(report.queriesPerSecond),
    rssMaxBytes: largest(({ rssBytes }) => rssBytes),
    cgroupMaxBytes: usageMaxBytes,
    anonMaxBytes: largest((sample) => sample.cgroup.anonBytes),
    cacheMaxBytes: largest(({ cacheBytes }) => cacheBytes),
    cacheBoundBytes: largest(({ cacheBytesMax }) => cacheBytesMax),
    heapLimitBytes: largest(({ heapLimitBytes }) => heapLimitBytes),
    stallMaxMs: largest(({ stallMs }) => stallMs),
  }
  const { cacheMaxBytes, cacheBoundBytes } = verdict
  const bars = [
    atMost('OOM kills', 0, oomKills),
    atMost('cache, of its bound', 100, (100 * cacheMaxBytes) / cacheBoundBytes, '%'),
    ...replyBars(report),
  ]
  const kept = samples.filter((_, n) => (n + 1) % keptSampleEvery === 0)
  return { bars, verdict, samples: kept }
}

async function sampleOf(rig: Rig, at: number, cgroup: MemoryReading) {
  const { rssBytes } = rig.read()
  const scrape = await rig.scrape()
  return {
    ...{ seconds: significant(at), rssBytes, cgroup },
    cacheBytes: scrape.value('neardns_cache_bytes'),
    cacheBytesMax: scrape.value('neardns_cache_bytes_max'),
    cacheEntries: scrape.sum('neardns_cache_entries'),
    heapUsedBytes: scrape.value('nodejs_heap_size_used_bytes'),
    heapLimitBytes: scrape.value('neardns_heap_limit_bytes'),
    externalBytes: scrape.value('nodejs_external_memory_bytes'),
    inFlightQuestions: scrape.value('neardns_in_flight_questions'),
    /** Longest event-loop delay since the sample before. */
    stallMs: significant(scrape.value('nodejs_eventloop_lag_max_seconds') * 1000),
  }
}

await runSoak({ kind: 'soak-memory', flags, memoryBytesMax: limitBytesOf, measure })
