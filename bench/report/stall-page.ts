/** What a stall run says beside its bars: both servers side by side, and what was going on in the seconds with a long delay. Pure. */

import type { StallResult, StallSample, StallSegment } from '../soaks/stall.ts'
import { median } from '../support/statistics.ts'
import { fixed, type Row, table } from './text.ts'

/** Both servers get the same, in turns short enough that a machine which changes its pace changes it for both. */
export const windowSeconds = 20
/** A reply later than this is slow. */
export const slowMs = 5
/** A delay of the event loop above this is explained. */
export const stallMsMax = 10

const stallHead: Row = [
  `windows of ${windowSeconds} s`,
  'number',
  'p50, us',
  'p99, us',
  'p99.9, ms',
  'worst p99.9, ms',
  'longest, ms',
  `later than ${slowMs} ms`,
]

/** A quarter of a per cent of the 40 s that two CPUs have in a window. */
const calmStolenMs = 100

/** A window in which the hypervisor took next to nothing. */
function isCalm({ stolenMs }: StallSegment): boolean {
  return stolenMs <= calmStolenMs
}

export function stallTable(result: StallResult): string {
  return table(stallHead, stallRows(result))
}

/** Medians of the windows where it does not say otherwise; where they differ, those of the calm ones as well. */
export function stallRows({ segments }: StallResult): Row[] {
  return (['neardns', 'unbound'] as const).flatMap((name) => {
    const own = segments.filter(({ contestant }) => contestant === name)
    const calm = own.filter(isCalm)
    const rows = [rowOf(name, own), rowOf(`${name}, at most ${calmStolenMs} ms stolen`, calm)]
    return rows.slice(0, calm.length > 0 && calm.length < own.length ? 2 : 1)
  })
}

function rowOf(title: string, segments: readonly StallSegment[]): Row {
  const values = (read: (segment: StallSegment) => number) => segments.map(read)
  const received = segments.reduce((sum, each) => sum + each.received, 0)
  const slow = segments.reduce((sum, each) => sum + each.slow, 0)
  return [
    title,
    String(segments.length),
    fixed(median(values(({ p50Us }) => p50Us)), 0),
    fixed(median(values(({ p99Us }) => p99Us)), 0),
    fixed(median(values(({ p999Us }) => p999Us)) / 1000, 1),
    fixed(Math.max(...values(({ p999Us }) => p999Us)) / 1000, 1),
    fixed(Math.max(...values(({ maxUs }) => maxUs)) / 1000, 1),
    `${fixed((100 * slow) / received, 3)} %`,
  ]
}

/** What was going on in each second with a long delay; the first of these that accounts for half of it. */
const causes: readonly (readonly [text: string, ms: (sample: StallSample) => number])[] = [
  ['the hypervisor had taken the CPU', ({ stolenMs }) => stolenMs],
  ['a major collection ran', ({ collectedMs }) => collectedMs],
  [
    'others had the CPU while the daemon could have run, threads of its own included',
    ({ waitedMs }) => waitedMs,
  ],
]

export function delaysText({ samples }: StallResult): string {
  const long = samples.filter(({ stallMs }) => stallMs > stallMsMax)
  if (long.length === 0) return `No second of ${samples.length} had a delay above ${stallMsMax} ms.`
  const cause = (sample: StallSample) => causes.find(([, ms]) => ms(sample) >= sample.stallMs / 2)
  const found = causes
    .map((each) => [each[0], long.filter((sample) => cause(sample) === each).length] as const)
    .filter(([, count]) => count > 0)
    .map(([text, count]) => `in ${count} ${text}`)
  const rest = long.filter((sample) => cause(sample) === undefined).length
  if (rest > 0) found.push(`in ${rest} none of what was watched accounts for half of the delay`)
  return `${long.length} of ${samples.length} seconds had a delay above ${stallMsMax} ms: ${found.join(', ')}.`
}
