/** docs/performance.md as text, from the results that there are. Pure. */
import type { ComparisonResult } from '../comparison/summary.ts'
import type { KernelHitsResult } from '../kernel/run.ts'
import { comparisonBars } from './bars.ts'
import { comparisonText } from './comparison.ts'
import { kernelHitsText } from './kernel-hits.ts'
import { shortfallsText } from './shortfalls.ts'
import { type SoakResults, soaksText } from './soaks.ts'
import { barsTable } from './text.ts'

export interface AllResults extends SoakResults {
  readonly comparison?: ComparisonResult
  readonly 'kernel-hits'?: KernelHitsResult
}

/** @param plots names of the files beside the results */
export function performancePage(all: AllResults, plots: readonly string[]): string {
  const parts = [
    head,
    barsText(all),
    ...(all.comparison ? comparisonText(all.comparison, plots) : [noComparison]),
    ...(all['kernel-hits'] ? [kernelHitsText(all['kernel-hits'])] : []),
    ...soaksText(all, plots),
    limits,
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const noComparison = 'No comparison of this version has been kept yet; `npm run bench` makes one.'

const head = `<!-- Made by \`npm run bench:report\` from bench/results; do not edit. -->
# Performance

What neardns costs, beside the caches and resolvers that people run, in the same run on the same machine.
[bench/README.md](../bench/README.md) says how it is measured and how to repeat it. Trust ratios before figures, and CPU per query before
queries per second: the first carries over to other machines and is measured to the nanosecond, the last is also a matter of who makes the load.`

function barsText(all: AllResults): string {
  const rows = [
    ...(all.comparison ? comparisonBars(all.comparison) : []),
    ...(all.stall?.bars ?? []),
    ...(all.long?.bars ?? []),
    ...(all['gc-stress']?.bars ?? []),
  ]
  if (rows.length === 0) return ''
  const met = rows.filter(({ verdict }) => verdict === 'met').length
  const parts = [
    `## The bars

Set before anything was measured. ${met} of ${rows.length} are met. Ratios are neardns's figure divided by the other one.`,
    barsTable(rows),
    shortfallsText(rows, all),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

const limits = `## What not to conclude

- Everything runs on loopback: a packet's way through the kernel is paid by whoever sends it, and no network card, NAT or bridge is in it. In a cluster the fixed cost
  of a query is higher for all servers, so that differences between them count for less.
- All servers share one CPU and are loaded in turns; an idle one costs little but not nothing, and caches of the CPU are cold after each turn.
- Latencies at a fixed rate include the time a sleeping server takes to wake up, which on a virtual machine is most of the median.
- \`>\` before a rate: the server was not busy all the time; the load was the limit.
- Times to live are raised for the hits, so that nothing expires. What expiry costs is in the pod traffic and in the long runs.
- NodeLocal DNSCache's own program is not here: it could not be had as a Go module. CoreDNS runs with its Corefile, as \`node-cache\` with its plugins as well.
- The echo server is no DNS server: it is what the kernel alone costs with this batching.`
