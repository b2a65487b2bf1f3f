/** Goal: what dnsperf reports is read whole or not at all. Method: outputs of dnsperf 2.10 and parts of them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readReport } from '../../bench/support/dnsperf.ts'

const test = suite('bench/dnsperf')

const statistics = `
Statistics:

  Queries sent:         2001
  Queries completed:    1999 (99.90%)
  Queries lost:         2 (0.10%)

  Response codes:       NOERROR 1500 (75.04%), NXDOMAIN 499 (24.96%)
  Average packet size:  request 33, response 64
  Run time (s):         2.000242
  Queries per second:   999.379015
`
const queries = Array.from(
  { length: 100 },
  (_, i) => `> NOERROR w${i}.example.test A 0.000${String(i + 100)}`,
).join('\n')

test('counts, rate and response codes are read', () => {
  const { sent, completed, lost, seconds, queriesPerSecond, rcodes, latencies } =
    readReport(statistics)
  assert.equal([sent, completed, lost], [2001, 1999, 2])
  assert.equal([seconds, queriesPerSecond], [2.000242, 999.379015])
  assert.equal(rcodes, { NOERROR: 1500, NXDOMAIN: 499 })
  assert.is(latencies, undefined)
})

test('latencies of single queries become percentiles in microseconds', () => {
  const { latencies } = readReport(`${queries}\n${statistics}`)
  assert.equal(latencies, { p50Us: 149, p99Us: 198, p999Us: 199, maxUs: 199 })
})

test('a report without statistics is an error', () => {
  assert.throws(() => readReport('[Error] unable to bind'), /dnsperf did not report/)
})

test.run()
