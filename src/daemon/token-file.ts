/** Reads the token of the admin pages, at each request, because the kubelet replaces the files of a Secret. */
import { readFileSync } from 'node:fs'

/** @returns undefined when there is no file or its first line is empty: then no token opens the pages */
export function readToken(path: string | null): string | undefined {
  if (path === null) return undefined
  try {
    const token = readFileSync(path, 'utf8').split('\n', 1)[0]?.trim()
    return token === '' ? undefined : token
  } catch {
    return undefined
  }
}
