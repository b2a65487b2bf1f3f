/*
 * Goal: the words of a directive are taken as CoreDNS's plugins take them. Method: small texts, and the calls that plugins make; what a brace
 * on a line with words does is what CoreDNS 1.14.7 says to `forward . IP { policy random }` and `cache { success 9984 30 }`.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tokenizeCorefile } from '../../src/corefile/tokens.ts'
import { Words } from '../../src/corefile/words.ts'

const test = suite('corefile/words')
const wordsOf = (text: string) => new Words(tokenizeCorefile(text))

/** All directives, with the words of their lines, as most plugins read them. */
function read(text: string): string[] {
  const words = wordsOf(text)
  const lines: string[] = []
  while (words.next()) {
    lines.push([words.text, ...texts(words)].join(' '))
    while (words.nextInBlock()) lines.push(`  ${[words.text, ...texts(words)].join(' ')}`)
  }
  return lines
}

function texts(words: Words): string[] {
  return words.rest().map(({ text }) => text)
}

test('directives, their words and the lines of their blocks', () => {
  assert.equal(read('a b c {\n d e\n f\n}\na g'), ['a b c', '  d e', '  f', 'a g'])
  assert.equal(read('a {\n}\na { }'), ['a', 'a'])
})

test('a brace behind the words of a line is one of them for who takes the rest of the line', () => {
  assert.equal(read('a { b c }'), ['a', '  b c }'])
  assert.equal(read('a { b\n}'), ['a', '  b'])
})

test('for who takes one word it ends the block', () => {
  const words = wordsOf('a { b c }\na d')
  words.next()
  assert.ok(words.nextInBlock())
  assert.ok(words.nextArgument())
  assert.is(words.text, 'c')
  assert.not(words.nextInBlock())
  assert.ok(words.next())
  assert.is(words.text, 'a')
})

test('words of a line end with it', () => {
  const words = wordsOf('a b\nc')
  words.next()
  assert.ok(words.beginsLine)
  assert.ok(words.nextArgument())
  assert.not(words.beginsLine)
  assert.not(words.nextArgument())
  assert.is(words.text, 'b')
})

test('every word knows its place', () => {
  const words = wordsOf('a\n  "b c" d')
  assert.equal(words.place, { line: 1, column: 1 })
  words.next()
  words.next()
  assert.equal(words.place, { line: 2, column: 3 })
  assert.equal(words.rest(), [{ text: 'd', place: { line: 2, column: 9 } }])
})

test('no words at all are no mistake', () => {
  const words = wordsOf('')
  assert.not(words.next())
  assert.not(words.nextInBlock())
  assert.is(words.text, '')
  assert.equal(words.place, { line: 1 })
})

test.run()
