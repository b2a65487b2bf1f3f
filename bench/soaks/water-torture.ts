/**
 * Do names that never come again (water torture) cost the names in use their place or their speed? A thousand hot names at a tenth of the
 * traffic, the rest new names at twice the rate that the daemon can resolve. The p99 of hot look-ups is told beside the p99 without the
 * flood and has no bar: load and upstream share one CPU, so that it is theirs as much as the daemon's.
 */
import { atLeast, atMost } from '../support/bars.ts'
import { floodNames, knownNames } from '../support/query-mix.ts'
import { growthShare } from '../support/statistics.ts'
import { countsOf, type Flags, type Rig, runSoak, sampling } from './rig.ts'

const hotNames = 1000
const hitPercentMin = 99
const growthMbPerMinuteMax = 1
const rateSeconds = 5
/** So far apart are the new names of two runs of the generator. */
const uniqueFrom = 100_000_000

async function measure(rig: Rig, { seconds }: Flags<'seconds'>) {
  const unique = rig.queries('unique', floodNames(), 1)
  const hot = rig.queries('hot', knownNames(hotNames))
  const closed = await rig.load({ queryFile: unique, seconds: rateSeconds, window: 192 })
  const missesPerSecond = Math.round(closed.queriesPerSecond)
  const [uniqueRate, hotRate] = [2 * missesPerSecond, Math.round((2 * missesPerSecond) / 9)]
  await rig.load({ queryFile: hot, seconds: 10, once: true })
  const idle = await rig.load({ queryFile: hot, seconds: rateSeconds, rate: hotRate })
  const hitsBefore = (await rig.scrape()).sum('coredns_cache_hits_total')
  const rss: [seconds: number, bytes: number][] = []
  const flooding = rig.load({ queryFile: unique, seconds, rate: uniqueRate, uniqueFrom })
  const hotReport = await sampling(
    rig.load({ queryFile: hot, seconds, rate: hotRate }),
    1000,
    (at) => {
      rss.push([at, rig.read().rssBytes])
    },
  )
  const flood = await flooding
  const scrape = await rig.scrape()
  const hits = scrape.sum('coredns_cache_hits_total') - hitsBefore
  const late = rss.slice(Math.floor(rss.length / 3))
  const lateMinutes = ((late.at(-1)?.[0] ?? Number.NaN) - (late[0]?.[0] ?? Number.NaN)) / 60
  const lateMeanMb = late.reduce((sum, [, bytes]) => sum + bytes, 0) / late.length / 1e6
  const verdict = {
    ...{ missesPerSecond, uniqueRate, hotRate },
    hot: countsOf(hotReport),
    unique: countsOf(flood),
    hitPercent: Math.min(100, (100 * hits) / hotReport.received),
    idleP99Us: idle.p99Us,
    floodP50Us: hotReport.p50Us,
    floodP99Us: hotReport.p99Us,
    rssMbPerMinute: (growthShare(late) * lateMeanMb) / lateMinutes,
    rssMaxBytes: Math.max(...rss.map(([, bytes]) => bytes)),
    stallMaxMs: scrape.value('neardns_eventloop_delay_max_seconds') * 1000,
  }
  const bars = [
    atLeast('hot look-ups that are hits', hitPercentMin, verdict.hitPercent, '%'),
    atMost('RSS, growth in a minute', growthMbPerMinuteMax, verdict.rssMbPerMinute, 'MB'),
  ]
  return { bars, verdict }
}

await runSoak({ kind: 'water-torture', flags: { seconds: 60 }, measure })
