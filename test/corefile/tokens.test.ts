/*
 * Goal: the words of a Corefile are those that CoreDNS reads, each with its lines, and tests of "same line" go by them. Method: small texts in,
 * words out; whole files are compared with the program in corefile/coredns.
 */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  onLaterLine,
  onSameLine,
  readsEnvironment,
  tokenizeCorefile,
} from '../../src/corefile/tokens.ts'

const test = suite('corefile/tokens')

/** `text@line`, or `text@first-last` for a word over several lines. */
function words(text: string): string[] {
  return tokenizeCorefile(text).map(({ text: word, line, lastLine }) =>
    line === lastLine ? `${word}@${line}` : `${word}@${line}-${lastLine}`,
  )
}

test('words have the line they begin on, from 1', () => {
  assert.equal(words('a b\n\n  c\nd'), ['a@1', 'b@1', 'c@3', 'd@4'])
  assert.equal(words(''), [])
  assert.equal(words(' \n\t\n'), [])
})

test('a quoted word with line breaks has two lines, and what follows it is on its last', () => {
  assert.equal(words('a "b\nc\nd" e\nf'), ['a@1', 'b\nc\nd@1-3', 'e@3', 'f@4'])
})

test('comments hide words, not lines', () => {
  assert.equal(words('a # b\n# c\nd'), ['a@1', 'd@3'])
  assert.equal(words('# " is no quote here\na'), ['a@2'])
  assert.equal(words('"a # b" c'), ['a # b@1', 'c@1'])
})

test('inside a word a comment hides up to white space only, as CoreDNS has it', () => {
  assert.equal(words('a#b c'), ['a@1', 'c@1'])
  assert.equal(words('a#b\nc'), ['a@1', 'c@2'])
})

test('a quote that never ends is a word with what is in it, and none with nothing', () => {
  assert.equal(words('a "b c'), ['a@1', 'b c@1'])
  assert.equal(words('a "'), ['a@1'])
  assert.equal(words('a "b\\'), ['a@1', 'b@1'])
})

test('only a quote can be escaped; any other backslash stays', () => {
  assert.equal(words('"\\"" "\\\\" "\\n"'), ['"@1', '\\\\@1', '\\n@1'])
  assert.equal(words('a\\"b'), ['a\\"b@1'])
})

test("white space is Unicode's: a next-line character parts words, a byte order mark does not", () => {
  assert.equal(words('a\u0085b\u00a0c\u3000d'), ['a@1', 'b@1', 'c@1', 'd@1'])
  assert.equal(words('a\ufeffb'), ['a\ufeffb@1'])
  assert.equal(words('\ufeffa'), ['a@1'])
  // The second one belongs to the word.
  assert.equal(words('\ufeff\ufeffa'), ['\ufeffa@1'])
})

test('a carriage return parts nothing and is in no plain word', () => {
  assert.equal(words('a\rb\r\nc'), ['ab@1', 'c@2'])
})

test('same line and later line are no opposites: words of a snippet lie before those of who imports it', () => {
  const [first, second, third] = tokenizeCorefile('a "b\nc" d')
  if (first === undefined || second === undefined || third === undefined) throw new Error('words')
  assert.equal([onSameLine(first, second), onLaterLine(first, second)], [true, false])
  assert.equal([onSameLine(second, third), onLaterLine(second, third)], [true, false])
  assert.equal([onSameLine(first, third), onLaterLine(first, third)], [false, true])
  assert.equal([onSameLine(third, first), onLaterLine(third, first)], [false, false])
})

test('what CoreDNS would take from its environment is seen, in both spellings and anywhere in a word', () => {
  for (const text of ['{$ZONE}', '{%ZONE%}', 'a{$B', '{$']) assert.ok(readsEnvironment(text), text)
  for (const text of ['$ZONE', '{ZONE}', '{ $Z}', '%Z%', ''])
    assert.not.ok(readsEnvironment(text), text)
})

test('any text ends in words whose lines only grow and exist', () => {
  const part = fc.constantFrom('a', '"', '\\', '#', '\n', ' ', '\r', '{', '\u0085', '\ufeff')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const text = parts.join('')
      let behind = 1
      for (const { line, lastLine } of tokenizeCorefile(text)) {
        assert.ok(line >= behind && lastLine >= line)
        behind = lastLine
      }
      assert.ok(behind <= text.split('\n').length)
    }),
    { numRuns: 5000 },
  )
})

test.run()
