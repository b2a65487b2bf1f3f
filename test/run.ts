/**
 * The test runner: `node test/run.ts [--root DIR] [--timeout MS] [--lanes N] [path part]...`
 * Loads every `*.test.ts` below the root (default: this folder) whose path contains one of the given parts, and ends with
 * the line `N passed, N failed`. Exit code 0 means that nothing failed and something passed. What counts as a
 * failure beyond a failed assertion is told in `runner/session.ts`. Folders named `fixtures` are never searched.
 *
 * Several files run in three processes side by side (`runner/lanes.ts`); a single file, or `--lanes 1`, in this one.
 */
import { readdirSync } from 'node:fs'
import { enableCompileCache, registerHooks } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type LaneOrder, serveLane } from './runner/lane.ts'
import { runInLanes } from './runner/lanes.ts'
import { skippedNeedsOf } from './runner/needs-of.ts'
import { emptyReport, type Report } from './runner/report.ts'
import { session } from './runner/session.ts'
import { printSummary } from './runner/summary.ts'

/** As for `npm start`: without it each process that a test starts takes 0.3 s to 0.6 s of a processor to strip types and to compile. */
const compileCache = resolve(import.meta.dirname, '../node_modules/.cache/neardns')
const testTimeoutMsDefault = 60_000
/** Beside two processors, because most of a long test is waiting. Three keep both busy for minutes at a time: more would gain nothing. */
const lanesDefault = 3

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: 'string' },
    timeout: { type: 'string' },
    lanes: { type: 'string' },
    lane: { type: 'boolean' },
  },
})
const root = resolve(options.root ?? import.meta.dirname)
const timeoutMs = Number(options.timeout ?? testTimeoutMsDefault)

keepCompiledCode()

if (options.lane === true) {
  trackUvu()
  session.begin(timeoutMs, true)
  serveLane(root)
} else {
  const report = await runAll(testFiles(positionals))
  session.end(printSummary(report))
}

async function runAll(files: readonly LaneOrder[]): Promise<Report> {
  if (files.length === 0) {
    const where = positionals.join(' ') || root
    return { ...emptyReport(), failures: [{ where, what: 'no test file' }] }
  }
  const count = Number(options.lanes ?? (files.length === 1 ? 1 : lanesDefault))
  if (count === 1) return await runHere(files)
  const argv = [import.meta.filename, '--lane', '--root', root, '--timeout', String(timeoutMs)]
  return await runInLanes(files, { count, argv })
}

async function runHere(files: readonly LaneOrder[]): Promise<Report> {
  trackUvu()
  session.begin(timeoutMs)
  for (const { label, path } of files) await session.runFile(label, pathToFileURL(path).href)
  await session.settle()
  const report = session.takeReport()
  report.needs.push(...(await skippedNeedsOf(root)))
  return report
}

/** For this process and for all that it starts. Tests for which it matters say in the environment of a process what they want. */
function keepCompiledCode(): void {
  process.env['NODE_COMPILE_CACHE'] ||= compileCache
  enableCompileCache()
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

function testFiles(parts: readonly string[]): LaneOrder[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .filter(
      (path) => !path.split('/').some((part) => part === 'fixtures' || part === 'node_modules'),
    )
    .map((path) => join(root, path))
    .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)))
    .toSorted()
    .map((path) => ({ label: relative(process.cwd(), path), path }))
}
