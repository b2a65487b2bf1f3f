/** How long a server outside the data path is left alone after it failed. Pure. */

const firstMs = 1000
const longestMs = 60_000

/**
 * A second, then twice as long after each failure, up to a minute; of that a half to all.
 * @param failures in a row, at least 1
 * @param share 0 to 1, random: nodes that lost the same server do not come back in the same moment
 */
export function backOffMs(failures: number, share: number): number {
  const usualMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 10))
  return usualMs * (0.5 + share / 2)
}
