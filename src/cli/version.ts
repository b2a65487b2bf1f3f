/** The version of this program, from package.json two levels up: true for `src/` and for `dist/`. */
import { readFileSync } from 'node:fs'

export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const content: unknown = JSON.parse(text)
  const isObject = typeof content === 'object' && content !== null && 'version' in content
  return isObject ? String(content.version) : 'unknown'
}
