/** Where the panels stand on Grafana's grid of 24 columns. Pure. */
import { type Panel, type Row, rows } from './panels.ts'

export interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

export interface PlacedPanel {
  /** From 1 on; ids of rows lie between. */
  readonly id: number
  readonly panel: Panel
  /** From the top of the dashboard. */
  readonly place: Place
  /** From the top of its row. */
  readonly inRow: Place
}

export interface PlacedRow {
  readonly id: number
  readonly title: string
  readonly y: number
  readonly panels: readonly PlacedPanel[]
}

/** A row's title takes one line of the grid. */
const titleHeight = 1

export function layOut(all: readonly Row[] = rows): readonly PlacedRow[] {
  const placed: PlacedRow[] = []
  let y = 0
  let id = 1
  for (const { title, panels } of all) {
    const rowId = id++
    const top = y + titleHeight
    let x = 0
    const inRow = panels.map((panel) => {
      const place = { x, y: 0, w: panel.width, h: panel.height }
      x += panel.width
      return { id: id++, panel, inRow: place, place: { ...place, y: top } }
    })
    placed.push({ id: rowId, title, y, panels: inRow })
    y = top + Math.max(...panels.map(({ height }) => height))
  }
  return placed
}
