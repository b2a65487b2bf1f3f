/** The three kinds of panels as SVG: lines (or stacked areas), states over time, and the small curve behind a number. Pure. */
import type { Panel, Threshold } from './panels.ts'
import { axisSteps, decades, withUnit } from './units.ts'

export interface Series {
  readonly name: string
  /** Seconds since 1970 and a finite value, in the order of time. */
  readonly points: readonly (readonly [seconds: number, value: number])[]
}

export interface Frame {
  readonly width: number
  readonly height: number
  readonly startSeconds: number
  readonly endSeconds: number
}

/** Told apart by the colour-blind as well (Okabe and Ito), the strongest first. */
export const palette = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#d55e00',
  '#56b4e9',
  '#cc79a7',
  '#8c6d31',
  '#6b6b6b',
] as const
const tones = { green: '#1a7f4b', orange: '#c77700', red: '#c4262e', blue: '#1f60c4' } as const
const ink = '#5a6270'
const grid = '#e6e8ec'
const left = 58
const bottom = 20
const top = 6

export function colourOf(n: number): string {
  return palette[n % palette.length] ?? ink
}

/** The colour of the last step that the value has reached. */
export function toneOf(value: number, thresholds: readonly Threshold[] = []): string {
  const step = thresholds.findLast(({ from }) => from === null || value >= from)
  return step === undefined ? tones.blue : tones[step.colour]
}

export function linesChart(panel: Panel, all: readonly Series[], frame: Frame): string {
  const curves = panel.isStacked ? stacked(all) : all.map((series) => ({ ...series, floor: [] }))
  const values = curves.flatMap(({ points }) => points.map(([, y]) => y))
  const steps = panel.isLogarithmic
    ? decades(values)
    : axisSteps(Math.max(0, ...values), panel.unit)
  const { x, y } = placing(frame, steps, panel.isLogarithmic)
  // Nothing has no place on a logarithmic axis.
  const at = {
    x,
    y: (value: number) => (panel.isLogarithmic && value <= 0 ? y(steps[0] ?? 1) : y(value)),
  }
  const rules = steps.map(
    (value) =>
      `<path d="M${left} ${at.y(value)}H${frame.width}" stroke="${grid}"/>${label(left - 6, at.y(value) + 4, withUnit(value, panel.unit), 'end')}`,
  )
  const drawn = curves.map(({ points, floor }, n) => {
    const line = pathOf(points, at)
    const back = floor.toReversed().map(([x, y]) => `${at.x(x)} ${at.y(y)}`)
    const area =
      panel.isStacked && line !== ''
        ? `<path d="${line}L${back.join('L')}Z" fill="${colourOf(n)}" opacity="0.35"/>`
        : ''
    return `${area}<path d="${line}" fill="none" stroke="${colourOf(n)}" stroke-width="1.6" stroke-linejoin="round"/>`
  })
  return svg(frame, [...rules, ...drawn, ...timeAxis(frame, at.x)])
}

export function statesChart(panel: Panel, all: readonly Series[], frame: Frame): string {
  const [down, up] = panel.words ?? ['down', 'up']
  const names = all.map(({ name }) => name)
  const gutter = Math.min(190, 12 + 6.1 * Math.max(...names.map((name) => name.length), 1))
  const inner = { ...frame, left: gutter }
  const x = scale(inner)
  const rowHeight = Math.min(34, (frame.height - bottom - top) / Math.max(1, all.length))
  const drawn = all.map(({ name, points }, row) => {
    const y = top + row * rowHeight
    const spans = runs(points).map(({ from, to, value }) => {
      const tone = value >= 1 ? tones.green : tones.red
      const width = Math.max(1, x(to) - x(from))
      const state = value >= 1 ? up : down
      const fits = width > 8 + 6.2 * state.length
      const word = fits ? label(x(from) + width / 2, y + rowHeight / 2 + 2, state, 'inside') : ''
      return `<rect x="${one(x(from))}" y="${one(y)}" width="${one(width)}" height="${one(rowHeight * 0.8)}" fill="${tone}" opacity="0.78"/>${word}`
    })
    return `${label(gutter - 6, y + rowHeight / 2 + 2, name, 'end')}${spans.join('')}`
  })
  return svg(frame, [...drawn, ...timeAxis(inner, x)])
}

