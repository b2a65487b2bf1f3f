/** Goal: expressions are RE2's, and take linear time. Method: the engine as it is loaded; an expression that takes a backtracker for ever. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePattern, loadPatternEngine } from '../../../src/local/pattern/engine.ts'
import { parsePatternText, patternIssues, patternsIn } from '../../../src/local/pattern/pattern.ts'

const test = suite('local/pattern/pattern')

test('all expressions of a configuration are found and checked, wherever something else is wrong', async () => {
  const compile = await loadPatternEngine()
  const config = { templates: [1, { match: 'x' }, { match: ['a', 2, '(b'] }] }
  assert.equal(
    patternsIn(config).map(({ value }) => value),
    ['a', '(b'],
  )
  const issues = patternIssues(config, compile)
  assert.equal(
    issues.map(({ path }) => path),
    [['templates', 2, 'match', 2]],
  )
  assert.match(issues[0]?.message ?? '', /"\(b" is no regular expression.*missing closing \)/)
  assert.equal(patternsIn({}), [])
})

test('groups are found by number and name', async () => {
  await loadPatternEngine()
  const pattern = compilePattern('^(?P<n>[0-9]+)(x)?[.]')
  assert.equal(pattern.match('12.example.'), ['12.', '12', ''])
  assert.equal(pattern.groupNames, ['', 'n', ''])
  assert.is(pattern.match('x.example.'), undefined)
  assert.throws(() => compilePattern('(a'))
})

test('what RE2 leaves out is refused, and so is a text that is too long', async () => {
  const compile = await loadPatternEngine()
  for (const text of ['(?=a)', '(a)\\1']) assert.is(compile(text).ok, false, text)
  assert.equal([parsePatternText('a').ok, parsePatternText('a'.repeat(10_001)).ok], [true, false])
})

test('a name that sends a backtracker through 2^60 ways takes no time', async () => {
  await loadPatternEngine()
  const pattern = compilePattern('^(?:a+)+$')
  const name = `${'a'.repeat(60)}.`
  const before = process.cpuUsage().user
  for (let i = 0; i < 100; i++) assert.is(pattern.test(name), false)
  assert.ok(process.cpuUsage().user - before < 5_000_000)
})

test.run()
