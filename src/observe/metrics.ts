/**
 * The metrics registry; the only owner of prom-client. Families are plain values (`family.ts`) that are asked for
 * their samples when somebody scrapes, so nothing is paid per packet. Lines are kept from one scrape to the next (`kept-lines.ts`).
 *
 * Traps of prom-client 15.1.3, and how they are avoided:
 * - `counter.inc` with labels costs 0.3-0.7 us. Packets are counted in typed arrays (`query-counters.ts`).
 * - Importing the package costs 14 MB of RSS: its main file loads the push gateway (https), OpenTelemetry and
 *   tdigest. Only the registry, which writes the exposition format, is imported (3.5 MB), and that at the
 *   first scrape, so a daemon that nobody scrapes pays nothing. The registry asks of a metric only
 *   `name`, `help`, `type` and `get()`.
 * - Writing a label set costs some 4 us. Label objects are kept from scrape to scrape and passed as
 *   `sharedLabels`, whose text the registry keeps for as long as the object lives.
 * - `registry.metrics()` builds all text in one go, and anew. Here only lines that have changed are written, in pieces, and the event
 *   loop gets its turn whenever a slice of time is used up.
 * - Its collector of garbage collections reads the first entry of each batch only; ours reads them all.
 * - Counters keep their name in the text format: `_total` is part of the names here. NaN would be written as
 *   `Nan`; no family yields it.
 */
import type { Registry } from 'prom-client'
import type { Family, Sample } from './families/family.ts'
import { KeptLines, type WriteSamples } from './kept-lines.ts'
import { TimeSlices } from './time-slices.ts'

interface FamilyText {
  readonly lines: KeptLines
  readonly write: WriteSamples
}

export interface Exposition {
  readonly contentType: string
  readonly body: string
}

export class Metrics {
  readonly #families: Family[] = []
  readonly #refreshers: (() => Promise<void>)[] = []
  readonly #texts = new Map<Family, FamilyText>()
  #registry: Promise<Registry> | undefined
  #running: Promise<Exposition> | undefined

  /** Adds families; the order of calls is the order of the output. Throws on a name that is taken: a defect. */
  add(families: readonly Family[]): void {
    for (const family of families) {
      if (this.#families.some(({ name }) => name === family.name)) {
        throw new Error(`metric family ${family.name} is declared twice`)
      }
      this.#families.push(family)
    }
  }

  /** Has `refresh` awaited before each scrape, for numbers that cannot be read without waiting. */
  beforeScrape(refresh: () => Promise<void>): void {
    this.#refreshers.push(refresh)
  }

  /** All definitions, for the documentation. */
  definitions(): readonly Family[] {
    return this.#families
  }

  /** Writes all families. Scrapes that come while one is being written share its text. */
  scrape(): Promise<Exposition> {
    this.#running ??= this.#write().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #write(): Promise<Exposition> {
    this.#registry ??= loadRegistry()
    const registry = await this.#registry
    for (const refresh of this.#refreshers) await refresh()
    const parts: string[] = []
    const slices = new TimeSlices()
    for (const family of this.#families) {
      const { lines, write } = this.#textOf(family, registry)
      for await (const _piece of lines.update(family.collect(), write)) await slices.giveWay()
      parts.push(lines.text)
      await slices.giveWay()
    }
    return { contentType: registry.contentType, body: `${parts.join('\n')}\n` }
  }

  #textOf(family: Family, registry: Registry): FamilyText {
    let text = this.#texts.get(family)
    if (!text) {
      text = { lines: new KeptLines(), write: writerFor(registry, family) }
      this.#texts.set(family, text)
    }
    return text
  }
}

/** The path below the package name is not documented, but the package has no export map and its version is pinned. */
async function loadRegistry(): Promise<Registry> {
  const { default: RegistryClass } = await import('prom-client/lib/registry.js')
  return new RegistryClass()
}

/** How one family is written; its head lines come with each piece. */
function writerFor(registry: Registry, { name, help, kind }: Family): WriteSamples {
  let samples: readonly Sample[] = []
  const value = toValue(name)
  const get = async () => ({ name, help, type: kind, values: samples.map(value) })
  // The declared parameter is a class with methods that only its own callers use.
  type Metric = Parameters<Registry['registerMetric']>[0]
  registry.registerMetric({ name, help, type: kind, get } as unknown as Metric)
  return (piece) => {
    samples = piece
    return registry.getSingleMetricAsString(name)
  }
}

/** The registry keeps the text of `sharedLabels` objects, so those that are reused cost nothing again. */
function toValue(name: string): (sample: Sample) => object {
  const partNames = { _bucket: `${name}_bucket`, _sum: `${name}_sum`, _count: `${name}_count` }
  return ({ labels, value, suffix, bound }) => ({
    labels: bound ?? {},
    sharedLabels: labels,
    value,
    metricName: suffix ? partNames[suffix] : name,
  })
}
