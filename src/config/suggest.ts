/** "Did you mean": finds the known word that a mistyped one probably stands for. Pure. */

/** Words that differ more share only a few letters. */
const distanceMax = 3

/** @returns the nearest known word, or undefined when none is near enough to suggest */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const plain = squeeze(word)
  let best: string | undefined
  let bestDistance = Math.min(distanceMax, Math.ceil(plain.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(plain, squeeze(candidate), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `entries_max`, `Entries-Max` and `entriesMax` differ in spelling only. Cut off: the cost is quadratic. */
function squeeze(word: string): string {
  return word
    .slice(0, 64)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
}

/** Optimal string alignment: insert, delete, replace, and swap of neighbours, each at cost 1. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min(replaced, cell(last, j) + 1, cell(row, j - 1) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, cell(beforeLast, j - 2) + 1)
      }
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return cell(last, b.length)
}

function cell(row: readonly number[], at: number): number {
  return row[at] ?? Number.POSITIVE_INFINITY
}
