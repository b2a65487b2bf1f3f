/**
 * Does a garbage collection take memory away that the kernel still uses? A whole collection every 50 ms, queries as fast as they are
 * answered (hits, misses, denials, with and without EDNS), every reply checked byte by byte against the authority's.
 */
import { atLeast, atMost } from '../support/bars.ts'
import { knownNames, uniqueNames } from '../support/query-mix.ts'
import {
  countsOf,
  type Flags,
  type ResultOf,
  type Rig,
  runSoak,
  sampling,
  ttlMaxSeconds,
} from './rig.ts'

const names = 2000
const uniqueOneIn = 20
/** Of the 20 a second that are asked for, under full load. */
const collectionsPerSecondMin = 5

export type GcStressResult = ResultOf<'gc-stress', typeof measure>

async function measure(rig: Rig, { minutes }: Flags<'minutes'>) {
  const unique = uniqueNames()
  const asked = knownNames(names).flatMap((each, at) =>
    at % uniqueOneIn === 0 ? [each, ...unique] : [each],
  )
  const queryFile = rig.queries('queries', asked, 2)
  const seconds = minutes * 60
  let rssMaxBytes = 0
  const loading = rig.load({ queryFile, seconds, ttlMaxSeconds, check: 'strict' })
  const report = await sampling(loading, 1000, () => {
    rssMaxBytes = Math.max(rssMaxBytes, rig.read().rssBytes)
  })
  const collections = (await rig.scrape()).sum('nodejs_gc_duration_seconds_count')
  const verdict = {
    ...countsOf(report),
    minutes,
    queriesPerSecond: Math.round(report.queriesPerSecond),
    /** Whole collections that the daemon counted. */
    collections,
    rssMaxBytes,
  }
  const { sent, wrong, servfail, lost } = report
  const bars = [
    atMost(`wrong of ${sent.toLocaleString('en-US')} replies, byte by byte`, 0, wrong),
    atMost('SERVFAIL', 0, servfail),
    atMost('lost', 0, lost),
    atLeast('collections', Math.floor(collectionsPerSecondMin * seconds), collections),
  ]
  return { bars, verdict }
}

const hook = new URL('./force-gc.mjs', import.meta.url)
const env = { NODE_OPTIONS: `--import=${hook}` }
await runSoak({ kind: 'gc-stress', flags: { minutes: 10 }, env, measure })
