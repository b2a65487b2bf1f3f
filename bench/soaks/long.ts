/**
 * Does memory grow with the number of queries? Ten million of pods' look-ups at a fixed rate, one in ten for a name that was never
 * asked before, under the memory limit of the manifests; memory every second. Flat means: a straight line through the last three quarters
 * hardly rises. Needs root, for the cgroup.
 */
import { atMost } from '../support/bars.ts'
import { growingPodTraffic } from '../support/query-mix.ts'
import { growthShare, significant } from '../support/statistics.ts'
import {
  countsOf,
  type Flags,
  type ResultOf,
  type Rig,
  replyBars,
  runSoak,
  sampling,
} from './rig.ts'

const warmSecondsMax = 60
/** Names that the warming has not asked. */
const uniqueFrom = 1_000_000
const warmUpShare = 0.25
const growthPercentMax = 3
/** Heap, stacks, buffers; pages of files are shared with other processes of the image, and can be dropped. */
const anonMegabytesMax = 48

const flags = { minutes: 8.5, rate: 20_000, mebibytes: 128 }
const limitBytesOf = ({ mebibytes }: { readonly mebibytes: number }) => mebibytes * 1_048_576

export type LongResult = ResultOf<'long', typeof measure>

async function measure(rig: Rig, given: Flags<keyof typeof flags>) {
  const { minutes, rate } = given
  const { cgroup } = rig
  if (cgroup === undefined) throw new Error('the daemon has no cgroup')
  const queryFile = rig.queries('queries', growingPodTraffic(), 2)
  // A cold cache cannot take the rate; a client in a closed loop waits for it.
  await rig.load({ queryFile, seconds: warmSecondsMax, once: true })
  const before = rig.read()
  const seconds = minutes * 60
  const samples: { seconds: number; rssBytes: number; anonBytes: number }[] = []
  const report = await sampling(rig.load({ queryFile, seconds, rate, uniqueFrom }), 1000, (at) => {
    const { rssBytes } = rig.read()
    samples.push({ seconds: significant(at), rssBytes, anonBytes: cgroup.read().anonBytes })
  })
  const cpuUs = rig.read().cpuUs - before.cpuUs
  const scrape = await rig.scrape()
  const late = samples.slice(Math.floor(samples.length * warmUpShare))
  const verdict = {
    ...countsOf(report),
    ...{ rate, seconds },
    cpuUsPerQuery: significant(cpuUs / report.received),
    rssMaxBytes: Math.max(...samples.map(({ rssBytes }) => rssBytes)),
    limitBytes: limitBytesOf(given),
    anonMaxBytes: Math.max(...samples.map(({ anonBytes }) => anonBytes)),
    oomKills: cgroup.read().oomKills,
    rssGrowthShare: growthShare(late.map((each) => [each.seconds, each.rssBytes])),
    cacheEntries: scrape.sum('neardns_cache_entries'),
    cacheBytes: scrape.value('neardns_cache_bytes'),
  }
  const sent = report.sent.toLocaleString('en-US')
  const growth = `RSS, growth over the last three quarters of ${sent} queries`
  const bars = [
    atMost(growth, growthPercentMax, 100 * verdict.rssGrowthShare, '%'),
    atMost('anonymous memory, at most', anonMegabytesMax, verdict.anonMaxBytes / 1e6, 'MB'),
    ...replyBars(report),
  ]
  return { bars, verdict, samples }
}

await runSoak({ kind: 'long', flags, memoryBytesMax: limitBytesOf, measure })
