/**
 * The test runner: `node test/run.ts [--root DIR] [--timeout MS] [path part]...`
 * Loads every `*.test.ts` below the root (default: this folder) whose path contains one of the given parts,
 * one file after another in this process, and ends with the line `N passed, N failed`. Exit code 0 means
 * that nothing failed and something passed. What counts as a failure beyond a failed assertion is told in
 * `runner/session.ts`. Folders named `fixtures` are never searched.
 */
import { readdirSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { session } from './runner/session.ts'
import { printSummary } from './runner/summary.ts'

const testTimeoutMsDefault = 60_000

await main()

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { root: { type: 'string' }, timeout: { type: 'string' } },
  })
  const root = resolve(values.root ?? import.meta.dirname)
  trackUvu()
  session.begin(Number(values.timeout ?? testTimeoutMsDefault))
  const files = testFiles(root, positionals)
  if (files.length === 0) session.fail('no test file', positionals.join(' ') || root)
  for (const path of files) {
    await session.runFile(relative(process.cwd(), path), pathToFileURL(path).href)
  }
  await session.settle()
  await printSummary(session, join(root, 'support', 'needs.ts'))
  session.end()
}

/** Test files import `uvu`; they get `runner/tracked-uvu.ts`, which sees what uvu itself does not tell. */
function trackUvu(): void {
  const tracked = new URL('./runner/tracked-uvu.ts', import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'uvu' && context.parentURL !== tracked
        ? { url: tracked, shortCircuit: true }
        : next(specifier, context),
  })
}

function testFiles(root: string, parts: readonly string[]): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .filter(
      (path) => !path.split('/').some((part) => part === 'fixtures' || part === 'node_modules'),
    )
    .map((path) => join(root, path))
    .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)))
    .toSorted()
}
