// Goal: a Corefile is read as CoreDNS reads it, quirks included, with the line of every directive; and no text whatever
// makes the reader throw, hang or eat memory.
// Method: tables; the fixtures of broken Corefiles; random texts of Corefile words. The quirks were found and checked
// against the parser that CoreDNS is built with, on 120,000 random texts; coredns.test.ts asks the program.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Corefile, parseCorefile } from '../../src/corefile/corefile.ts'
import type { CorefileDirective } from '../../src/corefile/directive.ts'
import { corefileFixtures } from './fixtures.ts'

const test = suite('corefile/corefile')

test('labels, directives and nested lines keep their lines', () => {
  const { blocks } = read(
    '\n.:53 corp.example {\n  errors\n  cache 30 {\n    success 9984 30\n  }\n}\n',
  )
  assert.equal(blocks, [
    {
      line: 2,
      labels: [
        { text: '.:53', line: 2, scheme: 'dns', zones: ['.'], port: 53 },
        { text: 'corp.example', line: 2, scheme: 'dns', zones: ['corp.example'] },
      ],
      directives: [
        { name: 'errors', line: 3, args: [] },
        {
          name: 'cache',
          line: 4,
          args: ['30'],
          block: [{ name: 'success', line: 5, args: ['9984', '30'] }],
        },
      ],
    },
  ])
})

/** Text, and the words of its blocks as CoreDNS has them: labels, then directives, `<` and `>` around a block. */
const readings: [string, string, string][] = [
  ['commas carry labels over lines', 'a,\nb, c {\nlog\n}', 'a b c: log'],
  ['a comma within a word is a part of it', 'a,b {\nlog\n}', 'a,b: log'],
  ['the brace may stand on the next line of labels', 'a\n{\nlog\n}', 'a: log'],
  [
    'a file of one block needs no braces',
    'a\nlog\ncache {\nsuccess 1\n}',
    'a: log; cache <success 1>',
  ],
  ['the first directive may stand behind the brace', 'a { log\n}', 'a: log'],
  ['a label alone is a block', 'a', 'a:'],
  ['an empty file has no block', '# nothing\n', ''],
  ['a block without label is passed over', '{\nlog\n}\na {\nlog\n}', 'a: log'],
  ['quotes hold blanks', 'a {\nlog "b c" d\n}', 'a: log [b c] d'],
  ['a quote may be escaped, nothing else', 'a {\nlog "x\\"y\\\\d\\n"\n}', 'a: log x"y\\\\d\\n'],
  ['a word in quotes may be empty', 'a {\nlog "" b\n}', 'a: log [] b'],
  ['a word behind a quote is the next one', 'a {\nlog "b"c\n}', 'a: log b c'],
  ['a quote within a word is a letter', 'a {\nlog b"c d"\n}', 'a: log b"c d"'],
  [
    'a quoted word over lines goes on in its last line',
    'a {\nlog "b\nc" d\ncache\n}',
    'a: log [b\nc] d; cache',
  ],
  ['a comment ends with its line', 'a { # x {\nlog # y }\n}', 'a: log'],
  ['a comment within a word ends at the next blank', 'a {\nlog#x y z\n}', 'a: log y z'],
  ['a carriage return is nothing', 'a {\r\nlo\rg\r\n}\r\n', 'a: log'],
  ['a byte order mark is nothing', '\ufeffa {\nlog\n}', 'a: log'],
  ['white space is what Unicode says', 'a\u00a0b\u0085{\nlog\u3000c\n}', 'a b: log c'],
  ['empty braces are an empty block', 'a {\nlog {\n}\nerrors { }\n}', 'a: log <>; errors <>'],
  ['{} is a word', 'a {\nlog {}\n}', 'a: log {}'],
  [
    'a brace behind the one word of an option ends the block of template and forward',
    'a {\ntemplate ANY AAAA { rcode NXDOMAIN }\nforward . b { policy random }\n}',
    'a: template ANY AAAA <rcode NXDOMAIN>; forward . b <policy random>',
  ],
  ['blocks nest', 'a {\nx {\ny z {\nw\n}\nv\n}\n}', 'a: x <y z <w>; v>'],
  ['the last block lends its brace at the end', 'a {\nlog {\n}', 'a: log <>'],
  ['variables stay as written', '{$Z}:53 {\nlog {%X%} {$Y}\n}', '{$Z}:53: log {%X%} {$Y}'],
  [
    'a snippet takes the place of its import',
    '(s) {\nlog\ncache\n}\na {\nerrors\nimport s\nloop\n}',
    'a: errors; log; cache; loop',
  ],
  ['snippets import snippets', '(s) {\nlog\n}\n(t) {\nimport s\n}\na {\nimport t\n}', 'a: log'],
  [
    'a snippet may be lines of a directive',
    '(s) {\nttl 3\n}\na {\nx {\nimport s\ny\n}\n}',
    'a: x <ttl 3; y>',
  ],
  [
    'a snippet may be whole blocks',
    '(s) {\na {\nlog\n}\n}\nimport s\nb {\nlog\n}',
    'a: log | b: log',
  ],
  ['an empty snippet is nothing', '(s) {\n}\na {\nimport s\nlog\n}', 'a: log'],
]
for (const [what, text, words] of readings) {
  test(what, () => {
    assert.is(read(text).blocks.map(blockText).join(' | '), words)
  })
}

