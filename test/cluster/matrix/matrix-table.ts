/** The table of docs/kubernetes.md that the matrix writes: reads it, puts results into it, prints it. Pure. */

/** What became of a suite: tests that passed and that failed. */
export interface Outcome {
  readonly passed: number
  readonly failed: number
}

export interface MatrixRow {
  readonly version: string
  readonly mode: string
  /** By suite; a text as it stands in the table. */
  readonly cells: Readonly<Record<string, string>>
}

const begin = '<!-- matrix: begin, written by npm run test:cluster-matrix -->'
const end = '<!-- matrix: end -->'

export function outcomeText({ passed, failed }: Outcome): string {
  if (passed + failed === 0) return 'did not run'
  return failed === 0 ? `${passed} passed` : `${passed} passed, **${failed} failed**`
}

/** @returns the document with these rows in it; rows of other versions and modes stay */
export function withRows(
  document: string,
  suites: readonly string[],
  rows: readonly MatrixRow[],
): string {
  const [head, old, tail] = partsOf(document)
  const isNew = (row: MatrixRow) => rows.some((one) => keyOf(one) === keyOf(row))
  const kept = rowsOf(old, suites).filter((row) => !isNew(row))
  const all = [...kept, ...rows].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const lines = [
    ['kube-proxy', 'mode', ...suites],
    ['kube-proxy', 'mode', ...suites].map(() => '---'),
    ...all.map(({ version, mode, cells }) => [
      version,
      mode,
      ...suites.map((one) => cells[one] ?? ''),
    ]),
  ]
  const table = lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
  return `${head}${begin}\n\n${table}\n${end}${tail}`
}

function keyOf({ version, mode }: MatrixRow): string {
  return `${version} ${mode}`
}

function partsOf(document: string): readonly [string, string, string] {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the document lacks the lines ${begin} and ${end}`)
  return [
    document.slice(0, from),
    document.slice(from + begin.length, to),
    document.slice(to + end.length),
  ]
}

function rowsOf(table: string, suites: readonly string[]): MatrixRow[] {
  const lines = table.split('\n').filter((line) => /^\| \d/.test(line))
  return lines.map((line) => {
    const [version = '', mode = '', ...texts] = line.slice(2, -2).split(' | ')
    return {
      version,
      mode,
      cells: Object.fromEntries(suites.map((one, i) => [one, texts[i] ?? ''])),
    }
  })
}
