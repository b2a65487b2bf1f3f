/** Goal: every setting of a configuration in force says where its value came from. Method: files, flags and trees through the loader. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { noted, settingsOf } from '../../../src/config/in-force/origins.ts'
import { type ConfigSource, loadConfig } from '../../../src/config/load.ts'

const test = suite('config/in-force/origins')

function loaded(source: ConfigSource) {
  const result = loadConfig({ hasOrigins: true, ...source })
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('; '))
  return result.config
}

function viewsOf(config: ReturnType<typeof loaded>): Record<string, string> {
  return Object.fromEntries(
    settingsOf(config).map(({ path, value, from }) => [path, `${value} (${from})`]),
  )
}

const file = {
  name: 'neardns.yaml',
  text: `cache:
  bytesMax: 1000000
external:
  upstreams:
    - 192.0.2.1
    - tls://192.0.2.2:853#dns.example
listen: [127.0.0.1:53]
zones:
  - name: corp.example
    upstreams: [192.0.2.3]
`,
}

test('a line of the file, a flag, or the default', () => {
  const flag = { flag: '--listen', path: ['listen'], value: '127.0.0.2:53', isListItem: true }
  const views = viewsOf(loaded({ file, overrides: [flag] }))
  assert.is(views['cache.bytesMax'], '1000000 (neardns.yaml:2)')
  assert.is(views['listen'], '127.0.0.2:53 (--listen)')
  assert.is(
    views['external.upstreams'],
    'udp://192.0.2.1:53, tls://192.0.2.2:853#dns.example (neardns.yaml:4)',
  )
  assert.is(views['cache.entriesMax'], '50000 (default)')
  assert.is(views['admin.tokenFile'], 'none (default)')
})

test('a reader of dnstap is one setting, as it was written', () => {
  const text = 'log: { dnstap: { socket: "tcp://192.0.2.5:6000" } }'
  const ofDnstap = Object.entries(viewsOf(loaded({ file: { name: 'a.yaml', text } }))).filter(
    ([path]) => path.startsWith('log.dnstap.socket'),
  )
  assert.equal(ofDnstap, [['log.dnstap.socket', 'tcp://192.0.2.5:6000 (a.yaml:1)']])
})

test('of an entry of a list there is what somebody has written', () => {
  const views = viewsOf(loaded({ file }))
  const ofZone = Object.entries(views).filter(([path]) => path.startsWith('zones'))
  assert.equal(ofZone, [
    ['zones[0].name', 'corp.example (neardns.yaml:9)'],
    ['zones[0].upstreams', 'udp://192.0.2.3:53 (neardns.yaml:10)'],
  ])
})

test('settings that a Corefile stands for, and those that are not of it', () => {
  const value = { clusterDomain: 'kids.example', workers: 1 }
  const originOf = ([key]: readonly (string | number)[]) =>
    key === 'workers' ? 'flags of node-cache' : 'Corefile'
  const views = viewsOf(loaded({ settings: { name: 'Corefile', value, originOf } }))
  assert.is(views['clusterDomain'], 'kids.example (Corefile)')
  assert.is(views['workers'], '1 (flags of node-cache)')
  assert.is(viewsOf(loaded({ settings: { name: 'C', value } }))['workers'], '1 (C)')
})

test('what another configuration had is noted where it differs, and the origins are kept', () => {
  const whole = loaded({ file })
  const own = { ...whole, cache: { ...whole.cache, bytesMax: 500_000 } }
  const views = viewsOf(noted(own, whole, ({ from }, was) => `${from}; ${was} cut`))
  assert.is(views['cache.bytesMax'], '500000 (neardns.yaml:2; 1000000 cut)')
  assert.is(views['listen'], '127.0.0.1:53 (neardns.yaml:7)')
})

test('a configuration has origins only when they are wanted', () => {
  assert.is(loaded({ file, hasOrigins: false }).origins, undefined)
})

test.run()
