/** Reads parts of a configuration that may be wrong in places: missing values, and values of another kind, are skipped. */
import type { Path } from './problem.ts'

export interface Found<T> {
  readonly path: Path
  readonly value: T
}

/** The entries of a list. */
export function items(config: unknown, list: Path): Found<unknown>[] {
  const value = at(config, list)
  return Array.isArray(value) ? value.map((one, i) => ({ path: [...list, i], value: one })) : []
}

/** @returns undefined when a part of the path is missing or of another kind */
export function at(config: unknown, path: Path): unknown {
  let value = config
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}
