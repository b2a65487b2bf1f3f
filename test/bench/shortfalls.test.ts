/** Goal: a bar that is not met is explained, one that is met is not. Method: verdicts made by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { shortfallsText } from '../../bench/report/shortfalls.ts'
import { judge } from '../../bench/support/bars.ts'

const test = suite('bench/shortfalls')

function firstAnswer(measured: number | undefined) {
  const what = 'first answer after exec, median'
  return judge({ what, unit: 'ms', isAtMost: true, bar: 250, measured })
}

test('only what is not met is explained', () => {
  assert.is(shortfallsText([firstAnswer(200), firstAnswer(undefined)], {}), '')
  const text = shortfallsText([firstAnswer(300)], {})
  assert.match(
    text,
    /^Where the time goes.*\n\n- first answer after exec, median: Node boots twice/,
  )
})

test('a bar that nobody has explained yet is left out', () => {
  const bar = { what: 'a new one', unit: 'ms', isAtMost: true, bar: 1, measured: 2 } as const
  assert.is(shortfallsText([judge(bar)], {}), '')
})

test.run()
