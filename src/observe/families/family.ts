/**
 * What a metric family is, before any metrics library is involved: a definition that documentation can be
 * generated from, and a function that yields its samples when somebody scrapes. Pure.
 */

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  /** The same object at each scrape where that is easy: its text is then built only once. */
  readonly labels: Labels
  readonly value: number
  /** Histograms only: which part of the family this is. */
  readonly suffix?: '_bucket' | '_sum' | '_count'
  /** Histogram buckets only: the label that differs from bucket to bucket. */
  readonly bound?: { readonly le: string }
}

export interface Family {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labelNames: readonly string[]
  /** Called at each scrape; must not wait for anything and must not throw. */
  collect(): readonly Sample[]
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

/** Declares a histogram; `collect` builds its samples with `histogramSamples`. */
export function histogram(
  [name, help]: About,
  labelNames: readonly string[],
  collect: () => readonly Sample[],
): Family {
  return { name, kind: 'histogram', help, labelNames, collect }
}

/** Inclusive upper bounds of a histogram, with the label of each. */
export interface Bounds {
  readonly values: readonly number[]
  readonly labels: readonly { readonly le: string }[]
}

export function boundsOf(values: readonly number[]): Bounds {
  return { values, labels: [...values.map((value) => ({ le: String(value) })), { le: '+Inf' }] }
}

/**
 * Turns one array of bucket counts into the samples of a histogram: cumulative buckets, sum, count.
 * @param slots at `base`: one count per bound, one for what lies above, then the sum
 * @returns nothing for a histogram that counted nothing, so that idle label sets cost no series
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

/** Keeps one label object per position, so that each is built once and its text is built once. */
export class LabelCache {
  readonly #build: (at: number) => Labels
  readonly #known = new Map<number, Labels>()

  constructor(build: (at: number) => Labels) {
    this.#build = build
  }

  at(position: number): Labels {
    let labels = this.#known.get(position)
    if (!labels) {
      labels = this.#build(position)
      this.#known.set(position, labels)
    }
    return labels
  }
}

/** One sample for each position that has counted anything. */
export function countedSamples(slots: Float64Array, labels: LabelCache): Sample[] {
  const samples: Sample[] = []
  for (let at = 0; at < slots.length; at++) {
    const value = slots[at] as number
    if (value > 0) samples.push({ labels: labels.at(at), value })
  }
  return samples
}
