// Goal: a person reads what is wrong in a YAML text and what would be right, and never a text of the yaml package.
// Method: texts that make the package complain in each of its ways, against the words; and each of its codes.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseYaml } from '../../src/config/yaml.ts'

const test = suite('config/yaml-wording')

const texts: [string, string][] = [
  ['a: "x', '1:6 a closing " is missing'],
  ["listen: '127.0.0.1:53\ncache: {}\n", "3:1 a closing ' is missing"],
  ['a: [1, 2', '1:9 a closing ] is missing, or stands too far left'],
  ['a: {b: 1', '1:9 a closing } is missing, or stands too far left'],
  ['a: b: c', '1:4 a setting inside the value of another; write one a line'],
  ['a: 1\n  b: 2', '1:4 a setting inside the value of another; write one a line'],
  ['a: @x', '1:4 a text cannot begin with @ unless it is in quotes'],
  ['a: "\\q"', '1:5 \\q is no escape in double quotes; write \\\\ for a backslash'],
  ['a: &x &y 1', '1:7 two anchors (&name) at one value; keep one'],
  ['a: !foo 1', '1:4 a word that begins with ! is a tag'],
  ['a: *\n', '1:4 an anchor (&) or alias (*) needs a name'],
  ['a: [1,,2]', '1:7 a comma too many'],
  ['a: ["b" "c"]', '1:9 a comma is missing between two items'],
  ['a: 1\nfoo\nb: 2', '2:1 a name must end with a colon on its own line'],
  ['a: |x\n  y', '1:5 nothing may follow | or > on its line'],
  ['a: "b"c', '1:7 this does not belong here; is a quote, a bracket or a line break missing'],
  ['a: "x"#y', '1:7 a comment needs a space before its #'],
  ['a:\n   b: 1\n  c: 2', '3:1 the indentation does not fit'],
  ['a: [b: c: d]', '1:8 settings or items on lines of their own inside [ ] or { }'],
]
for (const [text, words] of texts) {
  test(`${JSON.stringify(text)} is explained`, () => {
    const result = parseYaml(text)
    assert.ok(!result.ok)
    const [first] = result.mistakes
    assert.ok(first)
    const told = `${first.line}:${first.column} ${first.message}`
    assert.ok(told.startsWith(words), told)
  })
}

test('each code of the package has its words', () => {
  const types = fileURLToPath(new URL('../../node_modules/yaml/dist/errors.d.ts', import.meta.url))
  const [line = ''] = /type ErrorCode = .*/.exec(readFileSync(types, 'utf8')) ?? []
  const codes = [...line.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code ?? '')
  const words = readFileSync(new URL('../../src/config/yaml-wording.ts', import.meta.url), 'utf8')
  assert.ok(codes.length > 20)
  assert.equal(
    codes.filter((code) => !words.includes(code)),
    [],
  )
})

test.run()
