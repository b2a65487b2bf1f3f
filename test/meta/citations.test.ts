/**
 * Goal: what comments and documents point at is there: files, decisions, and the rules of docs/search-path.md. Method: the names in the
 * comments of all code and in the documents, looked up among the files that Git tracks and among the rules.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = join(import.meta.dirname, '../..')

/** Present files, those that are not committed yet included. */
const files = [
  ['ls-files', '-z'],
  ['ls-files', '-z', '--others', '--exclude-standard'],
]
  .flatMap((args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0'))
  .filter((path) => path !== '')
const paths = new Set(files)

/** Folders that a path may begin in, besides the folder and the room of the file that names it. */
const bases = ['', 'src/', 'test/', 'test/support/', 'bench/', 'docs/', 'manifests/']

interface Text {
  readonly path: string
  readonly text: string
}

function read(path: string): Text {
  return { path, text: readFileSync(join(root, path), 'utf8') }
}

const code = files
  .filter((path) => /^(?:src|test|bench)\//.test(path) && extname(path) === '.ts')
  .filter((path) => path !== 'test/meta/citations.test.ts')
  .map(read)
const comments = code.map(({ path, text }) => ({ path, text: commentsOf(text) }))
const documents = files
  .filter((path) => /^(?:ARCHITECTURE|CONTRIBUTING|README|docs\/[\w-]+)\.md$/.test(path))
  .map(read)
const decisions = files.filter((path) => path.startsWith('docs/decisions/')).map(read)

function commentsOf(text: string): string {
  const found = text.matchAll(/^\s*\/\*\*?[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm)
  return [...found].map(([comment]) => comment).join('\n')
}

const named = /(?<![\w/.:@-])(?:[\w-]+\/)*[\w-]+(?:\.test|\.bench)?\.ts(?![\w/])/g

/** Files that a text names and that are nowhere. */
function missingIn({ path, text }: Text): string[] {
  return [...text.matchAll(named)]
    .map(([name]) => name)
    .filter((name) => !isThere(name, path))
    .map((name) => `${path} names ${name}`)
}

function isThere(name: string, from: string): boolean {
  if (
    [...bases, `${dirname(from)}/`, `${from.split('/').slice(0, 2).join('/')}/`].some((base) =>
      paths.has(base + name),
    )
  )
    return true
  // A bare name is a neighbour's, or that of a file that everybody knows.
  return !name.includes('/') && files.some((path) => basename(path) === name)
}

const test = suite('meta/citations')

test('there are names to look up', () => {
  const count = (texts: readonly Text[]) =>
    texts.flatMap(({ text }) => [...text.matchAll(named)]).length
  assert.ok(count(comments) > 50, `${count(comments)} in comments`)
  assert.ok(count(documents) > 20, `${count(documents)} in documents`)
})

test('every file that a comment names exists', () => {
  assert.equal(comments.flatMap(missingIn), [])
})

test('every file that a document names exists', () => {
  assert.equal(documents.flatMap(missingIn), [])
})

test('every decision that a comment or a document names exists', () => {
  const numbers = decisions.map(({ path }) => basename(path).slice(0, 4))
  const wrong = [...comments, ...documents, ...decisions].flatMap(({ path, text }) =>
    [...text.matchAll(/\bdecisions?[/ ](\d{4})\b/g)]
      .filter(([, number = '']) => !numbers.includes(number))
      .map(([name]) => `${path} names ${name}`),
  )
  assert.equal(wrong, [])
})

test('the rules of the search path are numbered without a gap, and each that is cited is there', () => {
  const { text } = read('docs/search-path.md')
  const rules = [...text.matchAll(/^\*\*SP-(\d+) [^*]+\.\*\*/gm)].map(([, number]) =>
    Number(number),
  )
  assert.equal(
    rules,
    rules.map((_, i) => i + 1),
  )
  assert.ok(rules.length > 20, `${rules.length} rules`)
  const wrong = [...code, ...documents, ...decisions].flatMap(({ path, text: citing }) =>
    [...citing.matchAll(/\bSP-(\d+)/g)]
      .filter(([, number]) => !rules.includes(Number(number)))
      .map(([name]) => `${path} cites ${name}`),
  )
  assert.equal(wrong, [])
})

test('rules of the search path are cited by their present numbers', () => {
  const old = code.filter(({ text }) => /searchpath \d|\bR8\b/.test(text))
  assert.equal(
    old.map(({ path }) => path),
    [],
  )
})

test.run()
