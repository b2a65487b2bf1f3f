/**
 * Runs the micro benches next to this file and prints their table; a word picks files by name, `--file` keeps the results.
 * `npm run bench:micro -- [word] [--file]`
 */
import { readdir } from 'node:fs/promises'
import { type Circumstances, describeCircumstances, writeResult } from '../support/record.ts'
import { alignedTable } from '../support/table.ts'
import { type MicroBench, type MicroResult, measure, sinkValue } from './measure.ts'

/** What the result file holds. */
export interface MicroResults extends Circumstances {
  readonly results: readonly MicroResult[]
}

const head = ['operation', 'ns/op', 'p99 ns/op', 'ops/s', 'bytes/op', 'samples']

async function main(argv: readonly string[]): Promise<number> {
  if (globalThis.gc === undefined) {
    process.stderr.write('run it as `npm run bench:micro`: it needs --expose-gc\n')
    return 2
  }
  const circumstances = describeCircumstances('bench:micro')
  const word = argv.find((argument) => !argument.startsWith('--')) ?? ''
  const files = (await readdir(import.meta.dirname)).filter(
    (file) => file.endsWith('.bench.ts') && file.includes(word),
  )
  const results: MicroResult[] = []
  for (const file of files.toSorted()) results.push(...(await measureFile(file)))
  const { machine, versions } = circumstances
  const state = versions.isModified ? ' (modified)' : ''
  process.stdout.write(
    `${machine.cpu}, ${machine.kernel}, Node ${versions.node}, commit ${versions.commit}${state}, load ${machine.loadAtStart.toFixed(1)}\n\n${alignedTable(head, results.map(row))}\n`,
  )
  const kept: MicroResults = { ...circumstances, results }
  if (argv.includes('--file')) process.stdout.write(`${writeResult('micro', kept)}\n`)
  return Number.isNaN(sinkValue()) ? 1 : 0
}

async function measureFile(file: string): Promise<MicroResult[]> {
  const { bench }: { bench: MicroBench } = await import(`./${file}`)
  return (await bench()).map(measure)
}

function row(result: MicroResult): string[] {
  const { name, nsPerOp, p99NsPerOp, opsPerSecond, bytesPerOp, samples } = result
  const numbers = [Math.round(nsPerOp), Math.round(p99NsPerOp), Math.round(opsPerSecond)]
  return [name, ...numbers.map(String), String(bytesPerOp), String(samples)]
}

process.exitCode = await main(process.argv.slice(2))
