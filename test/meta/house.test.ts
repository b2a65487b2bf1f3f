/**
 * Goal: the rules of size and form in CONTRIBUTING hold, and nothing private to one machine is committed. Method:
 * the sources' text, Biome run with its size rules alone, and the files that Git tracks.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = join(import.meta.dirname, '../..')
const fileLinesMax = 300
const fileLinesMedianMax = 120

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(root, 'src', path), 'utf8') }))

function tracked(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  return listed.split('\0').filter((path) => path !== '' && statSync(join(root, path)).isFile())
}

const test = suite('meta/house')

test('every source file opens with a comment', () => {
  const bare = sources.filter(({ text }) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text))
  assert.equal(
    bare.map(({ path }) => path),
    [],
  )
})

test(`no source file has more than ${fileLinesMax} lines, half have at most ${fileLinesMedianMax}`, () => {
  const lines = sources.map(({ path, text }) => ({ path, count: text.split('\n').length - 1 }))
  assert.equal(
    lines.filter(({ count }) => count > fileLinesMax),
    [],
  )
  const sorted = lines.map(({ count }) => count).toSorted((a, b) => a - b)
  assert.ok((sorted[Math.floor(sorted.length / 2)] ?? 0) <= fileLinesMedianMax, String(sorted))
})

test('no function has more than 60 lines or four parameters (five in wire)', () => {
  const only = ['noExcessiveLinesPerFunction', 'useMaxParams', 'noExcessiveCognitiveComplexity']
  const { status, stdout, stderr } = spawnSync(
    join(root, 'node_modules/.bin/biome'),
    ['lint', ...only.map((rule) => `--only=complexity/${rule}`), 'src'],
    { cwd: root, encoding: 'utf8' },
  )
  assert.is(status, 0, stdout + stderr)
})

test('no default export, no enum, no `any` and no non-null assertion is let through by a comment without a reason', () => {
  const silenced = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/biome-ignore [^\n]*|oxlint-disable[^\n]*|@ts-[a-z-]+[^\n]*/g)]
      .filter((match) => !/:\s*\S{3,}/.test(match[0]))
      .map((match) => `${path}: ${match[0]}`),
  )
  assert.equal(silenced, [])
})

test('no tracked file holds a path of somebody’s machine', () => {
  const machinePath = /(?<![\w./-])\/(?:work|home|Users)\/\w+/
  const textual = new Set(['.ts', '.md', '.json', '.yaml', '.yml', '.sh', '', '.hex'])
  const found = tracked()
    .filter((path) => textual.has(extname(path)))
    .filter((path) => path !== 'test/meta/house.test.ts')
    .flatMap((path) => {
      const match = machinePath.exec(readFileSync(join(root, path), 'utf8'))
      return match === null ? [] : [`${path}: ${match[0]}`]
    })
  assert.equal(found, [])
})

test('the lock file names no registry, so that each clone uses its own', () => {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
  assert.not.match(lock, /"resolved":\s*"(?!https:\/\/registry\.npmjs\.org\/)/)
  assert.not.ok(tracked().includes('.npmrc'))
})

test('every package is pinned to one version', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>
  const versions = { ...dependencies, ...devDependencies, ...optionalDependencies }
  const loose = Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
  assert.equal(loose, [])
})

test.run()
