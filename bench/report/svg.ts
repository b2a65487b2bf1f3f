/**
 * Three small charts as SVG text: stacked bars, points on a logarithmic axis, lines over time. By hand, because that is 150 lines, and
 * a chart library brings a browser's drawing model with it. Pure.
 */

export interface BarRow {
  readonly label: string
  /** Stacked from left to right. */
  readonly values: readonly number[]
}

export interface PointRow {
  readonly label: string
  /** One for each name of the legend; those that are no number are left out. */
  readonly values: readonly number[]
}

export interface Line {
  readonly label: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

interface Chart {
  readonly title: string
  readonly unit: string
}

interface Frame extends Chart {
  readonly legend: readonly string[]
  readonly height: number
}

const width = 760
const labelWidth = 150
const right = 90
const top = 64
const rowHeight = 24
const plotWidth = width - labelWidth - right
/** Distinct for the colour-blind as well (Okabe and Ito). */
const colours = ['#0072b2', '#e69f00', '#009e73', '#cc79a7']

/** @param legend names of the stacked parts */
export function barChart(
  { title, unit }: Chart,
  legend: readonly string[],
  rows: readonly BarRow[],
): string {
  const sums = rows.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  const scale = plotWidth / Math.max(...sums, Number.MIN_VALUE)
  const bars = rows.map(({ label, values }, row) => {
    const y = top + row * rowHeight
    let x = labelWidth
    const parts = values.map((value, part) => {
      const rect = `<rect x="${one(x)}" y="${y}" width="${one(value * scale)}" height="16" fill="${colour(part)}"/>`
      x += value * scale
      return rect
    })
    return `${rowLabel(label, y)}${parts.join('')}${text(x + 6, y + 13, (sums[row] ?? 0).toFixed(1))}`
  })
  return document({ title, unit, legend, height: top + rows.length * rowHeight + 8 }, bars)
}

/** @param legend names of the points of each row */
export function pointChart(
  { title, unit }: Chart,
  legend: readonly string[],
  rows: readonly PointRow[],
): string {
  const all = rows.flatMap(({ values }) => values).filter((value) => value > 0)
  const low = Math.floor(Math.log10(Math.min(...all)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all))))
  const place = (value: number) =>
    labelWidth + (plotWidth * (Math.log10(value) - low)) / (high - low)
  const bottom = top + rows.length * rowHeight
  const grid = Array.from({ length: high - low + 1 }, (_, i) => {
    const value = 10 ** (low + i)
    const x = one(place(value))
    return `<path d="M${x} ${top - 6}V${bottom}" stroke="#ddd"/>${text(place(value), bottom + 14, String(value), 'middle')}`
  })
  const marks = rows.map(({ label, values }, row) => {
    const y = top + row * rowHeight
    const points = values.map((value, part) =>
      value > 0
        ? `<circle cx="${one(place(value))}" cy="${y + 8}" r="5" fill="${colour(part)}"/>`
        : '',
    )
    return `${rowLabel(label, y)}${points.join('')}`
  })
  return document({ title, unit, legend, height: bottom + 24 }, [...grid, ...marks])
}

/** Both axes begin at zero. */
export function lineChart({ title, unit }: Chart, xUnit: string, lines: readonly Line[]): string {
  const height = 260
  const points = lines.flatMap((line) => line.points)
  const xMax = Math.max(...points.map(([x]) => x), Number.MIN_VALUE)
  const yMax = niceAbove(Math.max(...points.map(([, y]) => y), Number.MIN_VALUE))
  const place = ([x, y]: readonly [number, number]) =>
    `${one(60 + ((width - 90) * x) / xMax)} ${one(top + height - (height * y) / yMax)}`
  const grid = [0, 1, 2, 3, 4].map((quarter) => {
    const y = top + height - (height * quarter) / 4
    return `<path d="M60 ${y}H${width - 30}" stroke="#ddd"/>${text(54, y + 4, short((yMax * quarter) / 4), 'end')}`
  })
  const ends = [
    text(60, top + height + 18, '0', 'middle'),
    text(width - 30, top + height + 18, `${short(xMax)} ${xUnit}`, 'end'),
  ]
  const drawn = lines.map(
    (line, part) =>
      `<path d="M${line.points.map(place).join('L')}" fill="none" stroke="${colour(part)}" stroke-width="1.5"/>`,
  )
  const legend = lines.map(({ label }) => label)
  return document({ title, unit, legend, height: top + height + 30 }, [...grid, ...ends, ...drawn])
}

function document({ title, unit, legend, height }: Frame, parts: readonly string[]): string {
  const keys = legend.map((name, part) => {
    const x = labelWidth + part * 130
    return `<rect x="${x}" y="34" width="10" height="10" fill="${colour(part)}"/>${text(x + 16, 44, name)}`
  })
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`
  const ground = `<rect width="${width}" height="${height}" fill="#fff"/>`
  const words = `<text x="12" y="22" font-size="15">${escaped(title)}</text>${text(12, 44, unit)}`
  return `${[head, ground, words, ...keys, ...parts, '</svg>'].join('\n')}\n`
}

function rowLabel(label: string, y: number): string {
  return text(labelWidth - 8, y + 13, label, 'end')
}

function text(x: number, y: number, words: string, anchor = 'start'): string {
  return `<text x="${one(x)}" y="${one(y)}" text-anchor="${anchor}" fill="#222">${escaped(words)}</text>`
}

function colour(part: number): string {
  return colours[part % colours.length] ?? '#000'
}

function one(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}

/** The next of 1, 2, 4, 8 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 4, 8].find((factor) => factor * power >= value) ?? 10)
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
