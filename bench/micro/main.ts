/**
 * Runs the micro benches and prints their table; a word picks files by name, `--file` keeps the results. `--against COMMIT` compares this
 * tree with another commit. Exit code 1 when a case is slower, is above its bar or does not run.
 */
import { parseArgs } from 'node:util'
import { comparedTable, microTable } from '../report/micro.ts'
import {
  describeCircumstances,
  endOnSignals,
  endWithUsage,
  exitWith,
  writeResult,
} from '../support/record.ts'
import { repository } from '../support/servers.ts'
import { compare, measureTree } from './compare.ts'

const usage = 'npm run bench:micro -- [word] [--file] [--against COMMIT [--runs 10]]'

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      file: { type: 'boolean', default: false },
      against: { type: 'string' },
      runs: { type: 'string', default: '10' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) endWithUsage(usage)
  const { file: writesFile, against } = values
  const [word = ''] = positionals
  const runs = Number(values.runs)
  if (!(Number.isInteger(runs) && runs >= 3)) {
    throw new Error('--runs is a whole number, 3 at least: an interval needs some pairs')
  }
  endOnSignals()
  const circumstances = describeCircumstances('bench:micro')
  if (against === undefined) {
    const { results, failed } = await measureTree(repository, word)
    process.stdout.write(`${microTable(circumstances, results)}\n`)
    for (const why of failed) process.stderr.write(`failed: ${why}\n`)
    if (writesFile) writeResult('micro', { ...circumstances, results })
    return failed.length > 0 || results.some(({ isAboveBar }) => isAboveBar) ? 1 : 0
  }
  const progress = (text: string) => process.stderr.write(`  ${text}\n`)
  const compared = await compare({ against, runs, word, progress })
  process.stdout.write(`${comparedTable(circumstances, compared)}\n`)
  if (writesFile) writeResult('micro-compared', { ...circumstances, ...compared })
  return compared.comparisons.some(({ verdict }) => verdict === 'slower') ? 1 : 0
}

await exitWith('bench:micro', main)
