/** Medians and percentiles of samples. Pure. */

/** @returns NaN for no values; the mean of the two in the middle for an even count */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  if (sorted.length % 2 === 1) return upper
  return ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/**
 * The nearest-rank percentile: the smallest value that at least this share of the values does not exceed.
 * @param share 0 to 1
 * @returns NaN for no values
 */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length))
  return sorted[rank - 1] ?? Number.NaN
}

/** Rounds to a number of significant digits that measurements of this kind have. */
export function significant(value: number, digits = 4): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value
}

/**
 * How much a series grows by a straight line through it (least squares), as a share of its mean.
 * @returns NaN for fewer than two points
 */
export function growthShare(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const xs = points.map(([x]) => x)
  const [xMean, yMean] = [mean(xs), mean(points.map(([, y]) => y))]
  const covariance = mean(points.map(([x, y]) => (x - xMean) * (y - yMean)))
  const slope = covariance / mean(xs.map((x) => (x - xMean) ** 2))
  return (slope * (Math.max(...xs) - Math.min(...xs))) / yMean
}

export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** The geometric mean of ratios with its 95 % confidence interval (Student's t over their logarithms). */
export function geometricMean(ratios: readonly number[]): Interval {
  const logs = ratios.map(Math.log)
  const n = logs.length
  const mean = logs.reduce((sum, value) => sum + value, 0) / n
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  const half = tQuantile(n - 1) * Math.sqrt(variance / n)
  return { mean: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) }
}

/** Two-sided 95 %, by the expansion of Abramowitz and Stegun 26.7.5: within 0.3 % from five degrees of freedom on. */
function tQuantile(degrees: number): number {
  const z = 1.959_964
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ]
  return terms.reduce((sum, term, at) => sum + term / degrees ** (at + 1), z)
}
