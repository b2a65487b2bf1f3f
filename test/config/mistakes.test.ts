/** Goal: a complaint says what was wrong and what would be right, in one line, whatever was written. Method: wrong values in, words out. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  booleanMistake,
  choiceMistake,
  listMistake,
  numberMistake,
  sectionMistake,
  textMistake,
  unknownKeyMistake,
} from '../../src/config/mistakes.ts'

const test = suite('config/mistakes')

const inMs = { min: 0, max: 10_000, unit: 'ms' }

/** What a text with a unit meant, in the unit of the setting; nothing where nobody can tell. */
const converted: readonly [unit: string, text: string, meant: number | undefined][] = [
  ['ms', '2s', 2000],
  ['ms', '1.5 s', 1500],
  ['ms', '1h', 3_600_000],
  ['ms', '250MS', 250],
  ['ms', '2d', undefined],
  ['seconds', '2d', 172_800],
  ['seconds', '0.5m', 30],
  ['seconds', '5ms', undefined],
  ['bytes', '1k', 1000],
  ['bytes', '1Ki', 1024],
  ['bytes', '2GiB', 2_147_483_648],
  ['percent', '50%', 50],
  ['entries', '5k', undefined],
  ['ms', '5', undefined],
  ['ms', '-5s', undefined],
  ['ms', '1.2345s', undefined],
  ['ms', '12345678901s', undefined],
]
for (const [unit, text, meant] of converted) {
  const hint = meant === undefined ? 'no number is suggested' : `write ${meant}`
  test(`${text} for a number of ${unit}: ${hint}`, () => {
    const said = numberMistake(text, { ...inMs, unit })
    assert.is(/; write (\d+)$/.exec(said)?.[1], meant === undefined ? undefined : String(meant))
    assert.ok(said.startsWith(`expected a whole number from 0 to 10000 (${unit}), got the text "`))
  })
}

test('a number is too small, too large, or none that can be counted with', () => {
  assert.match(numberMistake(-1, inMs), /^-1 is too small; allowed is/)
  assert.match(numberMistake(10_001, inMs), /^10001 is too large; allowed is/)
  for (const input of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.match(numberMistake(input, inMs), /^expected a whole number/, String(input))
  }
})

test('YAML 1.1 words for a switch are understood, and what they mean is said', () => {
  for (const [word, meant] of [
    ['yes', true],
    ['On', true],
    ['no', false],
    ['OFF', false],
  ] as const) {
    assert.is(
      booleanMistake(word),
      `expected true or false, got the text "${word}"; write ${meant}`,
    )
  }
  for (const input of ['maybe', '', 1, null]) {
    assert.not.match(booleanMistake(input), /write/, String(input))
  }
})

test('a choice that is nearly one is suggested', () => {
  const choices = ['fatal', 'error', 'warn']
  assert.match(choiceMistake('warning', choices), /did you mean warn\?$/)
  assert.not.match(choiceMistake('xyz', choices), /did you mean/)
  assert.not.match(choiceMistake(7, choices), /did you mean/)
})

test('a value is shown short, in one line, and without control characters', () => {
  const said = textMistake('a\nb\u001b[31m'.repeat(100), 'a name')
  assert.ok(said.length < 200, said)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  assert.not.match(said, /[\u0000-\u001f]/)
  assert.match(sectionMistake({ a: 1 }, ['x']), /got a section$/)
  assert.match(sectionMistake([1], ['x']), /got a list$/)
  assert.match(sectionMistake(null, ['x']), /got nothing$/)
})

test('a list that an address in brackets became is told how to be written; a single text too', () => {
  assert.match(textMistake(['::1'], 'an address'), /put an address with \[ \] in quotes$/)
  assert.match(listMistake('10.0.0.1', 'addresses'), /; write \["10\.0\.0\.1"\]$/)
  assert.match(
    listMistake('10.0.0.1, [fd00::1]:53 corp.example', 'addresses'),
    /; write \["10\.0\.0\.1", "\[fd00::1\]:53", "corp\.example"\]$/,
  )
  assert.match(
    listMistake('{{ .Name }} 60 IN A 10.0.0.1', 'answers'),
    /; write \["\{\{ \.Name \}\} 60 IN A 10\.0\.0\.1"\]$/,
  )
  assert.is(listMistake(undefined, 'addresses'), 'missing; expected a list of addresses')
  assert.is(textMistake(undefined, 'a name'), 'missing; expected a name')
})

test('an unknown setting: the one that was meant here, else where it belongs, else what there is', () => {
  const elsewhere = new Map([['serveStale', ['cache.serveStale', 'b.x', 'c.x', 'd.x']]])
  const keys = ['entriesMax', 'bytesMax']
  assert.match(unknownKeyMistake('entriesMx', keys, elsewhere), /did you mean entriesMax\?$/)
  assert.is(
    unknownKeyMistake('serveStale', keys, elsewhere),
    'unknown setting here; did you mean cache.serveStale or b.x or c.x?',
  )
  assert.match(unknownKeyMistake('frob', keys, elsewhere), /allowed here: entriesMax, bytesMax$/)
})

test('a long list of settings is cut', () => {
  const keys = Array.from({ length: 30 }, (_, i) => `setting${i}`)
  assert.match(sectionMistake(7, keys), /setting23, \.\.\., got 7$/)
})

test('words that every object has are words like any other', () => {
  for (const word of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const said = booleanMistake(word)
    assert.is(said, `expected true or false, got the text "${word}"`)
    const rule = { min: 1, max: 10, unit: word }
    for (const unit of ['ms', 'seconds', 'bytes', 'percent', word]) {
      assert.not.match(numberMistake(`5 ${word}`, { ...rule, unit }), /write/, unit)
    }
  }
})

test.run()
