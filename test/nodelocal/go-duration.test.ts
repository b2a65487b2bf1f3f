// Goal: times are read as Go reads them, and -syncinterval as it was meant. Method: the forms seen in manifests, and refusals.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseGoDuration, parseSyncInterval } from '../../src/nodelocal/go-duration.ts'

const test = suite('nodelocal/go-duration')

test('durations of Go become nanoseconds', () => {
  const cases: [string, number | undefined][] = [
    ['1ns', 1],
    ['60ns', 60],
    ['1.5s', 1.5e9],
    ['1h2m3s', 3723e9],
    ['300µs', 3e5],
    ['.5m', 30e9],
    ['-2s', -2e9],
    ['0', 0],
    ['5', undefined],
    ['', undefined],
    ['-', undefined],
    ['1x', undefined],
    ['s', undefined],
    ['1s2', undefined],
  ]
  for (const [text, expected] of cases) assert.is(parseGoDuration(text), expected, text)
})

test('nanoseconds of -syncinterval are seconds, and so is a bare number', () => {
  const cases: [string, number | undefined][] = [
    ['1ns', 1],
    ['60ns', 60],
    ['60', 60],
    ['60s', 60],
    ['10m', 600],
    ['0', 1],
    ['-1s', undefined],
    ['soon', undefined],
  ]
  for (const [text, expected] of cases) assert.is(parseSyncInterval(text), expected, text)
})

test.run()
