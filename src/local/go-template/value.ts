/** Values of a Go template: what they are, when they count as true, how they are printed. */

/** Undefined is a key that a map does not have: Go prints `<no value>`. */
export type Value =
  | string
  | number
  | boolean
  | undefined
  | readonly Value[]
  | { readonly [key: string]: Value }

/** What Go calls an execution error: the text cannot be made of these data. */
export class TemplateError extends Error {}

/** Go: a value is false when it is empty. */
export function isTrue(value: Value): boolean {
  if (typeof value !== 'object') return Boolean(value)
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0
}

/** As Go's fmt.Print. */
export function printed(value: Value): string {
  if (value === undefined) return '<no value>'
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`
  const entries = Object.entries(value as Readonly<Record<string, Value>>)
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `map[${sorted.map(([key, of]) => `${key}:${printed(of)}`).join(' ')}]`
}
