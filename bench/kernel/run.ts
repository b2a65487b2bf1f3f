/**
 * What hits in the kernel cost, save and delay, in one command: the C echo, an echo at tc, the daemon with `kernelHits` off and with it on,
 * each with a pod of its own behind a veth. Prints tables and writes bench/results/kernel-hits.json. Needs root.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { needs, skippedNeeds } from '../../test/support/needs.ts'
import { kernelHitsText } from '../report/kernel-hits.ts'
import type { Verdict } from '../support/bars.ts'
import {
  type Circumstances,
  describeCircumstances,
  endOnSignals,
  endWithUsage,
  exitWith,
  writeResult,
} from '../support/record.ts'
import { barsOf, type KernelHitsFigures } from './figures.ts'
import { measureAll } from './measure.ts'

const parts = ['cost', 'latency', 'miss', 'traffic', 'growth']
const usage = `npm run bench:kernel-hits -- [--only ${parts.join(',')}] [--rounds 3] [--seconds 0.3] [--file | --no-file]`

export interface KernelHitsResult extends Circumstances, KernelHitsFigures {
  readonly rounds: number
  readonly seconds: number
  readonly bars: readonly Verdict[]
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '0.3' },
      file: { type: 'boolean', default: false },
      'no-file': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) endWithUsage(usage)
  const only = values.only.split(',').filter((part) => part !== '')
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
  if (!only.every((part) => parts.includes(part)) || !(rounds > 0 && seconds > 0))
    throw new Error(usage)
  if (!needs('netns', 'tcx', 'clang', 'gcc', 'curl')) {
    for (const { need, how } of skippedNeeds()) process.stderr.write(`${need} is missing: ${how}\n`)
    return 2
  }
  if (availableParallelism() < 2) throw new Error('two CPUs are needed')
  endOnSignals()
  const circumstances = describeCircumstances('bench:kernel-hits')
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-kernel-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const onProgress = (text: string) => process.stderr.write(`  ${text}\n`)
  const figures = await measureAll({ directory, rounds, seconds, onProgress }, only)
  const result: KernelHitsResult = {
    ...circumstances,
    ...{ rounds, seconds },
    ...figures,
    bars: barsOf(figures),
  }
  process.stdout.write(`${kernelHitsText(result)}\n`)
  const isWhole = only.length === 0 && rounds >= 3 && seconds >= 0.3
  if (values.file || (isWhole && !values['no-file'])) writeResult('kernel-hits', result)
  return result.bars.every(({ verdict }) => verdict === 'met') ? 0 : 1
}

await exitWith('bench:kernel-hits', main)
