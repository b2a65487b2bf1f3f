/** What is told of hits in the kernel: on the terminal at the end of their bench, and in docs/performance.md. Pure. */
import { type Cost, costRatio, kinds, manyNames, names, rhythms } from '../kernel/figures.ts'
import type { KernelHitsResult } from '../kernel/run.ts'
import { barsTable, circumstancesText, count, fixed, type Row, table } from './text.ts'

const contestants = ['echo', 'off', 'on', 'limit'] as const
const headings: Readonly<Record<(typeof contestants)[number], string>> = {
  echo: 'C echo',
  off: 'off',
  on: 'on',
  limit: 'echo at tc',
}

export function kernelHitsText(result: KernelHitsResult): string {
  const parts = [
    `## Hits in the kernel\n\n\`kernelHits.mode: auto\` ([kernel-hits.md](kernel-hits.md)), off by default. ${circumstancesText(result)} Each server has a pod behind a veth; servers are on one CPU, pods on the other.
The echo at tc is a program of a few lines that sends every packet back at the pod's interface: what is above it is ours, the rest is the pod's own system calls and the kernel's.`,
    barsTable(result.bars),
    ...(result.costs.length === 0 ? [] : [costsText(result.costs)]),
    ...(result.latencies.length === 0 ? [] : [latenciesText(result)]),
    othersText(result),
    ...(result.traffic.length === 0 ? [] : [trafficText(result)]),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function costsText(costs: readonly Cost[]): string {
  const rows = rhythms.flatMap(({ rhythm }) =>
    kinds.map(({ kind }): Row => {
      const at = { rhythm, kind }
      const us = contestants.map((contestant) =>
        fixed(cost(costs, contestant, at)?.cpuUs ?? Number.NaN, 2),
      )
      const ratio = (under: 'echo' | 'off') =>
        fixed(costRatio(costs, ['on', under], at) ?? Number.NaN, 2)
      return [`${rhythm}, ${kind}`, ...us, ratio('echo'), ratio('off')]
    }),
  )
  const head = [
    'CPU a query, us',
    ...contestants.map((contestant) => headings[contestant]),
    'on by echo',
    'on by off',
  ]
  return `Pod, server and kernel together, ${count(names)} names. A pod that sleeps until the reply comes has to be woken up, which the kernel's answer spares it; one that never sleeps spends the time
in which it waits, so that its figure is the round trip.

${table(head, rows)}`
}

function cost(
  costs: readonly Cost[],
  contestant: string,
  at: { readonly rhythm: string; readonly kind: string },
): Cost | undefined {
  return costs.find(
    (row) => row.rhythm === at.rhythm && row.kind === at.kind && row.contestant === contestant,
  )
}

function latenciesText({ latencies }: KernelHitsResult): string {
  const rows = latencies.map(({ contestant, p50Us, p99Us, p999Us }) => [
    headings[contestant],
    ...[p50Us, p99Us, p999Us].map((us) => fixed(us, 1)),
  ])
  return `At 10,000 q/s, from the sending of the query until the kernel has the reply:

${table(['', 'p50, us', 'p99, us', 'p99.9, us'], rows)}`
}

function othersText({ miss, growth }: KernelHitsResult): string {
  const lines = [
    miss &&
      `- A miss: ${fixed(miss.firstUs, 1)} us off, ${fixed(miss.secondUs, 1)} us on (the median of the rounds' ratios: ${fixed(miss.ratio, 3)}).`,
    growth &&
      `- ${count(manyNames)} names in the kernel: ${fixed(growth.secondUs, 2)} us a query; ${count(names)} in the same daemon: ${fixed(growth.firstUs, 2)} us (${fixed(growth.ratio, 2)}).`,
  ]
  return lines.filter((line) => line !== undefined).join('\n')
}

function trafficText({ traffic }: KernelHitsResult): string {
  const rows = traffic.map(({ contestant, sent, lost, cpuShare, kernelShare, p99Us }) => [
    headings[contestant],
    `${fixed(100 * cpuShare, 1)} %`,
    `${fixed(100 * kernelShare, 1)} %`,
    fixed(p99Us, 0),
    count(sent),
    count(lost),
  ])
  const head = ['', "daemon's CPU", 'never reach it', 'p99, us', 'queries', 'lost']
  return `Look-ups of pods through three search domains at 10,000 q/s, with the times to live that a cluster has. Denials of cluster names are never the kernel's: the daemon judges each.

${table(head, rows)}`
}
