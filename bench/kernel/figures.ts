/** The figures of hits in the kernel, and their bars. Pure. */
import { atMost, type Verdict } from '../support/bars.ts'

/** `limit` is a program at tc that sends packets back and knows nothing of DNS. */
export type ContestantName = 'echo' | 'limit' | 'off' | 'on'
export const names = 1000
export const manyNames = 100_000

export const rhythms = [
  { rhythm: '32 at a time', window: 32, spins: false },
  { rhythm: 'singly', window: 1, spins: false },
  { rhythm: 'singly, never asleep', window: 1, spins: true },
] as const
export const kinds = [
  { kind: 'plain', family: 4, edns: 0 },
  { kind: 'EDNS', family: 4, edns: 1 },
  { kind: 'EDNS, IPv6', family: 6, edns: 1 },
] as const

export interface Cost {
  readonly rhythm: string
  readonly kind: string
  readonly contestant: ContestantName
  /** Pod, server and kernel together, a reply; the median of the rounds. */
  readonly cpuUs: number
  /** Of the rounds. */
  readonly podUs: number
  readonly lost: number
  readonly wrong: number
}

export interface Latency {
  readonly contestant: ContestantName
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly lost: number
  readonly wrong: number
}

export interface Paired {
  /** CPU a reply, medians. */
  readonly firstUs: number
  readonly secondUs: number
  /** Of the second to the first in each round, the median. */
  readonly ratio: number
  readonly lost: number
}

export interface Traffic {
  readonly contestant: ContestantName
  readonly sent: number
  readonly lost: number
  /** Of the daemon, share of one CPU. */
  readonly cpuShare: number
  /** Of the queries, answered in the kernel. */
  readonly kernelShare: number
  readonly p99Us: number
}

export interface KernelHitsFigures {
  readonly costs: readonly Cost[]
  readonly latencies: readonly Latency[]
  /** The mode on, to off. */
  readonly miss: Paired | undefined
  /** `manyNames` to `names`, the mode on. */
  readonly growth: Paired | undefined
  readonly traffic: readonly Traffic[]
}

/** The cost of one contestant by another's, with the rhythm and the kind given. */
export function costRatio(
  costs: readonly Cost[],
  [over, under]: readonly [ContestantName, ContestantName],
  { rhythm, kind }: { readonly rhythm: string; readonly kind: string },
): number | undefined {
  const of = (wanted: ContestantName) =>
    costs.find((row) => row.rhythm === rhythm && row.kind === kind && row.contestant === wanted)
  const [a, b] = [of(over)?.cpuUs, of(under)?.cpuUs]
  return a === undefined || b === undefined ? undefined : a / b
}

/** The worst of all kinds. */
function worst(costs: readonly Cost[], rhythm: string): number | undefined {
  const ratios = kinds.flatMap(
    ({ kind }) => costRatio(costs, ['on', 'echo'], { rhythm, kind }) ?? [],
  )
  return ratios.length === 0 ? undefined : Math.max(...ratios)
}

export function barsOf({ costs, latencies, miss, growth, traffic }: KernelHitsFigures): Verdict[] {
  const p99Of = (wanted: ContestantName) =>
    latencies.find(({ contestant }) => contestant === wanted)?.p99Us ?? Number.NaN
  const rows = [...costs, ...latencies]
  return [
    atMost(
      'hit in the kernel, 32 at a time: CPU by the C echo over veth',
      0.5,
      worst(costs, '32 at a time'),
      'x',
    ),
    atMost('hit in the kernel, singly: CPU by the C echo', 0.2, worst(costs, 'singly'), 'x'),
    atMost(
      'hit in the kernel at 10,000 q/s: p99 by the C echo',
      0.5,
      p99Of('on') / p99Of('echo'),
      'x',
    ),
    atMost('a miss with kernelHits on, by off: CPU', 1.02, miss?.ratio, 'x'),
    atMost('hits in the kernel: 100,000 names by 1,000: CPU', 1.2, growth?.ratio, 'x'),
    atMost(
      'wrong replies',
      0,
      rows.reduce((sum, { wrong }) => sum + wrong, 0),
    ),
    atMost(
      'lost',
      0,
      [...rows, ...traffic].reduce((sum, { lost }) => sum + lost, 0),
    ),
  ]
}
