// Goal: the one definition of the settings is complete and agrees with itself and with the generated files.
// Method: a walk over its JSON Schema; the generated files and the example in them are read from disk.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { staleFiles } from '../../docs/generate.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configJsonSchema } from '../../src/config/schema.ts'
import type { JsonSchema } from '../../src/config/setting.ts'

const test = suite('config/schema')

interface Setting {
  readonly path: string
  readonly key: string
  readonly node: JsonSchema
}

/** Everything that can be written, sections included. */
function settings(node: JsonSchema = configJsonSchema(), path = ''): Setting[] {
  return Object.entries(node.properties ?? node.items?.properties ?? {}).flatMap(([key, child]) => {
    const inner = path === '' ? key : `${path}.${key}`
    return [{ path: inner, key, node: child }, ...settings(child, inner)]
  })
}

const numbers = () => settings().filter(({ node }) => node.type === 'integer')

test('every setting and section says in a sentence what it is for', () => {
  for (const { path, node } of settings()) {
    assert.match(node.description ?? '', /^[A-Z].{15,}\.$/, path)
  }
})

test('every number has bounds, a unit and a default between its bounds', () => {
  assert.ok(numbers().length > 60)
  for (const { path, node } of numbers()) {
    const { minimum, maximum, default: preset } = node
    if (minimum === undefined || maximum === undefined || typeof preset !== 'number') {
      throw new Error(`${path} lacks something`)
    }
    assert.ok(minimum <= preset && preset <= maximum, path)
    assert.type(node['x-unit'], 'string', path)
  }
})

test('the name of a number ends in its unit where the unit is one of time, size or share', () => {
  const suffixes: Record<string, RegExp> = {
    ms: /Ms$/,
    seconds: /Seconds$/,
    bytes: /Bytes(Max)?$|^bytesMax$/,
    percent: /Percent$|^percentile$/,
  }
  for (const { path, key, node } of numbers()) {
    const unit = node['x-unit'] ?? ''
    if (path.endsWith('ageMaxMs')) assert.is(unit, 'ms')
    else if (suffixes[unit] === undefined) assert.not.match(key, /(Ms|Seconds|Percent)$/, path)
    else assert.match(key, suffixes[unit], path)
  }
})

test('only what a zone or a namespace cannot do without is required', () => {
  const required = (node: JsonSchema): string[] => [
    ...(node.required ?? []),
    ...Object.values(node.properties ?? {}).flatMap(required),
    ...(node.items === undefined ? [] : required(node.items)),
  ]
  assert.equal(required(configJsonSchema()), ['name', 'upstreams', 'name', 'type', 'zone'])
})

test('the defaults that editors are shown are the defaults that count', () => {
  const shown = (node: JsonSchema): unknown =>
    node.properties === undefined
      ? node.default
      : Object.fromEntries(Object.entries(node.properties).map(([key, one]) => [key, shown(one)]))
  const text = JSON.stringify(shown(configJsonSchema()))
  assert.equal(loadConfig({ file: { name: 'defaults', text } }), loadConfig({}))
})

test('docs/configuration.md and docs/neardns.schema.json are fresh (npm run docs)', () => {
  assert.equal(staleFiles(), [])
})

test('the example in docs/configuration.md is a valid configuration', () => {
  const document = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const text = /```yaml\n([\s\S]*?)```/.exec(document)?.[1] ?? ''
  const result = loadConfig({ file: { name: 'example', text } })
  assert.ok(result.ok && result.config.zones.length === 1)
})

test.run()