test('what a file would bring is missing, and said, wherever it is imported', () => {
  const text = 'import top/*.server\na {\nimport x.override\nlog\nx {\nimport {$FILE}\n}\n}\n'
  const { blocks, unresolvedImports } = read(text)
  assert.equal(blocks.map(blockText), ['a: log; x <>'])
  assert.equal(unresolvedImports, [
    { line: 1, pattern: 'top/*.server' },
    { line: 3, pattern: 'x.override' },
    { line: 6, pattern: '{$FILE}' },
  ])
})

test('a snippet is known only below its definition', () => {
  const { unresolvedImports } = read('a {\nimport s\n}\n(s) {\nlog\n}\n')
  assert.equal(unresolvedImports, [{ line: 2, pattern: 's' }])
})

test('lines that CoreDNS would join are refused', () => {
  // Both copies keep line 2, so `kubernetes` would see one line: its zones, "kubernetes", its zones.
  const text = '(s) {\nkubernetes a\n}\nb {\nimport s\nimport s\n}\n'
  assert.equal(
    mistakesIn(text).map(({ line }) => line),
    [2],
  )
})

for (const { name, text, marked } of corefileFixtures('broken')) {
  test(`${name} is refused in its line`, () => {
    assert.is(marked.length, 1)
    assert.equal(
      mistakesIn(text).map(({ line }) => line),
      marked,
    )
  })
}

test('snippets that double are stopped', () => {
  const doubling = Array.from(
    { length: 40 },
    (_, i) => `(s${i + 1}) {\nimport s${i}\nimport s${i}\n}\n`,
  )
  const text = `(s0) {\nlog\nerrors\n}\n${doubling.join('')}a {\nimport s40\n}\n`
  assert.is(mistakesIn(text).length, 1)
})

test('a large snippet that is imported again and again is stopped', () => {
  const text = `(s) {\n${'x y z\n'.repeat(20_000)}}\na {\n${'import s\n'.repeat(900)}}\n`
  assert.match(mistakesIn(text)[0]?.message ?? '', 'more than 100000 words')
})

test('a text longer than a ConfigMap is refused', () => {
  assert.match(mistakesIn('#'.repeat((1 << 20) + 1))[0]?.message ?? '', 'longer than')
})

test('a long line of brackets takes no time', () => {
  for (const text of [`import ${'['.repeat(1e6)}`, '"'.repeat(1e6), `${'(,'.repeat(5e5)}`]) {
    const startMs = performance.now()
    parseCorefile(text)
    assert.ok(performance.now() - startMs < 2000)
  }
})

const words = fc.constantFrom(
  ...[
    '.',
    '.:53',
    'a.example',
    'a,',
    '{',
    '}',
    '{\n',
    '\n}\n',
    '\n',
    ' ',
    '#',
    '"',
    '\\',
    '(s) {\n',
    '(s)',
  ],
  ...[
    'import',
    'import s\n',
    'import x*\n',
    'log',
    'hosts {\n',
    '{$X}',
    ':',
    '10.0.0.0/9',
    '\r',
    '\u0085',
  ],
)
test('any text ends in blocks or in a problem with a line of the text', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words).map((some) => some.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const lines = text.split('\n').length
      const parsed = parseCorefile(text)
      const places = parsed.ok ? parsed.blocks : parsed.problems
      assert.ok(parsed.ok || parsed.problems.length > 0)
      assert.ok(places.every(({ line }) => line >= 1 && line <= lines))
    }),
    { numRuns: 3000 },
  )
})

function read(text: string): Corefile {
  const parsed = parseCorefile(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed
}

function mistakesIn(text: string): readonly { line: number; message: string }[] {
  const parsed = parseCorefile(text)
  return parsed.ok ? [] : parsed.problems
}

function blockText({ labels, directives }: Corefile['blocks'][number]): string {
  const head = `${labels.map((label) => label.text).join(' ')}:`
  return [head, directives.map(directiveText).join('; ')].filter((part) => part !== '').join(' ')
}

function directiveText({ name, args, block }: CorefileDirective): string {
  const parts = [name, ...args].map((word) => (/^$|\s/.test(word) ? `[${word}]` : word))
  return [...parts, ...(block ? [`<${block.map(directiveText).join('; ')}>`] : [])].join(' ')
}

test.run()
