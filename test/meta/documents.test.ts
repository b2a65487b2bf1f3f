/**
 * Goal: what the documents tell people to type works, and what they link to is there. Method: every shell block is split
 * into commands; scripts, flags, verbs and paths in them are looked up in the program and in the repository.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { VerbDefinition } from '../../src/cli/command-line/definition.ts'
import { verbs } from '../../src/cli/command-line/verbs.ts'

const root = join(import.meta.dirname, '../..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}
const folders = ['manifests', 'manifests/chart', 'manifests/overlays']
const documents = [root, 'docs', 'docs/decisions', ...folders, 'bench']
  .map((folder) => (folder === root ? '' : folder))
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => readdirSync(join(root, folder)).map((file) => join(folder, file)))
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

interface Command {
  /** Document and command, for messages. */
  readonly where: string
  readonly words: readonly string[]
}

/** Commands of fenced shell blocks and of indented blocks, continuation lines joined, comments and prompts removed. */
function commands(): Command[] {
  return documents.flatMap(({ path, text }) =>
    shellBlocks(text)
      .flatMap((block) => block.replaceAll(/\\\n\s*/g, ' ').split('\n'))
      .map((line) => line.replace(/^\s*(?:[$#] )?/, '').replace(/\s+#.*$/, ''))
      .flatMap((line) => line.split(/\s(?:&&|\|\||;|\|)\s/))
      .map((line) => ({ where: `${path}: ${line.trim()}`, words: line.trim().split(/\s+/) })),
  )
}

function shellBlocks(text: string): string[] {
  const fenced = [...text.matchAll(/^```(?:sh|bash|shell|console)\n([\s\S]*?)^```/gm)]
  const rest = text.replaceAll(/^```[\s\S]*?^```/gm, '')
  const indented = [...rest.matchAll(/(?<=\n\n)((?: {4}.*\n)+)/g)]
  return [...fenced, ...indented].map((match) => match[1] ?? '')
}

/** What follows `neardns` in a command, however it is started. */
function programArguments(words: readonly string[]): readonly string[] | undefined {
  const [first, second, third] = words
  if (first === 'npm' && second === 'start') return words.slice(words[2] === '--' ? 3 : 2)
  if (first === 'npm' && second === 'run' && third === 'neardns') return words.slice(4)
  if (first === 'neardns' || first === 'dist/main.js') return words.slice(1)
  if (first === 'node' && /(?:^|\/)main\.(?:js|ts)$/.test(second ?? '')) return words.slice(2)
  return undefined
}

const test = suite('meta/documents')
const all = commands()

test('the documents have commands to check', () => {
  assert.ok(documents.some(({ path }) => path === 'README.md'))
  assert.ok(all.filter(({ words }) => words[0] === 'npm').length >= 4)
})

test('every npm script that a document names exists', () => {
  const own = ['ci', 'install', 'test', 'start', 'run']
  const wrong = all.filter(({ words: [first, second, third] }) => {
    if (first !== 'npm') return false
    if (second === 'run') return scripts[third ?? ''] === undefined
    return !own.includes(second ?? '') || (second === 'start' && scripts['start'] === undefined)
  })
  assert.equal(
    wrong.map(({ where }) => where),
    [],
  )
})

test('every flag and verb that a document gives to neardns exists', () => {
  const wrong = all.filter(({ words }) => {
    const given = programArguments(words) ?? []
    const flags = given.filter((word) => word.startsWith('--') && word !== '--')
    const [first = 'run'] = given.filter((word) => !['help', 'version'].includes(word))
    const isVerb = /^[a-z]/.test(first)
    const verb = verbs.find(({ name }) => name === (isVerb ? first : 'run'))
    // Its flags are those of node-cache.
    if (verb?.name === 'node-cache') return false
    return verb === undefined || flags.some((flag) => !isKnownFlag(verb, flag))
  })
  assert.equal(
    wrong.map(({ where }) => where),
    [],
  )
})

function isKnownFlag({ flags }: VerbDefinition, flag: string): boolean {
  const name = flag.split('=')[0] ?? ''
  return ['--help', '--version', ...Object.keys(flags)].includes(name)
}

test('every file that a command of a document works on is in the repository', () => {
  const paths = all.flatMap(({ where, words }) =>
    words
      .filter((word) => /^(?:\.\/)?(?:src|test|docs|manifests|bench|\.ci)\/\S+$/.test(word))
      .map((word) => ({ where, word: word.replace(/[,;]$/, '') })),
  )
  const missing = paths.filter(({ word }) => !existsSync(join(root, word)))
  assert.equal(
    missing.map(({ where, word }) => `${where} -> ${word}`),
    [],
  )
})

test('every link between documents leads somewhere', () => {
  const missing = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => (match[1] ?? '').replace(/#.*$/, ''))
      .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
      .filter((link) => !existsSync(join(root, dirname(path), link)))
      .map((link) => `${path} -> ${link}`),
  )
  assert.equal(missing, [])
})

test.run()
