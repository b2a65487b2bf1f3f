/** Goal: a flag takes the numbers that it says, and a mistake tells which. Method: every numeric flag of every verb, with values around its bounds. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readArguments } from '../../../src/cli/command-line/arguments.ts'
import type { VerbDefinition } from '../../../src/cli/command-line/definition.ts'
import { wrongNumber } from '../../../src/cli/command-line/number-flag.ts'
import { verbs } from '../../../src/cli/command-line/verbs.ts'

const test = suite('cli/command-line/number-flag')

/** How flags that take a number call it. */
const numeric = /^(?:N|MS|SECONDS|PORT)$/

for (const verb of verbs as readonly VerbDefinition<(typeof verbs)[number]['name']>[]) {
  for (const [name, { value = '', number }] of Object.entries(verb.flags)) {
    if (!numeric.test(value)) continue
    test(`${verb.name} ${name}`, () => {
      assert.ok(number !== undefined, 'its bounds are declared')
      const { min, max, isFraction = false } = number
      const words = verb.words.flatMap(({ isOptional, choices }) =>
        isOptional === true ? [] : [Object.keys(choices ?? { a: '' })[0] ?? 'a'],
      )
      const read = (text: string) => readArguments(verb.name, [...words, `${name}=${text}`])
      for (const text of ['-1', 'x', '1e1', '0x1', '1,5', 'NaN', 'Infinity', String(max + 1)]) {
        const mistake = read(text)
        const what = `${isFraction ? '' : 'whole '}number from ${min} to ${max}`
        assert.equal(mistake, { ok: false, why: `${name} ${text}: it takes a ${what}` })
      }
      assert.is(read(String(max - 0.5)).ok, isFraction)
      for (const right of [min, max]) {
        const taken = read(String(right))
        assert.is(taken.ok && taken.number(name), right)
      }
      const without = readArguments(verb.name, words)
      assert.is(without.ok && without.number(name), undefined)
    })
  }
}

test('zero below a bound of 0.2 is refused', () => {
  const rule = { min: 0.2, max: 60, isFraction: true }
  assert.is(wrongNumber('--every', '0', rule), '--every 0: it takes a number from 0.2 to 60')
  assert.is(wrongNumber('--every', '0.5', rule), undefined)
})

test.run()
