/**
 * The metrics of this process: the list of families, asked for their samples when somebody scrapes, so packets pay nothing for it. Never
 * counts anything itself; packets are counted in typed arrays (`query-counters.ts`).
 */
import { type Exposition, expositionOf, type FamilyReading, readFamily } from './exposition.ts'
import type { Family } from './families/family.ts'
import { type Pieces, TimeSlices } from './time-slices.ts'

export class Metrics {
  private readonly families: { readonly family: Family; readonly isOn: () => boolean }[] = []
  private readonly refreshers: (() => Promise<void>)[] = []
  private reading: Promise<readonly FamilyReading[]> | undefined
  private writing: Promise<Exposition> | undefined

  /**
   * Adds families; the order of calls is the order of the output. Throws on a name that is taken: a defect.
   * @param isOn asked at each scrape, whether they are published
   */
  add(families: readonly Family[], isOn: () => boolean = () => true): void {
    for (const family of families) {
      if (this.families.some((one) => one.family.name === family.name)) {
        throw new Error(`metric family ${family.name} is declared twice`)
      }
      this.families.push({ family, isOn })
    }
  }

  /** Has `refresh` awaited before each scrape, for numbers that cannot be read synchronously. */
  beforeScrape(refresh: () => Promise<void>): void {
    this.refreshers.push(refresh)
  }

  /** Writes all families. Scrapes that overlap share one text. */
  scrape(): Promise<Exposition> {
    this.writing ??= this.read()
      .then(expositionOf)
      .finally(() => {
        this.writing = undefined
      })
    return this.writing
  }

  /** Reads all families, for a process that adds up several. Calls that overlap share one reading. */
  read(): Promise<readonly FamilyReading[]> {
    this.reading ??= this.readAll().finally(() => {
      this.reading = undefined
    })
    return this.reading
  }

  private async readAll(): Promise<readonly FamilyReading[]> {
    for (const refresh of this.refreshers) await refresh()
    const wanted = this.families.filter(({ isOn }) => isOn())
    return new TimeSlices().run(readEach(wanted.map(({ family }) => family)))
  }
}

function* readEach(families: readonly Family[]): Pieces<readonly FamilyReading[]> {
  const readings: FamilyReading[] = []
  for (const family of families) {
    readings.push(yield* readFamily(family))
    yield
  }
  return readings
}
