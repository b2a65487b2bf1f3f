/*
 * Goal: what the daemon's own metrics say is wrong is found, with its cause and what to do; a healthy daemon gets ticks only. Method: two
 * pages of a healthy daemon, and one fault after the other planted in the second.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ExpositionReading } from '../../../src/cli/doctor/exposition-reading.ts'
import { growingCounters } from '../../../src/cli/doctor/growing-counters.ts'
import { metricFindings } from '../../../src/cli/doctor/metric-findings.ts'

const test = suite('cli/doctor/metric-findings')
const nowSeconds = 1_800_000_000

const healthy = `coredns_dns_requests_total{server="x"} 5
process_start_time_seconds ${nowSeconds - 3600}
process_resident_memory_bytes 73400320
neardns_memory_limit_bytes 134217728
neardns_upstream_up{group="cluster",to="10.96.0.11:53",proto="tcp"} 1
neardns_interception_active{address="169.254.20.10",role="own"} 1
neardns_interception_standby_targets 2
neardns_interception_troubles_total{kind="rules_flushed"} 0
neardns_config_last_reload_successful 1
neardns_search_breakers_open 0
nodejs_eventloop_lag_max_seconds 0.001
neardns_workers 2
neardns_workers_ready 2
neardns_udp_receive_drops_total{server="x"} 0
`

function findings(changed: (page: string) => string, notReady: readonly string[] = []) {
  const before = new ExpositionReading(healthy)
  return metricFindings({
    before,
    after: new ExpositionReading(changed(healthy)),
    notReady,
    nowSeconds,
  })
}

const set = (line: string) => (page: string) => {
  const name = line.slice(0, line.lastIndexOf(' '))
  const rest = page.split('\n').filter((one) => !one.startsWith(`${name} `))
  return [...rest, line, ''].join('\n')
}

test('a healthy daemon gets ticks only', () => {
  const found = findings((page) => page)
  assert.equal(
    found.filter(({ state }) => state !== 'ok'),
    [],
  )
  assert.ok(found.length >= 4)
})

test('hits in the kernel: on and where, off and why, and nothing where nobody asked for them', () => {
  const said = (...lines: string[]) =>
    findings((page) => `${page}${lines.join('\n')}\n`)
      .filter(({ about }) => about === 'kernel hits')
      .map(({ state, what }) => `${state} ${what}`)
  const off = (reason: string) => `neardns_kernel_hits_off{reason="${reason}"} 1`
  assert.equal(said(off('mode')), [])
  assert.equal(said(off('kernel')), ['note off: the kernel is older than 6.6'])
  const at = (state: string, n: number) => `neardns_kernel_hits_interfaces{state="${state}"} ${n}`
  const on = ['neardns_kernel_hits_on 1', 'neardns_kernel_hits_entries 7']
  assert.equal(said(...on, at('attached', 2), at('policy', 0)), [
    'ok the kernel answers itself, from 7 answers',
  ])
  assert.equal(said(...on, at('attached', 0), at('policy', 3)), [
    'note on, but at no interface',
    'note interfaces are left alone: a network policy may be enforced on this node',
  ])
})

const planted: [line: string, says: RegExp, next: RegExp][] = [
  [
    'coredns_dns_requests_total{server="x"} 0',
    /none has come in 60 minutes.*pods ask another address/,
    /clusterIps/,
  ],
  [
    'process_resident_memory_bytes 130000000',
    /124 MiB resident of a limit of 128 MiB.*too small/,
    /memory: 256Mi/,
  ],
  [
    'neardns_upstream_up{group="cluster",to="10.96.0.11:53",proto="tcp"} 0',
    /10\.96\.0\.11:53 \(cluster\): neardns avoids it/,
    /dig @10\.96\.0\.11/,
  ],
  [
    'neardns_interception_active{address="169.254.20.10",role="own"} 0',
    /169\.254\.20\.10: queries go to CoreDNS/,
    /rules show/,
  ],
  [
    'neardns_interception_standby_targets 0',
    /lead to nobody.*no CoreDNS pod is known/,
    /standbyTo/,
  ],
  ['neardns_config_last_reload_successful 0', /the newest one was refused/, /validate/],
  ['neardns_search_breakers_open 1', /1 kinds of denial are off/, /carveOuts/],
  [
    'nodejs_eventloop_lag_max_seconds 0.8',
    /800 ms late within the last second.*short of CPU/,
    /cpu/,
  ],
  ['neardns_workers_ready 1', /1 of 2 are ready/, /log/],
]
for (const [line, says, next] of planted) {
  test(`${line.replace(/\{.*\}/, '')} is found, with cause and cure`, () => {
    const faults = findings(set(line)).filter(({ state }) => state === 'fault')
    assert.is(faults.length, 1, JSON.stringify(faults))
    assert.match(`${faults[0]?.what}: ${faults[0]?.cause}`, says)
    assert.match(faults[0]?.next ?? '', next)
  })
}

for (const { metric, label, about } of growingCounters) {
  const labels = label === undefined ? '{server="y"}' : `{${label[0]}="${label[1]}"}`
  test(`${metric}${labels} that grows is a fault, and one that has grown is told`, () => {
    const line = `${metric}${labels} 3`
    const faults = findings(set(line)).filter(({ state }) => state === 'fault')
    assert.equal(
      faults.map((one) => one.about),
      [about],
    )
    assert.match(faults[0]?.what ?? '', /\b3\b.* just now$/)
    const page = new ExpositionReading(set(line)(healthy))
    const later = metricFindings({ before: page, after: page, notReady: [], nowSeconds })
    assert.equal(
      later.filter(({ state }) => state !== 'ok').map(({ state, about: of }) => [state, of]),
      [['note', about]],
    )
  })
}

test('each part that is not ready is told with its cause', () => {
  const lines = [
    'udp 127.0.0.1:53: waiting for the socket',
    'self-query: no answer',
    'interception: not renewed',
  ]
  const faults = findings((page) => page, lines).filter(({ about }) => about === 'ready')
  assert.equal(
    faults.map(({ what }) => what),
    lines,
  )
  assert.match(faults[0]?.next ?? '', 'ss -lunp')
  assert.match(faults[1]?.cause ?? '', 'short of CPU')
  assert.match(faults[2]?.cause ?? '', 'pods ask CoreDNS meanwhile')
})

test('a young daemon without a query is no fault', () => {
  const young = (page: string) =>
    set(`process_start_time_seconds ${nowSeconds - 20}`)(
      set('coredns_dns_requests_total{server="x"} 0')(page),
    )
  assert.equal(
    findings(young)
      .filter(({ state }) => state !== 'ok')
      .map(({ state }) => state),
    ['note'],
  )
})

test.run()
