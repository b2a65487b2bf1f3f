/**
 * What answering the search path saves, in one command: queries of a look-up at the cluster's CoreDNS, the time that
 * `getaddrinfo` takes, and the queries of a whole node, each beside CoreDNS configured like NodeLocal DNSCache. Prints
 * tables and writes bench/results/search.json. Needs root (network namespaces); says what is missing.
 */
import { parseArgs } from 'node:util'
import { needs, skippedNeeds } from '../../test/support/needs.ts'
import { searchTables } from '../report/search.ts'
import {
  type Circumstances,
  describeCircumstances,
  endWithUsage,
  exitWith,
  writeResult,
} from '../support/record.ts'
import { contestants, measureAll, type SearchPlan, type SearchRun } from './measure.ts'

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
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) endWithUsage(usage)
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
  process.stdout.write(`${searchTables(plan, runs)}\n`)
  const result: SearchResult = { ...circumstances, plan, runs }
  if (!values['no-file']) writeResult('search', result)
  return runs.every(({ loads }) => loads.every(({ report: { wrong } }) => wrong === 0)) ? 0 : 1
}

await exitWith('bench:search', main)
