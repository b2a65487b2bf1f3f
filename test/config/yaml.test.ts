/** Goal: every value of a file has the place at which its author looks for it, and no file makes the reader throw or grow. Method: small files, places by line and column. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseYaml, textCharactersMax } from '../../src/config/yaml.ts'

const test = suite('config/yaml')

type Path = readonly (string | number)[]

function read(text: string) {
  const result = parseYaml(text)
  if (!result.ok) throw new Error(JSON.stringify(result.mistakes))
  return result
}

/** `line:column` */
function place(text: string, path: Path, part: 'key' | 'value' = 'value'): string {
  const { line, column } = read(text).locate(path, part)
  return `${line}:${column}`
}

function mistakes(text: string): string[] {
  const result = parseYaml(text)
  return result.ok
    ? []
    : result.mistakes.map(({ line, column, message }) => `${line}:${column}: ${message}`)
}

const file = `# first
cache:
  entriesMax: 5
listen: [a, b]
zones:
  - name: x
    upstreams:
      - y
admin:
`

test('a value stands where it is written, its key where that is', () => {
  assert.is(place(file, ['cache', 'entriesMax']), '3:15')
  assert.is(place(file, ['cache', 'entriesMax'], 'key'), '3:3')
  assert.is(place(file, ['listen', 1]), '4:13')
  assert.is(place(file, ['zones', 0, 'upstreams', 0]), '8:9')
})

test('of a section the name is what one looks for, and an empty value is nowhere else', () => {
  assert.is(place(file, ['cache']), '2:1')
  assert.is(place(file, ['admin']), '9:1')
  assert.is(place(file, ['listen']), '4:9')
})

test('what is not there is at the last part of its path that is', () => {
  assert.is(place(file, ['cache', 'bytesMax']), '2:1')
  assert.is(place(file, ['zones', 0, 'ttl', 'positiveMaxSeconds']), place(file, ['zones', 0]))
  assert.is(place(file, ['zones', 7]), place(file, ['zones']))
  assert.is(place('', ['cache']), '1:1')
})

test('only what is written counts as there', () => {
  const { has } = read(file)
  const there: Path[] = [[], ['cache'], ['cache', 'entriesMax'], ['zones', 0, 'name'], ['admin']]
  const missing: Path[] = [
    ['cach'],
    ['cache', 'x'],
    ['zones', 1],
    ['zones', 'name'],
    ['listen', 'a'],
  ]
  assert.equal(there.map(has), [true, true, true, true, true])
  assert.equal(missing.map(has), [false, false, false, false, false])
})

test('through an alias one comes to the anchor: its value is the one to be mended', () => {
  const shared = 'a: &x { n: 1 }\nb: *x\n'
  assert.is(place(shared, ['b', 'n']), '1:12')
  assert.equal(read(shared).value, { a: { n: 1 }, b: { n: 1 } })
})

test('numbers, words and nothing are what YAML 1.2 makes of them', () => {
  const { value } = read('a: 0x10\nb: 1e3\nc: yes\nd: null\ne: ~\nf: "5"\ng: 010\nh: true')
  assert.equal(value, { a: 16, b: 1000, c: 'yes', d: null, e: null, f: '5', g: 10, h: true })
  assert.is(read('').value, undefined)
  assert.is(read('# only a comment').value, undefined)
})

test('a key that is a number is a name, and one that is a prototype does no harm', () => {
  const { value, has } = read('1: a\n__proto__: { x: 1 }')
  assert.ok(has(['1']) && has(['__proto__']))
  assert.is(Object.getPrototypeOf(value), Object.prototype)
  assert.is(Reflect.get({}, 'x'), undefined)
})

test('one slip is one complaint, two slips are two', () => {
  assert.is(mistakes('a: [1, 2\nb: 3\n').length > 0, true)
  assert.equal(mistakes('a: 1\na: 2\nb: 3\nb: 4\n').length, 2)
})

test('a file full of slips gives twenty, and not one for each', () => {
  assert.is(mistakes('a: 1\n'.repeat(100)).length, 20)
})

test('a text at the limit is read, one above it is not', () => {
  const comment = (characters: number) => `#${'x'.repeat(characters - 1)}`
  assert.equal(mistakes(comment(textCharactersMax)), [])
  assert.equal(mistakes(comment(textCharactersMax + 1)), [
    `1:1: the file has ${textCharactersMax + 1} characters; at most ${textCharactersMax}`,
  ])
})

test('a hundred aliases are enough for every file; more are refused where the first of them stands', () => {
  const list = (count: number) =>
    `a: &x 1\nb: [${new Array<string>(count).fill('*x').join(', ')}]\n`
  assert.equal(mistakes(list(100)), [])
  assert.equal(mistakes(list(101)), ['2:405: more than 100 aliases (*name) in one file'])
})

test.run()
