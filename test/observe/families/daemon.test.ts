/** Goal: the daemon's own numbers, and CoreDNS's names that are constant here, are published. Method: given numbers, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newHealthSlots } from '../../../src/observe/families/all.ts'
import { sampleOf } from '../../support/exposition.ts'
import { scrape, seriesIn, server, sourcesWith } from '../support.ts'

const test = suite('observe/families/daemon')

test('reloads are counted, and the hash of the configuration is a label', async () => {
  const reload = {
    succeeded: 4,
    failed: 2,
    isLastGood: false,
    appliedSeconds: 1234,
    hash: 'c0ffee',
  }
  const scraped = await scrape(sourcesWith({ reload: () => reload }))
  for (const [name, value] of [
    ['neardns_config_last_reload_successful', 0],
    ['neardns_config_last_reload_success_timestamp_seconds', 1234],
    ['neardns_config_reloads_total', 4],
    ['coredns_reload_failed_total', 2],
  ] as const) {
    assert.equal(seriesIn(scraped, name), [[{}, value]], name)
  }
  // CoreDNS has the name of the hash function in `hash` and the hash in `value`.
  assert.equal(seriesIn(scraped, 'coredns_reload_version_info'), [
    [{ hash: 'sha512', value: 'c0ffee' }, 1],
  ])
})

test('the time that /health took is a histogram, absent before the first request', async () => {
  const name = 'coredns_health_request_duration_seconds'
  const healthSlots = newHealthSlots()
  assert.equal(seriesIn(await scrape(sourcesWith({ healthSlots })), name), [])
  healthSlots.set([3, 0, 1, 0, 0, 1, 9.5])
  const scraped = await scrape(sourcesWith({ healthSlots }))
  assert.equal(
    scraped.get(name)?.series.map((one) => [one.labels.get('le'), one.value]),
    [
      ['0.00025', 3],
      ['0.0025', 3],
      ['0.025', 4],
      ['0.25', 4],
      ['2.5', 4],
      ['+Inf', 5],
      [undefined, 9.5],
      [undefined, 5],
    ],
  )
})

test('defects, loops, lost log lines and readiness are published', async () => {
  const crossings = { joined: 5, fallback: 6, failed: 7, endless: 8 }
  const daemon = { defects: 1, loops: 2, selfChecks: 4, crossings, logLinesLost: 3, isReady: true }
  const scraped = await scrape(sourcesWith({ daemon: () => daemon }))
  for (const [name, value] of [
    ['coredns_panics_total', 1],
    ['neardns_loops_detected_total', 2],
    ['neardns_self_checks_total', 4],
    ['neardns_log_lines_lost_total', 3],
    ['neardns_ready', 1],
  ] as const) {
    assert.equal(seriesIn(scraped, name), [[{}, value]], name)
  }
  assert.equal(
    seriesIn(scraped, 'neardns_alias_crossings_total'),
    Object.entries(crossings).map(([result, value]) => [{ result }, value]),
  )
})

test('setup errors carry the types of NodeLocal DNSCache, and no other', async () => {
  const setupErrors = new Map([
    ['iptables', 6],
    ['something', 7],
  ])
  const scraped = await scrape(sourcesWith({ setupErrors: () => setupErrors }))
  assert.equal(
    seriesIn(scraped, 'coredns_nodecache_setup_errors_total').map(([labels, value]) => [
      labels['errortype'],
      value,
    ]),
    [
      ['configmap', 0],
      ['iptables', 6],
      ['iptables_lock', 0],
      ['interface_add', 0],
      ['interface_check', 0],
    ],
  )
})

test('plugins are on for every address and zone, but not for queries that could not be read', async () => {
  const scraped = await scrape(sourcesWith({}))
  const name = 'coredns_plugin_enabled'
  const cluster = { server, zone: 'cluster.local.', view: '', name: 'forward' }
  assert.is(sampleOf(scraped, name, cluster), 1)
  const zones = seriesIn(scraped, name).map(([labels]) => labels['zone'])
  assert.equal([...new Set(zones)], ['.', 'cluster.local.'])
  assert.is(zones.length, 16)
})

test.run()
