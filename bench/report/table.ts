/** Aligned columns for a terminal, and the same as Markdown. The first column is text, the others are numbers. */

export type Row = readonly string[]

export function alignedTable(head: Row, rows: readonly Row[]): string {
  return lines(head, rows)
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n')
}

export function markdownTable(head: Row, rows: readonly Row[]): string {
  const [first, ...rest] = lines(head, rows).map((cells) => `| ${cells.join(' | ')} |`)
  const rule = `|${head.map((_, column) => (column === 0 ? '---' : '--:')).join('|')}|`
  return [first, rule, ...rest].join('\n')
}

function lines(head: Row, rows: readonly Row[]): string[][] {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all.map((row) =>
    widths.map((width, column) => {
      const cell = row[column] ?? ''
      return column === 0 ? cell.padEnd(width) : cell.padStart(width)
    }),
  )
}
