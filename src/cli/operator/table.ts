/** Lines in columns for a terminal. The first column takes what the others leave; what does not fit is cut, and marked. */

export interface Column {
  readonly title: string
  /** Numbers stand at the right. */
  readonly isNumber?: boolean
}

/** Narrow terminals, and no terminal at all. */
const widthMin = 40
const gap = '  '

/**
 * @param width characters of a line; undefined cuts nothing, for pipes
 * @returns lines without line ends, titles first
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string[] {
  const all = [columns.map(({ title }) => title), ...rows]
  const widths = columns.map((_column, at) => Math.max(...all.map((row) => (row[at] ?? '').length)))
  const others = widths.slice(1).reduce((sum, one) => sum + one + gap.length, 0)
  const first = widths[0] ?? 0
  if (width !== undefined)
    widths[0] = Math.min(first, Math.max(widthMin - others, width - others, 8))
  return all.map((row) =>
    columns
      .map(({ isNumber }, at) => {
        const text = fitted(row[at] ?? '', widths[at] ?? 0)
        return isNumber === true ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)
      })
      .join(gap)
      .trimEnd(),
  )
}

/** The end of a name tells more than its beginning, and is kept. */
export function fitted(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`
}
