/** Where neardns is worse than another server, in sentences: the program finds the weak sides, and not the author. Pure. */
import { isSaturating, windows } from '../comparison/loads.ts'
import {
  type ComparisonResult,
  isUsable,
  type ScenarioResult,
  type Summary,
} from '../comparison/summary.ts'
import { fixed } from './text.ts'

const cpuRatioMin = 1.05
const p99RatioMin = 1.2

export function placesBehind({ scenarios }: ComparisonResult): string[] {
  return scenarios.flatMap((scenario) =>
    scenario.name === 'memory' ? memoryBehind(scenario) : loadsBehind(scenario),
  )
}

function loadsBehind({ name, summaries }: ScenarioResult): string[] {
  const ours = summaries.filter((row) => row.contestant === 'neardns' && isUsable(row))
  return ours.flatMap((own) => {
    const peers = peersOf(own, summaries)
    const isPaced = !isSaturating(own.load)
    const where = isSaturating(own.load)
      ? `${name} at saturation, ${windows[own.load]} out`
      : `${name} at ${own.load.toLocaleString('en-US')} q/s`
    const cpu = worse(own, peers, ({ cpuUsPerQuery }) => cpuUsPerQuery, cpuRatioMin)
    const p99 = isPaced ? worse(own, peers, ({ p99Us }) => p99Us, p99RatioMin) : ''
    return [
      ...(cpu === '' ? [] : [`${where}, CPU per query: ${cpu}.`]),
      ...(p99 === '' ? [] : [`${where}, p99: ${p99}.`]),
    ]
  })
}

function memoryBehind({ summaries, idleRssBytes }: ScenarioResult): string[] {
  const own = summaries.find(({ contestant }) => contestant === 'neardns')
  if (own === undefined) return []
  // Invalid or not for lost packets: memory was what it was.
  const peers = summaries.filter(({ contestant }) => !ourNames.includes(contestant))
  const idle = worse(own, peers, ({ contestant }) => idleRssBytes[contestant] ?? Number.NaN, 1)
  const full = worse(own, peers, ({ rssBytes }) => rssBytes, 1)
  return [
    ...(idle === '' ? [] : [`RSS, idle: ${idle}.`]),
    ...(full === '' ? [] : [`RSS with 20,000 answers under load: ${full}.`]),
  ]
}

const ourNames = ['neardns', 'neardns-portable', 'echo']

function peersOf({ load }: Summary, summaries: readonly Summary[]): Summary[] {
  return summaries.filter(
    (row) => row.load === load && !ourNames.includes(row.contestant) && isUsable(row),
  )
}

/** @returns `1.30 x unbound's, 1.10 x dnsdist's`; empty when there is none */
function worse(
  own: Summary,
  peers: readonly Summary[],
  read: (row: Summary) => number,
  ratioMin: number,
): string {
  return peers
    .map((peer) => ({ name: peer.contestant, ratio: read(own) / read(peer) }))
    .filter(({ ratio }) => ratio > ratioMin)
    .toSorted((a, b) => b.ratio - a.ratio)
    .map(({ name, ratio }) => `${fixed(ratio, 2)} x ${name}'s`)
    .join(', ')
}
