/** Goal: a file that cannot be read is a problem like any other, and only our own node's addresses count. Method: real files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  checkConfig,
  checkForeignConfig,
  localAddresses,
  readConfig,
} from '../../src/cli/read-config.ts'
import { compilePattern } from '../../src/local/pattern/engine.ts'

const test = suite<{ folder: string }>('cli/read-config')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-config-'))
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

function written(folder: string, settings: object): string {
  const file = join(folder, 'neardns.yaml')
  writeFileSync(file, JSON.stringify(settings))
  return file
}

test('without a file there are the defaults and the flags', async () => {
  const override = { flag: '--listen', path: ['listen'], value: '127.0.0.9:5300', isListItem: true }
  const result = await readConfig({ overrides: [override] })
  assert.equal(result.ok && result.config.listen, [{ address: '127.0.0.9', port: 5300, family: 4 }])
})

test('flags win over the file, and leave the rest of it', async ({ folder }) => {
  const configFile = written(folder, { listen: ['127.0.0.1:1'], clusterDomain: 'kids.example' })
  const override = { flag: '--listen', path: ['listen'], value: '127.0.0.9:5300', isListItem: true }
  const result = await readConfig({ configFile, overrides: [override] })
  assert.equal(result.ok && [result.config.listen[0]?.address, result.config.clusterDomain], [
    '127.0.0.9',
    'kids.example',
  ])
})

test('a file that is not there, or no file, is one problem that names it', async ({ folder }) => {
  for (const [configFile, message] of [
    [join(folder, 'missing.yaml'), 'cannot be read: there is no such file'],
    [folder, 'cannot be read: it is a directory'],
    [join(folder, 'a\0b'), /^cannot be read: /],
  ] as const) {
    const result = await readConfig({ configFile, overrides: [] })
    const [problem, ...more] = result.ok ? [] : result.problems
    assert.equal([problem?.where, problem?.path, more.length], [configFile, '', 0])
    if (typeof message === 'string') assert.is(problem?.message, message)
    else assert.match(problem?.message ?? '', message)
  }
})

test('mistakes carry the name of the file as it was typed', async ({ folder }) => {
  const configFile = written(folder, { listen: 7 })
  const result = await readConfig({ configFile, overrides: [] })
  assert.ok(!result.ok && result.problems[0]?.where.startsWith(`${configFile}:1:`))
})

test('an expression is checked with the engine, which is there afterwards', async ({ folder }) => {
  const withMatch = (match: string) => ({ templates: [{ type: 'A', match: [match] }] })
  const wrong = await readConfig({ configFile: written(folder, withMatch('(a')), overrides: [] })
  assert.match(wrong.ok ? '' : (wrong.problems[0]?.message ?? ''), /missing closing \)/)
  assert.ok((await checkConfig({ settings: { name: 'made', value: withMatch('^a') } })).ok)
  assert.ok(compilePattern('^a').test('a.'))
})

test('an upstream on this host is a loop for us where we listen everywhere; for another host it may be right', async ({
  folder,
}) => {
  const own = localAddresses().find(
    (address) => /^\d+\.\d+\.\d+\.\d+$/.test(address) && !address.startsWith('127.'),
  )
  // A machine with loopback only has nothing to tell apart.
  if (own === undefined) return
  const configFile = written(folder, {
    listen: ['0.0.0.0:5300'],
    external: { upstreams: [`${own}:5300`] },
  })
  const ours = await readConfig({ configFile, overrides: [] })
  assert.match(ours.ok ? '' : (ours.problems[0]?.message ?? ''), /forwarding loop/)
  assert.ok((await checkForeignConfig(configFile, readFileSync(configFile, 'utf8'))).ok)
})

test('the addresses of this host are those of all its interfaces', () => {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  assert.equal(localAddresses().toSorted(), own.map(({ address }) => address).toSorted())
  assert.ok(localAddresses().includes('127.0.0.1'))
})

test.run()