/** Without axes: it says which way the number goes. */
export function spark(series: Series | undefined, tone: string, frame: Frame): string {
  const points = series?.points ?? []
  const highest = Math.max(...points.map(([, y]) => y), Number.MIN_VALUE)
  const x = scale({ ...frame, left: 0 })
  const y = (value: number) => one(frame.height - 1 - (value / highest) * (frame.height - 4))
  const line = pathOf(points, { x, y })
  if (line === '') return ''
  const area = `<path d="${line}V${frame.height}H0Z" fill="${tone}" opacity="0.14"/>`
  return svg(frame, [area, `<path d="${line}" fill="none" stroke="${tone}" stroke-width="1.4"/>`])
}

export function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

interface Placing {
  readonly x: (seconds: number) => number
  readonly y: (value: number) => number
}

function placing(frame: Frame, steps: readonly number[], isLogarithmic = false): Placing {
  const height = frame.height - bottom - top
  const form = isLogarithmic ? Math.log10 : (value: number) => value
  const [low, high] = [form(steps[0] ?? 0), form(steps.at(-1) ?? 1)]
  return {
    x: scale({ ...frame, left }),
    y: (value) => one(top + height * (1 - (form(value) - low) / (high - low))),
  }
}

function scale({ startSeconds, endSeconds, width, left: from }: Frame & { readonly left: number }) {
  const span = (width - from) / (endSeconds - startSeconds)
  return (seconds: number) => one(from + (seconds - startSeconds) * span)
}

type Points = Series['points']

/** Each curve on top of those before it; what is missing counts as nothing. */
function stacked(all: readonly Series[]): { points: Points; floor: Points }[] {
  const times = [...new Set(all.flatMap(({ points }) => points.map(([x]) => x)))].toSorted(
    (a, b) => a - b,
  )
  let floor: Points = times.map((x) => [x, 0] as const)
  return all.map(({ points }) => {
    const values = new Map(points)
    const below = floor
    floor = below.map(([x, y]) => [x, y + (values.get(x) ?? 0)] as const)
    return { points: floor, floor: below }
  })
}

function pathOf(points: Points, at: Placing): string {
  return points.map(([x, y], n) => `${n === 0 ? 'M' : 'L'}${at.x(x)} ${at.y(y)}`).join('')
}

/** Stretches of the same value. */
function runs(points: Points): { from: number; to: number; value: number }[] {
  const found: { from: number; to: number; value: number }[] = []
  for (const [seconds, value] of points) {
    const last = found.at(-1)
    if (last !== undefined) last.to = seconds
    if (last?.value !== value) found.push({ from: seconds, to: seconds, value })
  }
  return found
}

function timeAxis(
  { startSeconds, endSeconds, height }: Frame,
  x: (seconds: number) => number,
): string[] {
  const step = endSeconds - startSeconds > 200 ? 120 : 60
  const count = Math.floor((endSeconds - startSeconds) / step)
  return Array.from({ length: count + 1 }, (_, n) => {
    const isLast = endSeconds - startSeconds - n * step < step / 4
    const anchor = isLast ? 'end' : n === 0 ? 'start' : 'middle'
    return label(
      x(startSeconds + n * step),
      height - 4,
      n === 0 ? '0' : `${(n * step) / 60} min`,
      anchor,
    )
  })
}

function label(
  x: number,
  y: number,
  words: string,
  anchor: 'start' | 'middle' | 'end' | 'inside',
): string {
  const look =
    anchor === 'inside'
      ? 'text-anchor="middle" fill="#fff"'
      : `text-anchor="${anchor}" fill="${ink}"`
  return `<text x="${one(x)}" y="${one(y)}" ${look}>${escaped(words)}</text>`
}

function svg({ width, height }: Frame, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${parts.join('')}</svg>`
}

function one(value: number): number {
  return Math.round(value * 10) / 10
}
