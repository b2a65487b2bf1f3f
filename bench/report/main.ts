/** `npm run bench:report`: makes docs/performance.md and the plots beside the results from bench/results/*.json. Never measures. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AllResults, performancePage } from './performance-page.ts'
import { plotsOf } from './plots.ts'

const root = join(import.meta.dirname, '..', '..')
const results = 'bench/results'
const kinds = [
  'comparison',
  'kernel-hits',
  'stall',
  'long',
  'gc-stress',
  'soak-memory',
  'least-memory',
]

/** @returns texts by path from the root of the repository, as they have to be */
export function freshPages(): ReadonlyMap<string, string> {
  const found = kinds
    .map((kind) => [kind, join(root, results, `${kind}.json`)] as const)
    .filter(([, file]) => existsSync(file))
    .map(([kind, file]) => [kind, JSON.parse(readFileSync(file, 'utf8')) as unknown])
  const all = Object.fromEntries(found) as AllResults
  const plots = plotsOf(all)
  return new Map([
    ...Object.entries(plots).map(([file, svg]) => [`${results}/${file}`, svg] as const),
    ['docs/performance.md', performancePage(all, Object.keys(plots))],
  ])
}

/** @returns undefined when there is no such page */
export function presentPage(path: string): string | undefined {
  const file = join(root, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** @returns paths of the plots that lie beside the results */
export function presentPlots(): string[] {
  const files = readdirSync(join(root, results))
  return files.filter((file) => file.endsWith('.svg')).map((file) => `${results}/${file}`)
}

if (import.meta.main) {
  for (const [path, text] of freshPages()) writeFileSync(join(root, path), text)
}
