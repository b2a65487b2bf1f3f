/** What a hit costs with more names in the cache, for each server: does ours grow faster than others'? Pure. */
import type { ScenarioName } from '../comparison/scenarios.ts'
import type { ComparisonResult } from '../comparison/summary.ts'
import { growthOf, summaryAt } from './bars.ts'
import { fixed, table } from './text.ts'

const sizes = ['hit-1k', 'hit-10k', 'hit-100k'] as const satisfies readonly ScenarioName[]

export function growthText(result: ComparisonResult): string {
  const cells = result.contestants.flatMap(({ name }) => {
    const growth = growthOf(result, name)
    if (growth === undefined) return []
    const cpu = sizes.map((size) => fixed(cpuOf(result, size, name) ?? Number.NaN, 2))
    return [[name, ...cpu, `${fixed(growth, 2)} x`]]
  })
  if (cells.length === 0) return ''
  return `### Growth with names

CPU of a hit at saturation, 96 queries out, with more and more names in the cache. The echo server holds none: what it grows by is the machine's.

${table(['CPU us a query', '1,000 names', '10,000', '100,000', '100,000 to 1,000'], cells)}`
}

function cpuOf(result: ComparisonResult, scenario: ScenarioName, contestant: string) {
  return summaryAt(result, { scenario, load: 'most' }, contestant)?.cpuUsPerQuery
}
