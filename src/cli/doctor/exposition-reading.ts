/** A page of metrics as numbers by name and labels. Takes the page of our own daemon, and judges nothing. Pure. */

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export class ExpositionReading {
  private readonly series = new Map<string, Sample[]>()

  constructor(text: string) {
    for (const [, name = '', labels = '', value] of text.matchAll(
      /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/gm,
    )) {
      const sample = { labels: labelsIn(labels), value: Number(value) }
      this.series.set(name, [...(this.series.get(name) ?? []), sample])
    }
  }

  all(name: string): readonly Sample[] {
    return this.series.get(name) ?? []
  }

  /** @returns the sum over all labels; undefined when there is no such metric */
  sum(name: string): number | undefined {
    const samples = this.series.get(name)
    return samples?.reduce((total, { value }) => total + value, 0)
  }
}

function labelsIn(text: string): Record<string, string> {
  const pairs = text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)
  return Object.fromEntries(
    [...pairs].map(([, key = '', value = '']) => [key, value.replaceAll(/\\(.)/g, '$1')]),
  )
}
