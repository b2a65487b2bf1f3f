/*
 * Goal: a change of the Corefile, or of any file that it names, is noticed, and half of a change never is. Method: files in a
 * directory, a short period, and the judge of the daemon.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CorefileWatcher } from '../../src/daemon/corefile-watcher.ts'
import { judgeTrust } from '../../src/daemon/search-trust.ts'
import { until } from '../support/process.ts'
import { configOf } from './support.ts'

interface Context {
  folder: string
  watcher: CorefileWatcher
  levels: string[]
}

const test = suite<Context>('daemon/corefile-watcher')
const config = configOf()

const corefile = (folder: string) => `.:53 {
  kubernetes cluster.local
  hosts ${folder}/NodeHosts {
    fallthrough
  }
  reload
  import custom/*.override
}
import custom/*.server
`

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-corefile-watcher-'))
  mkdirSync(join(context.folder, 'custom'))
  writeFileSync(join(context.folder, 'NodeHosts'), '10.0.0.4 node-a\n')
  writeFileSync(join(context.folder, 'Corefile'), corefile(context.folder))
  context.levels = []
  context.watcher = new CorefileWatcher({
    path: join(context.folder, 'Corefile'),
    periodMs: 20,
    judge: (source) => judgeTrust(config, source),
    onChange: (source) => context.levels.push(judgeTrust(config, source).level),
  })
  context.watcher.start()
})

test.after.each(({ folder, watcher }) => {
  watcher.stop()
  rmSync(folder, { recursive: true })
})

test('what is there at the start is read at once, with all that it names', ({ watcher }) => {
  assert.is(judgeTrust(config, watcher.source).level, 'verified')
})

const changes: readonly [what: string, file: string, text: string][] = [
  ['a name of the domain in the hosts file', 'NodeHosts', '10.0.0.4 node-a.cluster.local\n'],
  ['a new imported directive', 'custom/x.override', 'template IN A .\n'],
  ['a new imported server block', 'custom/x.server', 'x.cluster.local {\n  whoami\n}\n'],
]
for (const [what, file, text] of changes) {
  test(`${what} is noticed, and so is its end`, async ({ folder, levels }) => {
    writeFileSync(join(folder, file), text)
    await until('distrust', () => levels.includes('cautious'))
    if (file === 'NodeHosts') writeFileSync(join(folder, file), '10.0.0.4 node-a\n')
    else rmSync(join(folder, file))
    await until('trust', () => levels.at(-1) === 'verified')
  })
}

test('a Corefile that disappears is no change', async ({ folder, levels }) => {
  rmSync(join(folder, 'Corefile'))
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(levels, [])
})

test.run()
