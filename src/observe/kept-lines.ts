/**
 * The text of a metric family from one scrape to the next. Most lines are the same again, and a line costs the metrics library ten
 * times what comparing its sample does, so only those whose sample has changed are written anew. Pure.
 */
import type { Labels, Sample } from './families/family.ts'

/** Samples written in one go: some 0.1 ms once the code is warm. */
const pieceSamples = 40

/** Writes samples as lines of the text format, in their order, below the two head lines (`# HELP`, `# TYPE`). */
export type WriteSamples = (samples: readonly Sample[]) => Promise<string>

export class KeptLines {
  #head: string | undefined
  #samples: readonly Sample[] = []
  #lines: string[] = []
  #text = ''

  /** As the last `update` left it; without a line break at the end. */
  get text(): string {
    return this.#text
  }

  /**
   * Brings the text up to date, in pieces of bounded size, one for each value that is taken from the generator. To be run to its end
   * before it is called again: what is kept is half old and half new until then.
   *
   * @param samples kept until the next call: they must not change
   */
  async *update(samples: readonly Sample[], write: WriteSamples): AsyncGenerator<void, void> {
    const known = this.#samples
    const changed = [...samples.keys()].filter((at) => !isSame(samples[at], known[at]))
    if (this.#head !== undefined && changed.length === 0 && samples.length === known.length) return
    // Until the end nothing counts as known: a writer that throws leaves nothing behind that looks up to date.
    this.#samples = []
    this.#lines.length = samples.length
    for (let from = 0; from < changed.length || this.#head === undefined; from += pieceSamples) {
      const places = changed.slice(from, from + pieceSamples)
      const written = await write(places.map((at) => samples[at] as Sample))
      const [help = '', type = '', ...lines] = written.split('\n')
      this.#head = `${help}\n${type}`
      for (const [n, at] of places.entries()) this.#lines[at] = lines[n] ?? ''
      yield
    }
    this.#samples = samples
    this.#text = [this.#head, ...this.#lines].join('\n')
  }
}

function isSame(sample: Sample | undefined, known: Sample | undefined): boolean {
  if (sample === undefined || known === undefined) return false
  return (
    sample.value === known.value &&
    sample.suffix === known.suffix &&
    sample.bound?.le === known.bound?.le &&
    (sample.labels === known.labels || haveSameLabels(sample.labels, known.labels))
  )
}

function haveSameLabels(labels: Labels, known: Labels): boolean {
  return isWithin(labels, known) && isWithin(known, labels)
}

function isWithin(labels: Labels, others: Labels): boolean {
  for (const name in labels) if (labels[name] !== others[name]) return false
  return true
}
