/** Goal: parameters of calls become what they mean, and every mistake is one line. Method: query strings. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readSelection, readWhole } from '../../../src/daemon/operator/params.ts'
import { name } from '../../fixtures/packets/octets.ts'

const test = suite('daemon/operator/params')

const read = (text: string) => readSelection(new URLSearchParams(text))

test('a name alone, a subtree, a type, denials, everything', () => {
  const wire = name('www.example').toString('latin1')
  const plain = { name: undefined, hasSubtree: true, qtype: undefined, isNegativeOnly: false }
  const cases: [string, object | undefined][] = [
    ['name=WWW.example', { ...plain, name: wire, hasSubtree: false }],
    ['under=www.example.&type=aaaa', { ...plain, name: wire, qtype: 28 }],
    ['negative', { ...plain, isNegativeOnly: true }],
    ['type=TYPE65', { ...plain, qtype: 65 }],
    ['all', plain],
    ['', undefined],
    ['limit=3', undefined],
  ]
  for (const [text, value] of cases) assert.equal(read(text), { ok: true, value }, text)
})

for (const text of ['name=', 'name=a..b', 'under=%00%00..', 'type=NOTYPE', 'nmae=x']) {
  test(`${text} is a mistake in one line`, () => {
    const result = read(text)
    assert.not(result.ok)
    if (!result.ok) assert.not.match(result.why, '\n')
  })
}

test('a number is whole and within its bounds', () => {
  const bounds = { min: 1, max: 10, fallback: 5 }
  const whole = (text: string) => readWhole(new URLSearchParams(text), 'n', bounds)
  assert.equal(
    [whole(''), whole('n=10')].map((one) => one.ok && one.value),
    [5, 10],
  )
  for (const wrong of ['n=0', 'n=11', 'n=1.5', 'n=x', 'n=', 'n=-1', 'n=1e1'])
    assert.match(
      whole(wrong).ok ? '' : Object(whole(wrong)).why,
      /^n is ".*"; expected a whole number from 1 to 10$/,
    )
})

test.run()
