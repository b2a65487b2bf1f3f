/**
 * Writes metrics in the Prometheus text format 0.0.4, and owns `FamilyReading`, the form that numbers have between a family and its
 * text. Workers send readings to their supervisor, so no text is ever parsed. Knows no family and adds nothing up.
 *
 * The format (https://prometheus.io/docs/instrumenting/exposition_formats/): each line ends in a line feed. Help texts escape `\` and the
 * line feed, label values `"` as well. Values are numbers as Go's ParseFloat reads them, or NaN, +Inf, -Inf. Buckets stand in ascending
 * order of `le`, the last one is `+Inf`. `test/observe/exposition.test.ts` compares the text with what prom-client writes;
 * docs/decisions/0034 says why prom-client does not write it.
 */
import type { Family, Labels, Sample } from './families/family.ts'
import { type Pieces, TimeSlices } from './time-slices.ts'

/** The series of one family at one moment, in columns of equal length: an object for each series takes twice as long to send. */
export interface FamilyReading {
  readonly name: string
  readonly kind: Family['kind']
  readonly help: string
  /** What stands between the braces, one text for each series. Equal labels in equal order give equal texts. */
  readonly labels: readonly string[]
  /** `_bucket`, `_sum` or `_count` for each series of a histogram; empty for other kinds. */
  readonly suffixes: readonly string[]
  readonly values: readonly number[]
}

export interface Exposition {
  readonly contentType: string
  readonly body: string
}

/** Of a page with `textOf` as its body. */
export const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/** Series that are read or written in one piece: 0.02-0.04 ms. */
const pieceSeries = 100

/** Writes all readings, and lets packets through in between. */
export async function expositionOf(readings: readonly FamilyReading[]): Promise<Exposition> {
  return { contentType, body: await new TimeSlices().run(textOf(readings)) }
}

/** Collects the samples of a family. */
export function* readFamily({ name, kind, help, collect }: Family): Pieces<FamilyReading> {
  const labels: string[] = []
  const suffixes: string[] = []
  const values: number[] = []
  const texts = new LabelTexts()
  for (const sample of collect()) {
    labels.push(texts.of(sample))
    if (sample.suffix !== undefined) suffixes.push(sample.suffix)
    values.push(sample.value)
    if (values.length % pieceSeries === 0) yield
  }
  return { name, kind, help, labels, suffixes, values }
}

/** The text of all readings. */
export function* textOf(readings: readonly FamilyReading[]): Pieces<string> {
  const texts: string[] = []
  for (const reading of readings) {
    texts.push(yield* writeFamily(reading))
    yield
  }
  return texts.join('')
}

/** Adds one label at the end of a text in `FamilyReading.labels`. */
export function withLabel(labels: string, name: string, value: string): string {
  const added = `${name}="${escapeValue(value)}"`
  return labels === '' ? added : `${labels},${added}`
}

function* writeFamily(reading: FamilyReading): Pieces<string> {
  const { name, kind, help, labels, suffixes } = reading
  const lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${kind}`]
  for (const [at, value] of reading.values.entries()) {
    const own = labels[at] ?? ''
    const braced = own === '' ? '' : `{${own}}`
    lines.push(`${name}${suffixes[at] ?? ''}${braced} ${numberText(value)}`)
    if (at % pieceSeries === pieceSeries - 1) yield
  }
  lines.push('')
  return lines.join('\n')
}

/**
 * The text of labels. Remembers the newest one, because the buckets of a histogram share one object. Keeping all texts from scrape to
 * scrape showed no gain (docs/decisions/0034).
 */
class LabelTexts {
  private newest: Labels | undefined
  private text = ''

  of({ labels, bound }: Sample): string {
    if (labels !== this.newest) {
      this.newest = labels
      this.text = joined(labels)
    }
    if (bound === undefined) return this.text
    return this.text === '' ? `le="${bound.le}"` : `le="${bound.le}",${this.text}`
  }
}

function joined(labels: Labels): string {
  let text = ''
  for (const name in labels) text = withLabel(text, name, labels[name] ?? '')
  return text
}

const special = /["\\\n]/

function escapeValue(value: string): string {
  return special.test(value) ? escapeHelp(value).replaceAll('"', '\\"') : value
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
