/** Goal: a directive's words and blocks are those that a CoreDNS plugin meets; braces at other places are refused with their line. Method: texts of one directive. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CorefileDirective, readDirective } from '../../src/corefile/directive.ts'
import { tokenizeCorefile } from '../../src/corefile/tokens.ts'

const test = suite('corefile/directive')

function read(text: string) {
  return readDirective(tokenizeCorefile(text))
}

/** `name args <line; line>`, or the problem as `line: message`. */
function told(text: string): string {
  const result = read(text)
  return result.ok ? shown(result.directive) : `${result.problem.line}: ${result.problem.message}`
}

function shown({ name, args, block }: CorefileDirective): string {
  const lines = block === undefined ? [] : [`<${block.map(shown).join('; ')}>`]
  return [name, ...args, ...lines].join(' ')
}

const sound: readonly [what: string, text: string, directive: string][] = [
  ['a name alone', 'log', 'log'],
  ['words behind it', 'cache 30 a', 'cache 30 a'],
  ['a block', 'cache 30 {\nsuccess 1 2\ndenial 3\n}', 'cache 30 <success 1 2; denial 3>'],
  ['an empty block', 'log {\n}', 'log <>'],
  ['an empty block on one line', 'log { }', 'log <>'],
  ['a first line behind the brace', 'log { a b\nc\n}', 'log <a b; c>'],
  ['blocks in blocks', 'x {\ny z {\nw\n}\nv\n}', 'x <y z <w>; v>'],
  ['a word over lines goes on in its last line', 'x "a\nb" c', 'x a\nb c'],
]
for (const [what, text, directive] of sound) {
  test(what, () => assert.is(told(text), directive))
}

const broken: readonly [what: string, text: string, problem: RegExp][] = [
  ['no word at all', '', /^1: there is no directive/],
  ['a block without an end', 'x {\na\n', /^1: the block that begins here has no end/],
  ['an inner block without an end', 'x {\ny {\na\n}', /^1: the block that begins here has no end/],
  ['words behind the end of a block', 'x {\na\n} b', /^3: "b" stands behind the end of a block/],
  ['a brace on the next line', 'x\n{\na\n}', /^2: the "\{" of a block must stand on the line/],
  ['a second directive', 'x\ny', /^2: "y" stands behind the end of a block/],
  [
    'an end behind words',
    'x {\na }',
    /^2: the "\}" that ends a block must stand on a line of its own/,
  ],
]
for (const [what, text, problem] of broken) {
  test(`${what} is refused, with its line`, () => assert.match(told(text), problem))
}

test('lines are those of the names', () => {
  const result = read('x {\n\n  a 1\n  # none\n  b {\n    c\n  }\n}')
  const block = result.ok ? (result.directive.block ?? []) : []
  assert.equal(
    block.map(({ name, line }) => `${name}@${line}`),
    ['a@3', 'b@5'],
  )
  assert.is(block[1]?.block?.[0]?.line, 6)
})

test('blocks nest eight deep, and no deeper: nobody means more', () => {
  const nested = (depth: number) => `${'x {\n'.repeat(depth)}y\n${'}\n'.repeat(depth)}`
  assert.ok(read(nested(8)).ok)
  assert.match(told(nested(9)), /^9: blocks within blocks, 8 deep/)
})

test('a hundred thousand braces end in a refusal, not in the end of the stack', () => {
  assert.match(told('x {\n'.repeat(100_000)), /8 deep/)
})

test.run()
