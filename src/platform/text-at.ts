/** Small files that are read whole, where a missing one is no mistake. */
import { readFileSync } from 'node:fs'

/** Reads a whole file as UTF-8 and blocks meanwhile. @returns undefined when it cannot be read, for whatever reason */
export function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
