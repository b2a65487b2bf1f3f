/**
 * Goal: the pages say what the results say, and nothing that makes pages can measure. Method: the pages are made again and compared; the
 * imports of the maker are followed.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshPages, presentPage, presentPlots } from '../../bench/report/main.ts'

const test = suite('bench/report')
const bench = join(import.meta.dirname, '..', '..', 'bench')

test('docs/performance.md and each plot are what `npm run bench:report` makes of the results', () => {
  const fresh = freshPages()
  assert.ok(fresh.has('docs/performance.md'))
  for (const [path, text] of fresh) assert.is(presentPage(path), text, path)
})

test('no plot is left of results that are gone', () => {
  const fresh = freshPages()
  assert.equal(
    presentPlots().filter((path) => !fresh.has(path)),
    [],
  )
})

test('what makes the pages starts no process and opens no socket', () => {
  const reached = reachedFrom(join(bench, 'report', 'main.ts'))
  assert.ok(reached.has(join(bench, 'report', 'soaks.ts')))
  const modules = [...reached].filter((path) => path.startsWith('node:'))
  assert.equal(modules.toSorted(), ['node:fs', 'node:path'])
})

/** All that a file imports at run time, directly or not: `import type` is no import. */
function reachedFrom(file: string, reached = new Set<string>()): Set<string> {
  if (reached.has(file)) return reached
  reached.add(file)
  if (file.startsWith('node:')) return reached
  const statement = /^(?:import|export) (?!type\b)[^'"();]*?from '([^']+)'/gm
  for (const [, to = ''] of readFileSync(file, 'utf8').matchAll(statement)) {
    reachedFrom(to.startsWith('.') ? join(dirname(file), to) : to, reached)
  }
  return reached
}

test.run()
