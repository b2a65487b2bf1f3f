/** Looks into a configuration that may be wrong in parts: whatever is not there, or of another kind, is skipped. */
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

/** @returns undefined where nothing is, or something of another kind stands on the way */
export function at(config: unknown, path: Path): unknown {
  let value = config
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}
