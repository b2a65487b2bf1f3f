/** Which figures of a result are drawn. Pure. */
import type { Load } from '../comparison/loads.ts'
import type { ScenarioName } from '../comparison/scenarios.ts'
import { type ComparisonResult, isUsable, type Summary } from '../comparison/summary.ts'
import type { LongResult } from '../soaks/long.ts'
import type { StallResult } from '../soaks/stall.ts'
import type { AllResults } from './performance-page.ts'
import { barChart, lineChart, pointChart } from './svg.ts'

/** SVG text by file name. */
export type Plots = Readonly<Record<string, string>>

export function plotsOf({ comparison, long, stall }: AllResults): Plots {
  return {
    ...(comparison && comparisonPlots(comparison)),
    ...(long && longPlots(long)),
    ...(stall && stallPlots(stall)),
  }
}

function comparisonPlots(result: ComparisonResult): Plots {
  const plots: Record<string, string> = {}
  const scenarios = { hit: 'hit-1k', miss: 'miss', mixed: 'mixed' } as const
  for (const [name, scenario] of Object.entries(scenarios)) {
    const rows = rowsOf(result, scenario, 'most')
    if (rows.length === 0) continue
    plots[`comparison-${name}-cpu.svg`] = barChart(
      { title: `${titles[scenario]}: CPU per query at saturation`, unit: 'microseconds' },
      ['user', 'system'],
      rows.map(({ contestant, userUsPerQuery, systemUsPerQuery }) => ({
        label: contestant,
        values: [userUsPerQuery, systemUsPerQuery],
      })),
    )
  }
  const paced = rowsOf(result, 'hit-1k', 10_000)
  if (paced.length > 0) {
    plots['comparison-hit-latency.svg'] = pointChart(
      { title: 'Cache hits: latency at 10,000 queries a second', unit: 'microseconds' },
      ['p50', 'p99', 'p99.9'],
      paced.map(({ contestant, p50Us, p99Us, p999Us }) => ({
        label: contestant,
        values: [p50Us, p99Us, p999Us],
      })),
    )
  }
  return plots
}

const titles = { 'hit-1k': 'Cache hits', miss: 'Misses over TCP', mixed: 'Pod traffic' } as const

function longPlots({ samples, verdict }: LongResult): Plots {
  const title = `Resident memory over ${verdict.sent.toLocaleString('en-US')} queries`
  const points = samples.map(({ seconds, rssBytes }) => [seconds, rssBytes / 1e6] as const)
  return { 'long-rss.svg': lineChart({ title, unit: 'MB' }, 's', [{ label: 'RSS', points }]) }
}

function stallPlots({ samples }: StallResult): Plots {
  const title = 'Longest event-loop delay between two scrapes, at 10,000 queries a second'
  const points = samples.map(({ seconds, stallMs }) => [seconds, stallMs] as const)
  return {
    'stall-delay.svg': lineChart({ title, unit: 'milliseconds' }, 's', [
      { label: 'delay', points },
    ]),
  }
}

function rowsOf({ scenarios }: ComparisonResult, scenario: ScenarioName, load: Load): Summary[] {
  const { summaries = [] } = scenarios.find(({ name }) => name === scenario) ?? {}
  return summaries.filter((row) => row.load === load && isUsable(row))
}
