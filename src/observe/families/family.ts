/**
 * What a metric family is: a definition, from which the documentation is generated, and a function that returns the samples of a scrape.
 * Pure, and knows nothing of the text format.
 */

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** Histograms only: which part of the family the sample belongs to. */
  readonly suffix?: '_bucket' | '_sum' | '_count'
  /** Histogram buckets only: the upper bound. Written before the other labels. */
  readonly bound?: { readonly le: string }
}

export interface Family {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labelNames: readonly string[]
  /** Called at each scrape. Synchronous; must not throw. */
  readonly collect: () => readonly Sample[]
}

type About = readonly [name: string, help: string]

/** Declares a counter or gauge with labels. */
export function family(
  kind: 'counter' | 'gauge',
  [name, help]: About,
  labelNames: readonly string[],
  collect: () => readonly Sample[],
): Family {
  return { name, kind, help, labelNames, collect }
}

/** Declares a counter or gauge without labels. */
export function single(kind: 'counter' | 'gauge', [name, help]: About, read: () => number): Family {
  const labels = {}
  return { name, kind, help, labelNames: [], collect: () => [{ labels, value: read() }] }
}

/** Declares a histogram. `collect` makes its samples with `histogramSamples`. */
export function histogram(
  [name, help]: About,
  labelNames: readonly string[],
  collect: () => readonly Sample[],
): Family {
  return { name, kind: 'histogram', help, labelNames, collect }
}

/** Inclusive upper bounds of a histogram, and the label of each bucket. */
export interface Bounds {
  readonly values: readonly number[]
  readonly labels: readonly { readonly le: string }[]
}

export function boundsOf(values: readonly number[]): Bounds {
  return { values, labels: [...values.map((value) => ({ le: String(value) })), { le: '+Inf' }] }
}

/**
 * Turns an array of bucket counts into the samples of a histogram: cumulative buckets, sum, count.
 * @param slots from `base`: one count per bound, one for larger values, then the sum
 * @returns no samples for a histogram without counts, so that idle label sets cost no series
 */
export function histogramSamples(
  labels: Labels,
  bounds: Bounds,
  slots: Float64Array,
  { base = 0, sumScale = 1 } = {},
): Sample[] {
  const samples: Sample[] = []
  let count = 0
  for (const [n, bound] of bounds.labels.entries()) {
    count += slots[base + n] ?? 0
    samples.push({ labels, bound, value: count, suffix: '_bucket' })
  }
  if (count === 0) return []
  const sum = (slots[base + bounds.labels.length] ?? 0) * sumScale
  samples.push({ labels, value: sum, suffix: '_sum' })
  samples.push({ labels, value: count, suffix: '_count' })
  return samples
}

/** Keeps one label object per position of an array of counters, so that each is made once. */
export class LabelCache {
  private readonly build: (at: number) => Labels
  private readonly known = new Map<number, Labels>()

  constructor(build: (at: number) => Labels) {
    this.build = build
  }

  at(position: number): Labels {
    let labels = this.known.get(position)
    if (!labels) {
      labels = this.build(position)
      this.known.set(position, labels)
    }
    return labels
  }
}

/** One sample for each position with a count above 0. */
export function countedSamples(slots: Float64Array, labels: LabelCache): Sample[] {
  const samples: Sample[] = []
  for (let at = 0; at < slots.length; at++) {
    const value = slots[at] as number
    if (value > 0) samples.push({ labels: labels.at(at), value })
  }
  return samples
}
