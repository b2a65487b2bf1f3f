/**
 * Times an operation in process: many samples of a few milliseconds each, nanoseconds and octets of heap and buffers per
 * operation. Run with `--expose-gc` and a young generation so large that no collection falls into a sample of memory.
 */
import { median, percentile, significant } from '../support/statistics.ts'

export interface MicroCase {
  readonly name: string
  /**
   * One operation.
   * @returns something that depends on its work, so that it cannot be optimised away
   */
  readonly op: () => number
}

/** What a `*.bench.ts` exports as `bench`. Made late, so that one file's preparations do not slow the others. */
export type MicroBench = () => Promise<readonly MicroCase[]> | readonly MicroCase[]

export interface MicroResult {
  readonly name: string
  readonly nsPerOp: number
  /** 10th percentile of the samples' means: what is left when the machine is disturbed. For comparisons. */
  readonly quietNsPerOp: number
  /** 99th percentile of the samples' means, not of single operations. */
  readonly p99NsPerOp: number
  readonly opsPerSecond: number
  readonly bytesPerOp: number
  readonly samples: number
}

/** How long one case is measured. */
export interface Effort {
  readonly warmUpMs: number
  readonly samples: number
}

export const wholeEffort: Effort = { warmUpMs: 300, samples: 50 }
/** For comparisons, where fresh processes count for more than many samples in one. */
export const shortEffort: Effort = { warmUpMs: 150, samples: 20 }

const sampleMs = 5
const memorySamples = 9
/** Few: the buffers of 20,000 large images would set off a collection. */
const memoryOps = 2000

/** Where results of operations go. */
let sink = 0

export function measure({ name, op }: MicroCase, effort: Effort): MicroResult {
  const { samples } = effort
  const opsPerSample = warmUp(op, effort.warmUpMs)
  const times: number[] = []
  for (let i = 0; i < samples; i++) times.push(nsPerOp(op, opsPerSample))
  const bytes = Array.from({ length: memorySamples }, () => bytesPerOp(op))
  const middle = median(times)
  const sorted = times.toSorted((a, b) => a - b)
  return {
    name,
    nsPerOp: significant(middle),
    quietNsPerOp: significant(percentile(sorted, 0.1)),
    p99NsPerOp: significant(percentile(sorted, 0.99)),
    opsPerSecond: significant(1e9 / middle),
    bytesPerOp: Math.max(0, Math.round(median(bytes))),
    samples,
  }
}

/** @returns how many operations a sample takes */
function warmUp(op: () => number, warmUpMs: number): number {
  const endMs = performance.now() + warmUpMs
  let ops = 0
  while (performance.now() < endMs) {
    for (let i = 0; i < 100; i++) sink += op()
    ops += 100
  }
  return Math.max(100, Math.round((ops * sampleMs) / warmUpMs))
}

function nsPerOp(op: () => number, ops: number): number {
  const startNs = process.hrtime.bigint()
  for (let i = 0; i < ops; i++) sink += op()
  return Number(process.hrtime.bigint() - startNs) / ops
}

function bytesPerOp(op: () => number): number {
  globalThis.gc?.()
  const before = process.memoryUsage()
  for (let i = 0; i < memoryOps; i++) sink += op()
  const after = process.memoryUsage()
  const heap = after.heapUsed - before.heapUsed
  return (heap + after.external - before.external) / memoryOps
}

/** @returns a number that nobody can foresee: the last word on dead code */
export function sinkValue(): number {
  return sink
}
