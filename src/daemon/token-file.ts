/** Reads the token of the admin pages; at each request, since the kubelet replaces the files of a Secret. */
import { readFileSync } from 'node:fs'

/** @returns undefined where there is no file, or nothing in its first line: then there is no way in */
export function readToken(path: string | null): string | undefined {
  if (path === null) return undefined
  try {
    const token = readFileSync(path, 'utf8').split('\n', 1)[0]?.trim()
    return token === '' ? undefined : token
  } catch {
    return undefined
  }
}
