// Goal: whoever follows docs/operations.md at night finds the metrics and settings that it names.
// Method: every name in backquotes that looks like one is searched in the sources that define it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'

const root = join(import.meta.dirname, '../..')
const test = suite('operations')

const text = ['docs/operations.md', 'manifests/README.md']
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n')
const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')

test('every metric that the handbook names is published', () => {
  const observe = join(root, 'src/observe')
  const sources = readdirSync(observe, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(observe, file), 'utf8'))
  const names = quoted.flatMap(
    (words) => /^((?:neardns|coredns|process)_\w+)/.exec(words)?.[1] ?? [],
  )
  assert.ok(names.length > 15, names.join())
  for (const name of names)
    assert.ok(
      sources.some((source) => source.includes(`'${name}'`)),
      name,
    )
})

test('every setting that the handbook names exists', () => {
  const result = loadConfig({})
  assert.ok(result.ok)
  const names = quoted.filter((words) =>
    /^(cache|cluster|drain|external|inFlight|log|memory)\.\w/.test(words),
  )
  assert.ok(names.length > 5, names.join())
  for (const name of names) {
    const value = name
      .split('.')
      .reduce<unknown>(
        (section, key) => (section as Record<string, unknown> | undefined)?.[key],
        result.ok ? result.config : {},
      )
    assert.ok(value !== undefined, name)
  }
})

test.run()
