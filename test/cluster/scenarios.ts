/**
 * The command `scenarios`: every scenario, in every mode of kube-proxy, at both rates. Prints each outcome as it comes.
 */
import { parseArgs } from 'node:util'
import { kubernetesVersion } from './build/versions.ts'
import { Cluster } from './cluster.ts'
import { Lab } from './lab.ts'
import { type ClusterOptions, proxyModes, readNodeNft } from './layout.ts'
import { saveOutcomes } from './results.ts'
import { type Outcome, runScenario } from './runner.ts'
import type { Scenario } from './scenario.ts'
import { around } from './scenarios/around.ts'
import { changes } from './scenarios/changes.ts'
import { deaths } from './scenarios/deaths.ts'
import { nodelocal } from './scenarios/nodelocal.ts'

/** The first of them needs a node that has never seen neardns. */
export const allScenarios: readonly Scenario[] = [...changes, ...around, ...deaths, ...nodelocal]

/** The cluster that scenarios run on, beside one that somebody tries. */
const scenarioCluster = 'scenarios'

const ratesDefault = '500,5000'
const upgradesDefault = 3
const upgradesLong = 20

type Say = (text: string) => void

/** @returns true when nothing failed */
export async function runScenarios(args: readonly string[], say: Say): Promise<boolean> {
  const plan = readPlan(args)
  let isGood = true
  for (const options of plan.clusters) {
    // What a broken run left.
    await Cluster.remove(plan.cluster)
    const lab = await Lab.open(options, plan.upgrades, say)
    try {
      isGood = (await runOn(lab, plan, say)) && isGood
    } finally {
      await lab.close()
    }
  }
  return isGood
}

interface Plan {
  /** Two runs at once need two names. */
  readonly cluster: string
  readonly clusters: readonly Partial<ClusterOptions>[]
  readonly scenarios: readonly Scenario[]
  readonly rates: readonly number[]
  readonly upgrades: number
  readonly isRecorded: boolean
}

async function runOn(lab: Lab, plan: Plan, say: Say): Promise<boolean> {
  const outcomes: Outcome[] = []
  for (const scenario of plan.scenarios) {
    for (const rate of plan.rates) {
      const outcome = await runScenario(lab, scenario, rate)
      say(outcomeText(outcome))
      outcomes.push(outcome)
      if (plan.isRecorded) saveOutcomes([outcome])
    }
  }
  return outcomes.every(({ faults }) => faults.length === 0)
}

function readPlan(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: { type: 'string', default: scenarioCluster },
      mode: { type: 'string', default: proxyModes.join(',') },
      'node-nft': { type: 'string', default: 'machine' },
      'kube-proxy': { type: 'string', default: kubernetesVersion },
      rate: { type: 'string', default: ratesDefault },
      only: { type: 'string', default: '' },
      long: { type: 'boolean', default: false },
      // Leaves the committed results alone.
      'no-record': { type: 'boolean', default: false },
    },
  })
  const modes = values.mode.split(',')
  const wanted = values.only.split(',').filter(Boolean)
  const scenarios = allScenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  if (scenarios.length === 0) throw new Error(`--only: ${allScenarios.map(({ name }) => name)}`)
  return {
    cluster: values.name,
    clusters: proxyModes
      .filter((mode) => modes.includes(mode))
      .map((proxyMode) => ({
        name: values.name,
        proxyMode,
        nodeNft: readNodeNft(values['node-nft']),
        kubeProxyVersion: values['kube-proxy'],
      })),
    scenarios,
    rates: values.rate.split(',').map(Number),
    upgrades: values.long ? upgradesLong : upgradesDefault,
    isRecorded: !values['no-record'],
  }
}

export function outcomeText(outcome: Outcome): string {
  const { variant, scenario, queriesPerSecond, loads, faults, skipped } = outcome
  const head = `${variant}: ${scenario} at ${queriesPerSecond} q/s`
  if (skipped !== undefined) return `skip ${head}: ${skipped}`
  const counts = loads.map(
    ({ address, lost, sent, wrongCount, lostMax }) =>
      `${address}: ${lost} of ${sent} lost (at most ${lostMax ?? '-'}), ${wrongCount} wrong`,
  )
  const lines = [`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${head}`, ...counts, ...faults]
  return lines.join('\n       ')
}
