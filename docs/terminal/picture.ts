/** Makes a moving picture (SVG) of what a program wrote to a terminal. Pure. */

/** Lines that the terminal shows, and its width. */
export interface Screen {
  readonly rows: number
  readonly columns: number
}

interface Span {
  readonly text: string
  readonly classes: readonly string[]
}

const lineMs = 90
/** At an empty line before a title. */
const pauseMs = 1400
const endMs = 4000
const cellWidth = 8.7
const lineHeight = 18
const margin = 14

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of a colour
const colour = /(\x1b\[[\d;]*m)/
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of a colour
const oneColour = /^\x1b\[([\d;]*)m$/

/** Codes of ECMA-48 8.3.117 that our programs write. */
const classOf: Readonly<Record<string, string>> = {
  '1': 'b',
  '31': 'r',
  '32': 'g',
  '33': 'y',
  '90': 'f',
}

/** @param output with colours, as a terminal got it @param title for those who do not see the picture */
export function terminalPicture(output: string, { rows, columns }: Screen, title: string): string {
  const lines = output.replaceAll('\r', '').trimEnd().split('\n').map(spansOf)
  const { keyTimes, shown, totalMs } = timesOf(lines)
  const width = Math.ceil(columns * cellWidth + 2 * margin)
  const height = rows * lineHeight + 2 * margin
  const moves = shown.map((count) => `0 ${-Math.max(0, count - rows) * lineHeight}`).join(';')
  const heights = shown.map((count) => count * lineHeight + 4).join(';')
  const time = `calcMode="discrete" dur="${totalMs / 1000}s" repeatCount="indefinite" keyTimes="${keyTimes}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<style>
.s{fill:#0d1117;stroke:#30363d}
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#c9d1d9;white-space:pre}
.b{font-weight:bold;fill:#fff}.f{fill:#8b949e}.g{fill:#3fb950}.y{fill:#d29922}.r{fill:#f85149}
</style>
<rect class="s" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
<clipPath id="view"><rect width="${width - 2 * margin}" height="${rows * lineHeight}"/></clipPath>
<g transform="translate(${margin} ${margin})" clip-path="url(#view)">
<clipPath id="shown"><rect width="${width}" height="${lineHeight}"><animate attributeName="height" values="${heights}" ${time}/></rect></clipPath>
<g><animateTransform attributeName="transform" type="translate" values="${moves}" ${time}/>
<g clip-path="url(#shown)">
${lines.map(lineText).join('')}</g></g></g>
</svg>
`
}

/** When how many lines are shown. */
function timesOf(lines: readonly (readonly Span[])[]) {
  const starts: number[] = []
  let atMs = 0
  for (const [index, spans] of lines.entries()) {
    const isTitle = spans[0]?.classes.includes('b') === true
    atMs += index > 0 && isTitle ? pauseMs : lineMs
    starts.push(atMs)
  }
  const totalMs = atMs + endMs
  return {
    keyTimes: [0, ...starts.map((ms) => (ms / totalMs).toFixed(4))].join(';'),
    shown: [1, ...starts.map((_, index) => index + 1)],
    totalMs,
  }
}

function spansOf(line: string): readonly Span[] {
  let classes: readonly string[] = []
  return line.split(colour).flatMap((part) => {
    const codes = oneColour.exec(part)?.[1]
    if (codes === undefined) return part === '' ? [] : [{ text: part, classes }]
    const named = codes.split(';').flatMap((code) => classOf[code] ?? [])
    classes = named.length > 0 ? [...classes, ...named] : []
    return []
  })
}

function lineText(spans: readonly Span[], index: number): string {
  if (spans.length === 0) return ''
  const parts = spans.map(({ text, classes }) =>
    classes.length === 0
      ? escaped(text)
      : `<tspan class="${classes.join(' ')}">${escaped(text)}</tspan>`,
  )
  return `<text xml:space="preserve" y="${(index + 1) * lineHeight - 4}">${parts.join('')}</text>\n`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
