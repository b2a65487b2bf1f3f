// Goal: neardns knows when it is started in the place of node-cache. Method: names and arguments.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeCacheArguments } from '../../src/nodelocal/program.ts'

const test = suite('nodelocal/program')

test('the verb, the name of the program, and the arguments of a manifest mean node-cache', () => {
  const argv = ['-localip', '169.254.7.7']
  assert.equal(nodeCacheArguments('main.js', ['node-cache', ...argv]), argv)
  assert.equal(nodeCacheArguments('node-cache', []), [])
  assert.equal(nodeCacheArguments('main.js', argv), argv)
  const odd = ['-forwardonexit=false', '--localip=169.254.7.7']
  assert.equal(nodeCacheArguments('main.js', odd), odd)
})

test("neardns's own arguments do not", () => {
  for (const argv of [
    [],
    ['run'],
    ['--listen', '127.0.0.1:53'],
    ['run', '-localip'],
    ['--version'],
  ]) {
    assert.is(nodeCacheArguments('main.js', argv), undefined, argv.join(' '))
  }
})

test.run()
