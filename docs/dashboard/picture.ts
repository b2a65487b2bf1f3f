/** The whole dashboard as a page of HTML without scripts, from the answers to its queries. Looks like Grafana's light theme. Pure. */
import {
  colourOf,
  escaped,
  type Frame,
  linesChart,
  type Series,
  spark,
  statesChart,
  toneOf,
} from './charts.ts'
import { layOut, type PlacedPanel } from './layout.ts'
import { about, type Panel } from './panels.ts'
import { withUnit } from './units.ts'

export interface PanelData {
  readonly panel: Panel
  readonly series: readonly Series[]
}

export const pageWidth = 1560
const margin = 16
const column = (pageWidth - 2 * margin) / 24
/** A line of Grafana's grid. */
const line = 30
const gap = 8

export interface Page {
  readonly html: string
  readonly height: number
}

export function pageOf(
  answers: ReadonlyMap<Panel, readonly Series[]>,
  times: Pick<Frame, 'startSeconds' | 'endSeconds'>,
): Page {
  const header = 54
  const parts: string[] = []
  let bottom = 0
  for (const row of layOut()) {
    parts.push(`<h2 style="top:${header + row.y * line}px">${escaped(row.title)}</h2>`)
    for (const placed of row.panels) {
      parts.push(card(placed, answers.get(placed.panel) ?? [], { ...times, header }))
      bottom = Math.max(bottom, header + (placed.place.y + placed.place.h) * line)
    }
  }
  const height = bottom + margin
  const title = `<h1>${escaped(about.title)}</h1>`
  const html = `<!doctype html><meta charset="utf-8"><title>${escaped(about.title)}</title><style>${style}</style><body style="height:${height}px">${title}${parts.join('')}</body>`
  return { html, height }
}

function card(
  { panel, place }: PlacedPanel,
  series: readonly Series[],
  { header, ...times }: { header: number; startSeconds: number; endSeconds: number },
): string {
  const width = place.w * column - gap
  const height = place.h * line - gap
  const box = `left:${margin + place.x * column}px;top:${header + place.y * line}px;width:${width}px;height:${height}px`
  const inner = { ...times, width: Math.round(width - 24), height: Math.round(height - 44) }
  return `<section style="${box}"><h3>${escaped(panel.title)}</h3>${bodyOf(panel, series, inner)}</section>`
}

function bodyOf(panel: Panel, series: readonly Series[], frame: Frame): string {
  if (series.length === 0) return '<p class="none">no data</p>'
  if (panel.kind === 'states') return statesChart(panel, series, frame)
  if (panel.kind === 'lines') {
    return `${linesChart(panel, series, { ...frame, height: frame.height - 22 })}${legend(series)}`
  }
  const value = series[0]?.points.at(-1)?.[1] ?? Number.NaN
  const tone = toneOf(value, panel.thresholds)
  const words = withUnit(value, panel.unit, panel.decimals)
  return `<p class="number" style="color:${tone}">${escaped(words)}</p><div class="spark">${spark(series[0], tone, { ...frame, width: frame.width + 24, height: 30 })}</div>`
}

function legend(series: readonly Series[]): string {
  const keys = series.map(
    ({ name }, n) => `<span><i style="background:${colourOf(n)}"></i>${escaped(name)}</span>`,
  )
  return `<div class="legend">${keys.join('')}</div>`
}

const style = `
* { box-sizing: border-box; margin: 0; }
body { position: relative; width: ${pageWidth}px; background: #f4f5f7; color: #24292e; font: 12px "DejaVu Sans", sans-serif; }
h1 { position: absolute; left: ${margin}px; top: 14px; font-size: 20px; font-weight: 600; }
h2 { position: absolute; left: ${margin}px; font-size: 13px; font-weight: 600; color: #5a6270; padding-top: 8px; }
section { position: absolute; background: #fff; border: 1px solid #dfe2e6; border-radius: 3px; padding: 8px 12px; overflow: hidden; }
h3 { font-size: 12.5px; font-weight: 600; margin-bottom: 8px; }
svg { display: block; font: 11px "DejaVu Sans", sans-serif; }
.number { font-size: 27px; font-weight: 600; text-align: center; }
.spark { position: absolute; left: 0; bottom: 0; }
.legend { height: 22px; padding-top: 6px; overflow: hidden; white-space: nowrap; font-size: 11px; color: #444b55; }
.legend span { margin-right: 12px; }
.legend i { display: inline-block; width: 12px; height: 3px; margin: 0 5px 3px 0; }
.none { color: #8a919c; text-align: center; padding-top: 20px; }
`
