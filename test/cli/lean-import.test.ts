// Goal: the configuration is read without loading zod's locales, and works all the same.
// Method: a process of its own, since in this one zod may be there already.
import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('cli/lean-import')

test('reading the configuration loads zod with its English texts only', () => {
  const code = `
    const { readConfig } = await import(${JSON.stringify(new URL('../../src/cli/read-config.ts', import.meta.url).href)})
    const overrides = [{ flag: '--io', path: ['io'], value: 'fast', isListItem: false }]
    const good = await readConfig({ overrides: [] })
    const bad = await readConfig({ overrides })
    const { z } = await import('zod')
    console.log(JSON.stringify([good.ok, bad.problems[0].message, Object.keys(z.locales)]))
  `
  const cwd = new URL('../..', import.meta.url)
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd })
  assert.equal(JSON.parse(out.toString()), [
    true,
    'expected one of auto, portable, batched, got the text "fast"',
    ['en'],
  ])
})

test.run()
