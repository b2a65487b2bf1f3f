// Goal: doctor knows every metric whose growth the documents call a symptom, and no metric that does not exist.
// Method: the list "Metrics that grow" of docs/operations.md and the generated docs/metrics.md.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { growingCounters } from '../../../src/cli/doctor/growing-counters.ts'

const test = suite('cli/doctor/growing-counters')
const read = (name: string) =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

/** Seen otherwise: in /proc, or as a gauge. */
const elsewhere = ['conntrack_full', 'neardns_config_last_reload_successful']

test('each symptom of the documents is looked for', () => {
  const [, list = ''] = /### Metrics that grow\n([\s\S]*?)\n## /.exec(read('operations.md')) ?? []
  const symptoms = list.split(/\n- /).map((item) => item.slice(0, item.indexOf('**:')))
  assert.ok(symptoms.length > 9, String(symptoms.length))
  const known = growingCounters.flatMap(({ metric, label }) =>
    label === undefined ? [metric] : [label[1]],
  )
  const missed = symptoms.filter(
    (text) => ![...known, ...elsewhere].some((name) => text.includes(name)),
  )
  assert.equal(
    missed.filter((text) => text.trim() !== ''),
    [],
  )
})

test('each metric exists', () => {
  const metrics = read('metrics.md')
  const unknown = growingCounters.filter(({ metric }) => !metrics.includes(`\`${metric}\``))
  assert.equal(unknown, [])
})

test('no advice leans on the order of the lines: those of upstreams come after those of counters', () => {
  const leaning = growingCounters.filter(({ next }) => /above|below/.test(next ?? ''))
  assert.equal(leaning, [])
})

test.run()
