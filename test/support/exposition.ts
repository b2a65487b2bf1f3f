/**
 * Reads the Prometheus text format 0.0.4 strictly: what a scraper would refuse is an error here. Written from the
 * format's specification, so that the writer is not checked by itself.
 */

export interface ScrapedSeries {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

export interface ScrapedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly series: ScrapedSeries[]
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[+-]?[0-9.eE+-]+)$/
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y

/** Throws on anything that is not well formed, on a series that comes twice, and on a family that does. */
export function readExposition(text: string): Map<string, ScrapedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const reader = new Reader()
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) reader.comment(line)
    else if (line !== '') reader.sample(line)
  }
  return reader.families
}

class Reader {
  readonly families = new Map<string, ScrapedFamily>()
  readonly #seen = new Set<string>()
  #current: ScrapedFamily | undefined
  #help = ''

  comment(line: string): void {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === undefined) throw new Error(`neither HELP nor TYPE: ${line}`)
    if (kind === 'HELP') {
      this.#help = rest
      return
    }
    if (this.families.has(name)) throw new Error(`family ${name} comes twice`)
    this.#current = { name, type: rest, help: this.#help, series: [] }
    this.families.set(name, this.#current)
  }

  sample(line: string): void {
    const series = readSample(line)
    const identity = `${series.name} ${JSON.stringify([...series.labels].toSorted())}`
    if (this.#seen.has(identity)) throw new Error(`series comes twice: ${line}`)
    this.#seen.add(identity)
    const family = this.#current
    if (!family || !belongs(series.name, family)) throw new Error(`outside its family: ${line}`)
    family.series.push(series)
  }
}

/** The series of a name that have at least these labels. */
export function seriesOf(
  families: ReadonlyMap<string, ScrapedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): ScrapedFamily['series'] {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
  return (family?.series ?? []).filter(
    (series) =>
      series.name === name &&
      Object.entries(labels).every(([key, value]) => series.labels.get(key) === value),
  )
}

/** The value of the one series of `family` that has at least these labels. Throws when it is not one. */
export function sampleOf(
  families: ReadonlyMap<string, ScrapedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = seriesOf(families, name, labels)
  const [one] = found
  if (one === undefined || found.length > 1) {
    throw new Error(`${found.length} series of ${name} with ${JSON.stringify(labels)}`)
  }
  return one.value
}

function belongs(name: string, family: ScrapedFamily): boolean {
  if (name === family.name) return family.type !== 'histogram'
  const suffix = name.slice(family.name.length)
  return (
    family.type === 'histogram' &&
    name.startsWith(family.name) &&
    ['_bucket', '_sum', '_count'].includes(suffix)
  )
}

function readSample(line: string): ScrapedSeries {
  const [, name = '', inner = '', value = ''] = sampleLine.exec(line) ?? []
  if (name === '') throw new Error(`no sample: ${line}`)
  return { name, labels: readLabels(inner, line), value: Number(value.replace('Inf', 'Infinity')) }
}

function readLabels(inner: string, line: string): Map<string, string> {
  const labels = new Map<string, string>()
  label.lastIndex = 0
  while (label.lastIndex < inner.length) {
    const match = label.exec(inner)
    if (!match) throw new Error(`labels are broken: ${line}`)
    const [, key = '', value = ''] = match
    if (labels.has(key)) throw new Error(`label ${key} comes twice: ${line}`)
    labels.set(
      key,
      value.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
    )
  }
  return labels
}
