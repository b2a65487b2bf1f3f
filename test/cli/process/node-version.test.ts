// Goal: an old Node is told which one is needed. Method: versions against the line.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tooOldNode } from '../../../src/cli/process/node-version.ts'

const test = suite('cli/process/node-version')

test('a Node that is new enough will do', () => {
  for (const version of ['26.4.0', '26.10.0', '27.0.0', process.versions.node]) {
    assert.is(tooOldNode(version, '>=26.4'), undefined, version)
  }
})

test('an older one is told the version that is needed', () => {
  for (const version of ['26.3.9', '25.9.0', '22.18.0', '20.20.2']) {
    assert.match(
      tooOldNode(version, '>=26.4') ?? '',
      `needs Node 26.4 or newer, and this is ${version}`,
    )
  }
})

test.run()
