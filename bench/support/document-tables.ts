/** Result files as Markdown: whose machine, and tables. Pure. */
import type { MicroResult } from '../micro/measure.ts'
import type { MillionResult, SoakResult } from './memory-results.ts'
import type { Circumstances } from './record.ts'
import { type BenchResult, tableHead, tableRows } from './results.ts'
import { markdownTable, type Row } from './table.ts'

/** @throws an Error when it is no result of a bench here */
export function tablesOf(result: unknown): string {
  const kinds: readonly [(of: object) => boolean, (result: never) => string][] = [
    [(of) => 'scenarios' in of, comparison],
    [(of) => 'results' in of, micro],
    [(of) => 'samples' in of, soak],
    [(of) => 'verdict' in of, million],
  ]
  if (typeof result !== 'object' || result === null) throw new Error('not a result')
  const found = kinds.find(([is]) => is(result))
  if (found === undefined) throw new Error('not a result of a bench that is known here')
  return `${circumstancesText(result as Circumstances)}\n\n${found[1](result as never)}`
}

function circumstancesText({ command, date, machine, versions }: Circumstances): string {
  const { commit, isModified, node, coredns, unbound, dnsperf } = versions
  const state = isModified ? ', modified' : ''
  return `\`${command}\`, ${date.slice(0, 10)}, commit ${commit}${state}; ${machine.cpu}, ${machine.cpus} CPUs, Linux ${machine.kernel}, load ${machine.loadAtStart.toFixed(2)} before; Node ${node}, CoreDNS ${coredns}, unbound ${unbound}, dnsperf ${dnsperf}.`
}

function comparison({ scenarios, rounds, secondsPerRun }: BenchResult): string {
  const tables = scenarios.map(
    ({ name, about, upstream, summaries }) =>
      `**${name}**: ${about}. Upstream: ${upstream}. Medians of ${rounds} runs of ${secondsPerRun} s.\n\n${markdownTable(tableHead, tableRows(summaries))}`,
  )
  return tables.join('\n\n')
}

function micro({ results }: { readonly results: readonly MicroResult[] }): string {
  const rows = results.map(({ name, nsPerOp, bytesPerOp }) => [
    name,
    nsPerOp.toFixed(0),
    bytesPerOp.toFixed(0),
  ])
  return markdownTable(['step', 'ns', 'octets allocated'], rows)
}

function soak({ verdict }: SoakResult): string {
  return facts([
    ['minutes', String(verdict.minutes)],
    ['memory limit', mebibytes(verdict.limitBytes)],
    ['names asked', count(verdict.sent)],
    ['names a second', count(verdict.queriesPerSecond)],
    ['answered', share(verdict.right, verdict.sent)],
    ['SERVFAIL, lost, wrong', [verdict.servfail, verdict.lost, verdict.wrong].join(', ')],
    ['most memory charged to the cgroup', mebibytes(verdict.cgroupMaxBytes)],
    ['of that anonymous, at a sample', mebibytes(verdict.anonMaxBytes)],
    ['times the limit was met', String(verdict.limitHits)],
    ['OOM kills', String(verdict.oomKills)],
    [
      'cache, most and bound',
      [verdict.cacheMaxBytes, verdict.cacheBoundBytes].map(mebibytes).join(' of '),
    ],
    ['V8 heap limit', mebibytes(verdict.heapLimitBytes)],
    ['longest event-loop delay', `${verdict.stallMaxMs} ms`],
  ])
}

function million({ verdict }: MillionResult): string {
  return facts([
    ['names asked', count(verdict.names)],
    ['names a second', count(verdict.queriesPerSecond)],
    ['answered', share(verdict.right, verdict.sent)],
    ['resident memory before', mebibytes(verdict.idleRssBytes)],
    [
      'most resident memory, by quarter of the names',
      verdict.rssMaxByQuarterBytes.map(mebibytes).join(', '),
    ],
    [
      'cache, at the end and bound',
      [verdict.cacheBytes, verdict.cacheBoundBytes].map(mebibytes).join(' of '),
    ],
    ['longest event-loop delay', `${verdict.stallMaxMs} ms`],
    ['garbage collections', `${verdict.collectionSeconds} s of ${verdict.seconds} s`],
  ])
}

function facts(rows: readonly Row[]): string {
  return markdownTable(['', ''], rows)
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(3)} %`
}
