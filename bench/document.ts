/**
 * Writes docs/performance.md from the results in bench/results: `node bench/document.ts`. `--check` writes nothing and exits with 1
 * when the page is stale.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AllResults, performancePage } from './report/performance-page.ts'

const root = join(import.meta.dirname, '..')
const results = join(root, 'bench', 'results')
const page = join(root, 'docs', 'performance.md')
const kinds = ['comparison', 'stall', 'long', 'gc-stress', 'soak-memory']

/** The page as it has to be. */
export function freshPage(): string {
  const found = kinds
    .map((kind) => [kind, join(results, `${kind}.json`)] as const)
    .filter(([, file]) => existsSync(file))
    .map(([kind, file]) => [kind, JSON.parse(readFileSync(file, 'utf8')) as unknown])
  const plots = readdirSync(results).filter((file) => file.endsWith('.svg'))
  return performancePage({ ...Object.fromEntries(found), plots } as AllResults)
}

export function presentPage(): string {
  return readFileSync(page, 'utf8')
}

function main(argv: readonly string[]): void {
  const fresh = freshPage()
  if (!argv.includes('--check')) writeFileSync(page, fresh)
  else if (fresh !== presentPage()) {
    process.stderr.write('docs/performance.md is stale; run: node bench/document.ts\n')
    process.exitCode = 1
  }
}

if (import.meta.main) main(process.argv.slice(2))
