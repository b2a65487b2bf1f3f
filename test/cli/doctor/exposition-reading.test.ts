// Goal: a page of metrics is read by name and labels. Method: lines as the daemon writes them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ExpositionReading } from '../../../src/cli/doctor/exposition-reading.ts'

const test = suite('cli/doctor/exposition-reading')
const reading = new ExpositionReading(`# HELP a_total Text {x="y"} 1
# TYPE a_total counter
a_total{server="dns://127.0.0.1:53",zone="."} 3
a_total{server="dns://[::1]:53",zone="a\\"b"} 4
b 1.5
`)

test('samples have their labels', () => {
  assert.equal(reading.all('a_total'), [
    { labels: { server: 'dns://127.0.0.1:53', zone: '.' }, value: 3 },
    { labels: { server: 'dns://[::1]:53', zone: 'a"b' }, value: 4 },
  ])
})

test('sums go over all labels, and a metric that is not there has none', () => {
  assert.is(reading.sum('a_total'), 7)
  assert.is(reading.sum('b'), 1.5)
  assert.is(reading.sum('c'), undefined)
  assert.equal(reading.all('c'), [])
})

test.run()
