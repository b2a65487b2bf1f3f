/** Tables of what answering the search path saves. Pure. */
import { costSteps, meanCost } from '../../test/support/lab/search-cost.ts'
import { contestantNames, type SearchPlan, type SearchRun } from '../search/measure.ts'
import { median } from '../support/statistics.ts'
import { type Row, table } from './text.ts'

export function searchTables(plan: SearchPlan, runs: readonly SearchRun[]): string {
  const costHead = ['queries at CoreDNS (at the outside resolver), A and AAAA', ...costSteps]
  const timeHead = ['getaddrinfo, ms', ...costSteps]
  const loadHead = ['noise at CoreDNS', 'names', 'q/s', 'less by', 'asked', 'lost', 'wrong']
  return [
    table(
      costHead,
      [2, 3, 4].flatMap((labels) => runs.map((run) => costRow(run, labels))),
    ),
    `round trips: ${plan.clusterMs} ms to CoreDNS, ${plan.externalMs} ms to the outside resolver`,
    table(timeHead, runs.map(timeRow)),
    table(
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
    contestantNames[run.contestant],
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
