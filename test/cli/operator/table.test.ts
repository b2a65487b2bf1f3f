/** Goal: columns stand under their titles, and a line is never wider than the terminal. Method: tables of known widths. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fitted, tableLines } from '../../../src/cli/operator/table.ts'

const test = suite('cli/operator/table')

const columns = [{ title: 'NAME' }, { title: 'HITS', isNumber: true }]

test('texts stand at the left, numbers at the right', () => {
  const rows = [
    ['a.example.', '7'],
    ['b.', '12345'],
  ]
  assert.equal(tableLines(columns, rows, undefined), [
    'NAME         HITS',
    'a.example.      7',
    'b.          12345',
  ])
})

test('a long name loses its beginning, for its end tells more', () => {
  const long = `${'x'.repeat(80)}.example.`
  const lines = tableLines(columns, [[long, '1']], 40)
  assert.ok(lines.every((line) => line.length <= 40))
  assert.match(lines[1] ?? '', /^…x+\.example\. +1$/)
  assert.is(tableLines(columns, [[long, '1']], undefined)[1]?.startsWith(long), true)
  assert.is(fitted('abcdef', 4), '…def')
})

test.run()
