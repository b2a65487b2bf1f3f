/** Settings as a YAML file holds them: plain objects, lists, texts, numbers and switches. */
export type Plain = string | number | boolean | readonly Plain[] | PlainSection

export interface PlainSection {
  readonly [key: string]: Plain | undefined
}
