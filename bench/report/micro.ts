/** Tables of the micro benches. Pure. */
import type { Compared } from '../micro/compare.ts'
import type { MicroResult } from '../micro/measure.ts'
import type { Circumstances } from '../support/record.ts'
import { circumstancesText, table } from './text.ts'

export function microTable(circumstances: Circumstances, results: readonly MicroResult[]): string {
  const rows = results.map(({ name, nsPerOp, p99NsPerOp, bytesPerOp, samples, isAboveBar }) => [
    `${name}${isAboveBar ? ' (above its bar)' : ''}`,
    ...[nsPerOp, p99NsPerOp].map((ns) => ns.toFixed(0)),
    bytesPerOp.toFixed(1),
    String(samples),
  ])
  const head = ['operation', 'ns', 'p99 ns', 'bytes', 'samples']
  return `${circumstancesText(circumstances)}\n\n${table(head, rows)}`
}

export function comparedTable(circumstances: Circumstances, compared: Compared): string {
  const { baseCommit, comparisons, notes } = compared
  const rows = comparisons.map((row) => [
    row.name,
    ...[row.baseNs, row.branchNs].map((ns) => ns.toFixed(0)),
    ...[row.ratio, row.low, row.high].map((ratio) => ratio.toFixed(3)),
    ...[row.baseBytes, row.branchBytes].map((bytes) => bytes.toFixed(1)),
    row.verdict,
  ])
  const sides = ['base ns', 'branch ns', 'ratio', '95 % from', 'to', 'base bytes', 'branch bytes']
  const parts = [
    `${circumstancesText(circumstances)} The base is ${baseCommit}.`,
    table(['operation', ...sides, 'verdict'], rows),
    ...notes,
  ]
  return parts.join('\n\n')
}
