/*
 * Goal: the daemon that is started anew serves the very configuration that was checked, and nobody else's. Method: through the
 * environment and back.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { environmentFor, takeHandedConfig } from '../../src/cli/handed-config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'

const test = suite('cli/handed-config')
const variable = 'NEARDNS_CHECKED_CONFIG'

function configOf(text: string): Config {
  const read = loadConfig({ file: { name: 'n.yaml', text }, overrides: [], localAddresses: [] })
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.config
}

test.after.each(() => {
  delete process.env[variable]
})

test('a configuration comes out as it went in, and is gone from the environment', () => {
  const config = configOf(`
listen: ['127.0.0.1:53', '[::1]:5353']
cluster: { upstreams: [10.96.0.11, 'udp://10.96.0.12:5300'] }
external: { upstreams: ['tls://1.1.1.1#one.one.one.one'] }
zones: [{ name: corp.example, upstreams: [10.0.0.9] }]
admin: { listen: null }
`)
  const handed = { config, fileText: 'listen: []\n# a\0b "c" \u{1f600}' }
  Object.assign(process.env, environmentFor(handed))
  assert.equal(takeHandedConfig(), handed)
  assert.is(process.env[variable], undefined)
  assert.is(takeHandedConfig(), undefined)
})

test('what another process has left in the environment is not taken', () => {
  const handed = { config: configOf('{}'), fileText: '' }
  const text = environmentFor(handed)[variable] ?? ''
  process.env[variable] = text.replace(String(process.pid), String(process.pid + 1))
  assert.is(takeHandedConfig(), undefined)
  assert.is(process.env[variable], undefined)
})

test('a configuration that the kernel would not take is read again instead', () => {
  const zones = Array.from(
    { length: 250 },
    (_, i) => `{ name: z${i}.example, upstreams: [10.0.0.9] }`,
  )
  const config = configOf(`zones: [${zones.join(', ')}]`)
  assert.equal(environmentFor({ config, fileText: '' }), {})
})

test.run()
