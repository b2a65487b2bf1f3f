/** Pieces of text that all pages share. Pure. */
import type { Verdict } from '../support/bars.ts'
import type { Circumstances } from '../support/record.ts'

export type Row = readonly string[]

/** Aligned Markdown, to be read on a terminal as well. The first column is text, the others are numbers. */
export function table(head: Row, rows: readonly Row[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const lines = all.map((row) => {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? ''
      return column === 0 ? cell.padEnd(width) : cell.padStart(width)
    })
    return `| ${cells.join(' | ')} |`
  })
  const rule = `|${head.map((_, column) => (column === 0 ? '---' : '--:')).join('|')}|`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

const digitsOf = { x: 2, MB: 0, ms: 1, '%': 2, '': 0 } as const

export function barsTable(bars: readonly Verdict[]): string {
  const rows = bars.map(({ what, unit, isAtMost, bar, measured, verdict }) => {
    const suffix = unit === 'x' || unit === '' ? '' : ` ${unit}`
    return [
      what,
      measured === undefined ? '-' : `${fixed(measured, digitsOf[unit])}${suffix}`,
      `${isAtMost ? '<=' : '>='} ${bar}${suffix}`,
      verdict,
    ]
  })
  return table(['bar', 'measured', 'bar is', 'verdict'], rows)
}

export function circumstancesText({ command, date, machine, versions }: Circumstances): string {
  const state = versions.isModified ? ', modified' : ''
  return `\`${command}\`, ${date.slice(0, 10)}, commit ${versions.commit}${state}; ${machine.cpu}, ${machine.cpus} CPUs, Linux ${machine.kernel}, Node ${versions.node}, load ${machine.loadAtStart.toFixed(2)} before.`
}

export function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}
