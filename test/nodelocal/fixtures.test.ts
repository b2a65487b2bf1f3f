/*
 * Goal: Corefiles of the kinds that are in use get the verdict of node-cache, but for what is refused by name, and what is taken is a valid
 * configuration. Method: test/fixtures/corefiles/node-cache, each with its verdict in the first line, and for a refusal the first place.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { translate } from '../../src/nodelocal/translate.ts'

const test = suite('nodelocal/fixtures')

const folder = join(import.meta.dirname, '../fixtures/corefiles/node-cache')

const variables: Readonly<Record<string, string>> = {
  HEALTH_PORT: '8080',
  METRICS_PORT: '9253',
  UPSTREAM: '192.0.2.1',
  CACHE_SECONDS: '30',
  CACHE_ENTRIES: '9984',
}

const files = {
  imported: (pattern: string) => (pattern.includes('*') ? [] : undefined),
  text: (path: string) => (path === '/etc/resolv.conf' ? 'nameserver 192.0.2.53\n' : undefined),
}

for (const file of readdirSync(folder).toSorted()) {
  const text = readFileSync(join(folder, file), 'utf8')
  const [, verdict = ''] = /^# verdict: (.*)$/m.exec(text) ?? []
  test(`${file}: ${verdict}`, () => {
    const environment = (name: string) => variables[name]
    const { settings, problems } = translate(text, { file, environment, files })
    const [first] = problems
    const said = first === undefined ? 'valid' : `refused ${first.line}:${first.column}`
    assert.is(said, verdict, JSON.stringify(problems))
    if (settings === undefined) return
    const loaded = loadConfig({ file: { name: file, text: JSON.stringify(settings) } })
    assert.ok(loaded.ok, JSON.stringify(loaded))
  })
}

test.run()
