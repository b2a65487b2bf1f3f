/**
 * Runs the micro benches next to this file and prints their table; a word picks files by name, `--file` keeps the results. With
 * `--base REV` the same benches run against the sources of REV as well, and the ratios are printed; exit code 1 when
 * something has become slower.
 * `npm run bench:micro -- [word] [--file] [--base REV [--runs 10]]`
 */
import { parseArgs } from 'node:util'
import {
  type Circumstances,
  describeCircumstances,
  endOnSignals,
  writeResult,
} from '../report/record.ts'
import { alignedTable } from '../report/table.ts'
import { type Compared, compare, comparisonHead, comparisonRow } from './compare.ts'
import type { MicroResult } from './measure.ts'
import { oneRun } from './one-run.ts'

/** What the result file holds. */
export interface MicroResults extends Circumstances {
  readonly results: readonly MicroResult[]
}

export interface ComparedResults extends Circumstances, Compared {}

const head = ['operation', 'ns/op', 'p99 ns/op', 'ops/s', 'bytes/op', 'samples']

interface Options {
  readonly word: string
  readonly writesFile: boolean
  readonly base: string | undefined
  readonly runs: number
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      file: { type: 'boolean', default: false },
      base: { type: 'string' },
      runs: { type: 'string', default: '10' },
    },
  })
  const runs = Number(values.runs)
  if (!(Number.isInteger(runs) && runs >= 3)) {
    throw new Error('--runs is a whole number, 3 at least: an interval needs some pairs')
  }
  return { word: positionals[0] ?? '', writesFile: values.file, base: values.base, runs }
}

async function main(): Promise<number> {
  const options = readOptions()
  if (globalThis.gc === undefined) {
    process.stderr.write('run it as `npm run bench:micro`: it needs --expose-gc\n')
    return 2
  }
  const circumstances = describeCircumstances('bench:micro')
  const { machine, versions } = circumstances
  const state = versions.isModified ? ' (modified)' : ''
  process.stdout.write(
    `${machine.cpu}, ${machine.kernel}, Node ${versions.node}, commit ${versions.commit}${state}, load ${machine.loadAtStart.toFixed(1)}\n\n`,
  )
  return options.base === undefined
    ? await measureHere(options, circumstances)
    : compareWith({ ...options, base: options.base }, circumstances)
}

async function measureHere(
  { word, writesFile }: Options,
  circumstances: Circumstances,
): Promise<number> {
  const { results, failed, sink } = await oneRun(word, false)
  process.stdout.write(`${alignedTable(head, results.map(row))}\n`)
  for (const why of failed) process.stderr.write(`failed: ${why}\n`)
  const kept: MicroResults = { ...circumstances, results }
  if (writesFile) process.stdout.write(`${writeResult('micro', kept).join('\n')}\n`)
  return Number.isNaN(sink) || failed.length > 0 ? 1 : 0
}

function compareWith(
  { word, writesFile, base, runs }: Options & { readonly base: string },
  circumstances: Circumstances,
): number {
  endOnSignals()
  const progress = (text: string) => process.stderr.write(`  ${text}\n`)
  const compared = compare({ base, runs, word, progress })
  const { baseCommit, comparisons, notes } = compared
  process.stdout.write(`base ${base} (${baseCommit}), ${runs} pairs of fresh processes\n\n`)
  process.stdout.write(`${alignedTable(comparisonHead, comparisons.map(comparisonRow))}\n`)
  for (const note of notes) process.stdout.write(`${note}\n`)
  const kept: ComparedResults = { ...circumstances, ...compared }
  if (writesFile) process.stdout.write(`${writeResult('micro-compared', kept).join('\n')}\n`)
  return comparisons.some(({ verdict }) => verdict === 'slower') ? 1 : 0
}

function row(result: MicroResult): string[] {
  const { name, nsPerOp, p99NsPerOp, opsPerSecond, bytesPerOp, samples } = result
  const numbers = [Math.round(nsPerOp), Math.round(p99NsPerOp), Math.round(opsPerSecond)]
  return [name, ...numbers.map(String), String(bytesPerOp), String(samples)]
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`bench:micro: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
