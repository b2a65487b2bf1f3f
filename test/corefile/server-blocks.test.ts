/*
 * Goal: a Corefile is split into blocks and words with their places, and variables are replaced where CoreDNS replaces them. Method: small texts;
 * the grammar itself is tested in corefile/corefile, and against the program in corefile/coredns.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CorefileSurroundings, parseServerBlocks } from '../../src/corefile/server-blocks.ts'

const test = suite('corefile/server-blocks')

function read(text: string, surroundings?: CorefileSurroundings) {
  const result = parseServerBlocks(text, surroundings)
  assert.ok(result.ok, result.ok ? '' : result.problems[0]?.message)
  return result
}

function texts(text: string, surroundings?: CorefileSurroundings): string[] {
  return read(text, surroundings).blocks.map(
    ({ labels, directives }) =>
      `${labels.map((label) => label.text).join(' ')}: ${directives
        .map(({ words }) => words.map((word) => word.text).join(' '))
        .join('; ')}`,
  )
}

test('labels and words have lines and columns', () => {
  const [block] = read('.:53 a.example {\n    cache { 30\n  }\n}').blocks
  assert.equal(
    block?.labels.map(({ place }) => place),
    [
      { line: 1, column: 1 },
      { line: 1, column: 6 },
    ],
  )
  const words = block?.directives[0]?.words ?? []
  assert.equal(
    words.map(({ text, line, column }) => `${text}@${line}:${column}`),
    ['cache@2:5', '{@2:11', '30@2:13', '}@3:3'],
  )
})

test('variables are replaced in labels, names, words and imports, before they are looked at', () => {
  const values: Readonly<Record<string, string>> = { Z: 'a.example', D: 'log', S: 'common', E: '' }
  const environment = (name: string) => values[name]
  const text = '({$S}) {\nerrors\n}\n{$Z}:53 {$E} {\n{$D} {%Z%}\nimport {$S}\n}'
  assert.equal(texts(text, { environment }), ['a.example:53: log a.example; errors'])
  assert.equal(texts('{$Z} {\nlog {$Z}\n}'), ['{$Z}: log {$Z}'])
})

test('a pattern without a match and a file that cannot be read are told apart', () => {
  const files = {
    imported: (pattern: string) => (pattern.includes('*') ? [] : undefined),
    text: () => undefined,
  }
  const { emptyImports, unresolvedImports } = read('.:53 {\nimport a/*.b\n  import c\n}', { files })
  assert.equal(emptyImports, [{ line: 2, column: 8, pattern: 'a/*.b' }])
  assert.equal(unresolvedImports, [{ line: 3, column: 10, pattern: 'c' }])
})

test('a mistake has its column', () => {
  const result = parseServerBlocks('.:53 {\n  forward . { 192.0.2.1 } }\n}')
  assert.not(result.ok)
  if (result.ok) return
  assert.equal(
    result.problems.map(({ line, column }) => [line, column]),
    [[2, 27]],
  )
})

test.run()
