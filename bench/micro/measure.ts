/** Times one operation with mitata and reads how many bytes of heap and buffers it leaves behind. Never chooses what is measured. */
import { getHeapStatistics } from 'node:v8'
import { do_not_optimize, measure as sample } from 'mitata'
import { median, percentile, significant } from '../support/statistics.ts'

export interface MicroCase {
  readonly name: string
  /**
   * One operation.
   * @returns an integer that depends on its work, so that the compiler cannot drop the work
   */
  readonly op: () => number
  /** At most this much, or the run fails. */
  readonly bar?: { readonly ns: number; readonly bytes: number }
}

/** What a `*.bench.ts` exports as `bench`. Called late, so that the preparations of one file do not slow the others. */
export type MicroBench = () => Promise<readonly MicroCase[]> | readonly MicroCase[]

export interface MicroResult {
  readonly name: string
  readonly nsPerOp: number
  /** 10th percentile of the samples' means: the machine disturbs it least. For comparisons. */
  readonly quietNsPerOp: number
  /** 99th percentile of the samples' means, not of single operations. */
  readonly p99NsPerOp: number
  readonly bytesPerOp: number
  readonly samples: number
  readonly isAboveBar: boolean
}

/** A comparison repeats whole processes; more samples in one of them tell less. */
const efforts = {
  whole: { warmUpMs: 300, samples: 54 },
  short: { warmUpMs: 150, samples: 24 },
}
export type Effort = keyof typeof efforts

/** So few that the garbage of one sample of misses fits into the young generation many times. */
const opsPerSample = 2048
/** So many that what reading the heap leaves behind, some 800 bytes, does not show. */
const opsPerBarredSample = 65_536

export async function measure({ name, op, bar }: MicroCase, effort: Effort): Promise<MicroResult> {
  const { warmUpMs, samples } = efforts[effort]
  const batch_samples = bar === undefined ? opsPerSample : opsPerBarredSample
  // Whatever a call takes: mitata takes a call that was interrupted for a slow operation, and would time single calls.
  const inBatches = { batch_samples, batch_threshold: Infinity, warmup_threshold: Infinity }
  // `| 0`: a number beyond 31 bits would be an object on the heap, and ours.
  const once = () => do_not_optimize(op() | 0)
  await sample(once, { ...inBatches, min_cpu_time: warmUpMs * 1e6 })
  const readings: number[] = []
  const measured = await sample(once, {
    ...inBatches,
    ...{ min_cpu_time: 0, min_samples: samples, max_samples: samples },
    heap: () => {
      const bytes = bytesInUse()
      readings.push(bytes)
      return bytes
    },
  })
  const bytesPerOp = Math.round((100 * leftBytes(readings)) / batch_samples) / 100
  return {
    name,
    nsPerOp: significant(measured.p50),
    quietNsPerOp: significant(percentile(measured.samples, 0.1)),
    p99NsPerOp: significant(measured.p99),
    bytesPerOp,
    samples: measured.samples.length,
    isAboveBar: bar !== undefined && (measured.p50 > bar.ns || bytesPerOp > bar.bytes),
  }
}

/** Readings before and after each sample, in turns. A sample in which V8 collected has less afterwards and says nothing. */
function leftBytes(readings: readonly number[]): number {
  const left = readings.flatMap((bytes, at) =>
    at % 2 === 1 ? [bytes - (readings[at - 1] ?? 0)] : [],
  )
  return median(left.filter((bytes) => bytes >= 0))
}

function bytesInUse(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}
