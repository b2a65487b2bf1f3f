/**
 * Goal: what `npm run build` emits is the same program. Method: built into a temporary folder beside the installed packages,
 * started from there, stopped by SIGTERM.
 */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort } from '../support/free-port.ts'
import { Child, runToEnd } from '../support/process.ts'

const root = join(import.meta.dirname, '../..')
const { version, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  scripts: Record<string, string>
}

/** The compile cache of the tests' own processes is for what stays where it is. */
const withoutCache = { NODE_COMPILE_CACHE: '' }

const test = suite<{ folder: string }>('meta/build', { folder: '' })

test.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-build-'))
  copyFileSync(join(root, 'package.json'), join(context.folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(context.folder, 'node_modules'))
  const outDir = join(context.folder, 'dist')
  const { code, output } = await runToEnd('npm', ['run', 'build', '--', outDir], {
    cwd: root,
  })
  assert.is(code, 0, output)
})

test.after(({ folder }) => rmSync(folder, { recursive: true, force: true }))

test('the built program says its version', async ({ folder }) => {
  const main = join(folder, 'dist/main.js')
  const { code, output } = await runToEnd(process.execPath, [main, '--version'], {
    env: withoutCache,
  })
  assert.is(code, 0, output)
  assert.is(output.trim(), `neardns ${version}`)
})

test('the built program is a few files, each with its source map', ({ folder }) => {
  const files = readdirSync(join(folder, 'dist'))
  const scripts = files.filter((name) => name.endsWith('.js'))
  assert.ok(scripts.includes('main.js') && scripts.length < 60, scripts.join(' '))
  assert.equal(
    scripts.filter((name) => !files.includes(`${name}.map`)),
    [],
  )
})

test('what was compiled ahead is taken, also where the folder has moved to', async ({ folder }) => {
  const [dist, moved] = [join(folder, 'dist'), join(folder, 'moved')]
  renameSync(dist, moved)
  try {
    // Node says of each file whether V8 took what there was. A cache that the environment names would take the place of ours.
    const env = { ...withoutCache, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }
    writeFileSync(join(folder, 'defaults.yaml'), '{}')
    const args = [join(moved, 'main.js'), 'validate', join(folder, 'defaults.yaml')]
    const { code, output } = await runToEnd(process.execPath, args, { env })
    assert.is(code, 0, output)
    const about = output.split('\n').filter((line) => line.includes('V8 code cache for ESM file:'))
    assert.ok(about.length >= 2, output)
    assert.equal(
      about.filter((line) => !line.includes('was accepted')),
      [],
    )
  } finally {
    renameSync(moved, dist)
  }
})

test('the licences of the packages in it go with it', ({ folder }) => {
  const text = readFileSync(join(folder, 'dist/LICENSES.txt'), 'utf8')
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  // The one that stays a package has its own beside it.
  const bundled = Object.keys(dependencies).filter((name) => name !== 'koffi')
  for (const name of bundled) assert.match(text, new RegExp(`^${name}\n`, 'm'), name)
})

test('the built daemon gets ready and ends with 0 on SIGTERM', async ({ folder }) => {
  const listen = `127.0.0.1:${await freePort()}`
  const upstream = `127.0.0.1:${await freePort()}`
  const args = ['run', '--listen', listen, '--upstream', upstream, '--cluster-upstream', upstream]
  const daemon = new Child(process.execPath, [join(folder, 'dist/main.js'), ...args], {
    env: withoutCache,
  })
  const isReady = (line: string) => line.includes('ready') && line.includes(listen)
  await daemon.line(isReady, 15_000)
  const { code, signal } = await daemon.stop('SIGTERM')
  assert.is(code, 0, `${signal} ${daemon.tail()}`)
})

test('every file that a package script starts exists', () => {
  for (const [script, command] of Object.entries(scripts)) {
    for (const [, path = ''] of command.matchAll(/\bnode (\S+\.ts)/g)) {
      assert.ok(existsSync(join(root, path)), `${script}: ${path}`)
    }
  }
})

test.run()
