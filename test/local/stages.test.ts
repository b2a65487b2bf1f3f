/** Goal: each local stage is in the list once, under a name and metrics of its own, and takes the settings it was made from. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { unlimited } from '../../src/local/bounded.ts'
import { makeLocalStages } from '../../src/local/stages.ts'
import { Bench, Client } from '../pipeline/support.ts'
import { writeQuery } from '../support/client/dns-message.ts'

const test = suite('local/stages')

function outlook(text: string) {
  const read = loadConfig({ file: { name: 'test.yaml', text } })
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  const common = { claimed: [], unserved: [], unservedRcode: 'nxdomain' } as const
  return { settings: read.config, ...common, limitsOf: () => unlimited, textOf: () => '' }
}

test('no two local stages, and no two of their metrics, have the same name', () => {
  const stages = makeLocalStages(outlook('{}'))
  const names = stages.map(({ name }) => name)
  const metrics = stages.flatMap((stage) => stage.families().map(({ name }) => name))
  assert.ok(names.length > 0)
  assert.equal([new Set(names).size, new Set(metrics).size], [names.length, metrics.length])
})

test('the stages of the list answer as the settings say, and as later settings say', () => {
  const local = makeLocalStages(outlook('specialUse: { invalid: true }'))
  const bench = new Bench({ local })
  const rcode = () => bench.handle(writeQuery('a.invalid', 'A'), new Client())?.rcode
  assert.is(rcode(), 3)
  for (const stage of local) stage.reconfigure(outlook('specialUse: { invalid: false }'))
  assert.is(rcode(), undefined, 'an upstream is asked')
  assert.is(bench.asked.length, 1)
})

test.run()
