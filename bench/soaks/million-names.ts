/**
 * Do random names that never come twice cost memory or stalls? A million of them, each a miss, as fast as they are answered. Memory must
 * stay below the bound of the cache and a stated base, the event loop below 50 ms.
 */
import { atMost } from '../support/bars.ts'
import { floodNames } from '../support/query-mix.ts'
import { significant } from '../support/statistics.ts'
import { countsOf, type Flags, type Rig, replyBars, runSoak, sampling } from './rig.ts'

/**
 * What the process may need beside the cache: the program (a hundred when idle), a young generation of 24 MiB, and as much
 * garbage as half of what is alive before the next collection.
 */
const baseBytesMax = 160 * 1_048_576
const stallMsMax = 50
const secondsMax = 3600

async function measure(
  rig: Rig,
  { names: total, 'in-flight': window }: Flags<'names' | 'in-flight'>,
) {
  const idleRssBytes = rig.read().rssBytes
  const queryFile = rig.queries('queries', floodNames(), 1)
  const rss: number[] = []
  const loading = rig.load({ queryFile, seconds: secondsMax, total, window })
  const report = await sampling(loading, 250, () => {
    rss.push(rig.read().rssBytes)
  })
  const scrape = await rig.scrape()
  const cacheBoundBytes = scrape.value('neardns_cache_bytes_max')
  const rssBoundBytes = cacheBoundBytes + baseBytesMax
  const verdict = {
    ...countsOf(report),
    seconds: significant(report.seconds),
    queriesPerSecond: Math.round(report.queriesPerSecond),
    idleRssBytes,
    // Memory that grows with the names would show.
    rssMaxByQuarterBytes: [0, 1, 2, 3].map((quarter) => Math.max(...quarterOf(rss, quarter))),
    rssBoundBytes,
    cacheBytes: scrape.value('neardns_cache_bytes'),
    cacheBoundBytes,
    stallMaxMs: significant(scrape.value('neardns_eventloop_delay_max_seconds') * 1000),
    collectionSeconds: significant(scrape.sum('nodejs_gc_duration_seconds_sum')),
  }
  const bars = [
    atMost('cache, of its bound', 100, (100 * verdict.cacheBytes) / cacheBoundBytes, '%'),
    atMost(
      'RSS, of the bound of cache and base',
      100,
      (100 * Math.max(...rss)) / rssBoundBytes,
      '%',
    ),
    atMost('longest event-loop delay', stallMsMax, verdict.stallMaxMs, 'ms'),
    ...replyBars(report),
  ]
  return { bars, verdict }
}

function quarterOf(values: readonly number[], quarter: number): number[] {
  const end = (part: number) => Math.floor((values.length * part) / 4)
  return values.slice(end(quarter), end(quarter + 1))
}

await runSoak({ kind: 'million-names', flags: { names: 1_000_000, 'in-flight': 200 }, measure })
