/**
 * What answering the search path saves, in one command: queries of a look-up at the cluster's CoreDNS, the time that
 * `getaddrinfo` takes, and the queries of a whole node, each beside CoreDNS configured like NodeLocal DNSCache. Prints
 * tables and writes bench/results/<date>-<commit>-search.json. Needs root (network namespaces); says what is missing.
 */
import { parseArgs } from 'node:util'
import { costSteps, meanCost } from '../../test/support/lab/search-cost.ts'
import { needs, skippedNeeds } from '../../test/support/needs.ts'
import { type Circumstances, describeCircumstances, writeResult } from '../report/record.ts'
import { alignedTable, type Row } from '../report/table.ts'
import { median } from '../support/statistics.ts'
import {
  contestantNames,
  contestants,
  measureAll,
  type SearchContestant,
  type SearchPlan,
  type SearchRun,
} from './measure.ts'

const usage = 'npm run bench:search -- [--quick] [--only declared|cautious|peer] [--no-file]'

export interface SearchResult extends Circumstances {
  readonly plan: SearchPlan
  readonly runs: readonly SearchRun[]
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      'no-file': { type: 'boolean', default: false },
    },
  })
  if (!needs('coredns', 'netns', 'gcc')) {
    for (const { need, how } of skippedNeeds()) process.stderr.write(`${need} is missing: ${how}\n`)
    return 2
  }
  const which = contestants.filter((name) => values.only === undefined || name === values.only)
  if (which.length === 0) throw new Error(`there is no contestant ${values.only}`)
  const circumstances = describeCircumstances('bench:search')
  const plan: SearchPlan = {
    clusterMs: 1,
    externalMs: 10,
    rounds: values.quick ? 3 : 20,
    warmUpSeconds: 12,
    loadSeconds: values.quick ? 12 : 60,
  }
  const runs = await measureAll(plan, which, (text) => process.stderr.write(`  ${text}\n`))
  process.stdout.write(`${report(plan, runs)}\n`)
  const result: SearchResult = { ...circumstances, plan, runs }
  if (!values['no-file']) process.stdout.write(`\n${writeResult('search', result)}\n`)
  return runs.every(({ loads }) => loads.every(({ report: { wrong } }) => wrong === 0)) ? 0 : 1
}

function report(plan: SearchPlan, runs: readonly SearchRun[]): string {
  const costHead = ['queries at CoreDNS (at the outside resolver), A and AAAA', ...costSteps]
  const timeHead = ['getaddrinfo, ms', ...costSteps]
  const loadHead = ['noise at CoreDNS', 'names', 'q/s', 'less by', 'asked', 'lost', 'wrong']
  return [
    alignedTable(
      costHead,
      [2, 3, 4].flatMap((labels) => runs.map((run) => costRow(run, labels))),
    ),
    `round trips: ${plan.clusterMs} ms to CoreDNS, ${plan.externalMs} ms to the outside resolver`,
    alignedTable(timeHead, runs.map(timeRow)),
    alignedTable(
      loadHead,
      [false, true].flatMap((isShared) => runs.map((run) => loadRow(runs, run, isShared))),
    ),
  ].join('\n\n')
}

function costRow({ contestant, costs }: SearchRun, labels: number): Row {
  const cells = costSteps.map((step) => {
    const { cluster, external } = meanCost(costs, step, labels)
    return `${cluster.toFixed(1)} (${external.toFixed(1)})`
  })
  return [`${labels} labels, ${contestantNames[contestant]}`, ...cells]
}

function timeRow({ contestant, costs }: SearchRun): Row {
  const cells = costSteps.map((step) => {
    const times = costs.filter((sample) => sample.step === step).map(({ tookUs }) => tookUs)
    return (median(times) / 1000).toFixed(1)
  })
  return [contestantNames[contestant], ...cells]
}

function loadRow(runs: readonly SearchRun[], run: SearchRun, isShared: boolean): Row {
  const rate = noise(run, isShared)
  const peer = runs.find(({ contestant }) => contestant === 'peer')
  const ratio = peer === undefined ? '' : `${(noise(peer, isShared) / rate).toFixed(1)} x`
  const load = run.loads.find((each) => each.isShared === isShared)
  const sent = load?.report.sent ?? 0
  return [
    contestantNames[run.contestant satisfies SearchContestant],
    isShared ? 'the same' : 'own',
    rate.toFixed(1),
    ratio,
    String(sent),
    String(load?.report.lost ?? ''),
    String(load?.report.wrong ?? ''),
  ]
}

function noise({ loads }: SearchRun, isShared: boolean): number {
  return loads.find((each) => each.isShared === isShared)?.perSecond.cluster ?? Number.NaN
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(
    `bench: ${error instanceof Error ? error.message : String(error)}\n${usage}\n`,
  )
  process.exitCode = 1
}
