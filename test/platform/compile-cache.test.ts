/**
 * Goal: what Node has compiled is kept where the npm scripts say, told as the first once, and a bundle's own is used. Method: processes of Node
 * over directories of the test's own.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runToEnd } from '../support/process.ts'

const test = suite('platform/compile-cache')

const module = import.meta.resolve('../../src/platform/compile-cache.ts')
const root = mkdtempSync(join(tmpdir(), 'neardns-compile-cache-'))
test.after(() => rmSync(root, { recursive: true, force: true }))

async function node(script: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const args = ['--input-type=module', '-e', script]
  const { output, code } = await runToEnd(process.execPath, args, {
    env: { NODE_COMPILE_CACHE: '', ...env },
  })
  assert.is(code, 0, output)
  return output.trim()
}

const keeping = `
import { keepCompiled } from '${module}'
console.log(keepCompiled(), keepCompiled())
`

test('without a directory nothing is kept', async () => {
  assert.is(await node(keeping), 'false false')
})

test('compiled code is written before the process ends, and only the first time returns true', async () => {
  const directory = join(root, 'kept')
  const env = { NODE_COMPILE_CACHE: directory }
  assert.is(await node(keeping, env), 'true false')
  assert.ok(readdirSync(directory, { recursive: true }).length > 1)
  assert.is(await node(keeping, env), 'false false', 'these flags have theirs')
})

/** The folder of a bundle that says where its cache is. */
function bundle(name: string): string {
  const directory = join(root, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'part.mjs'), 'export const part = 1\n')
  return directory
}

const using = (directory: string) => `
import { getCompileCacheDir } from 'node:module'
import { useShippedCompiled } from '${module}'
useShippedCompiled('${directory}')
await import('${join(directory, 'part.mjs')}')
console.log(getCompileCacheDir() ?? 'none')
`

test('a bundle without a cache of its own compiles as ever', async () => {
  assert.is(await node(using(bundle('bare'))), 'none')
})

test("a bundle's own cache is used, wherever the bundle has been moved to", async () => {
  const built = bundle('built')
  mkdirSync(join(built, 'compiled'))
  const where = await node(using(built))
  assert.ok(where.startsWith(join(built, 'compiled')), where)
  const moved = join(root, 'moved')
  cpSync(built, moved, { recursive: true })
  const files = () => readdirSync(join(moved, 'compiled'), { recursive: true, encoding: 'utf8' })
  const before = files().toSorted()
  assert.ok(before.length > 1, 'it was filled')
  await node(using(moved))
  assert.equal(files().toSorted(), before, 'nothing was compiled anew')
})

test.run()
