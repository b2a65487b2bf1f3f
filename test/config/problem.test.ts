/** Goal: a mistake is one line that begins with its place. Method: parts in, line out. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatProblem, pathText } from '../../src/config/problem.ts'

const test = suite('config/problem')

test('place, setting and message; a part that is missing leaves no colon', () => {
  const where = 'n.yaml:3:1'
  assert.is(formatProblem({ where, path: 'io', message: 'm' }), 'n.yaml:3:1: io: m')
  assert.is(formatProblem({ where, path: '', message: 'm' }), 'n.yaml:3:1: m')
  assert.is(formatProblem({ where: '', path: '', message: 'm' }), 'm')
})

test('what a file says cannot steer the terminal', () => {
  const line = formatProblem({
    where: 'n.yaml:1:1',
    path: '\u001b[31mred\u202e',
    message: 'é\u009b\n',
  })
  assert.is(line, 'n.yaml:1:1: \\u{1b}[31mred\\u{202e}: é\\u{9b}\\u{a}')
})

test('a path is written as in the documentation', () => {
  assert.is(pathText([]), '')
  assert.is(pathText(['cache', 'prefetch', 'hitsMin']), 'cache.prefetch.hitsMin')
  assert.is(pathText(['zones', 0, 'upstreams', 12]), 'zones[0].upstreams[12]')
  assert.is(pathText([0, 'a']), '[0].a')
})

test.run()
