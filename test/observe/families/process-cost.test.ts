/** Goal: the cost of a process is published in the units of Prometheus. Method: given numbers, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { costFamilies } from '../../../src/observe/families/process-cost.ts'
import { scrapeOf, seriesIn } from '../support.ts'

const test = suite('observe/families/process-cost')

test('CPU time is in seconds, in two parts and their sum; memory in bytes', async () => {
  const cpu = { user: 1_500_000, system: 250_000 }
  const scraped = await scrapeOf(costFamilies({ cpu: () => cpu, rssBytes: () => 77 }))
  for (const [name, value] of [
    ['process_cpu_seconds_total', 1.75],
    ['process_cpu_user_seconds_total', 1.5],
    ['process_cpu_system_seconds_total', 0.25],
    ['process_resident_memory_bytes', 77],
  ] as const) {
    assert.equal(seriesIn(scraped, name), [[{}, value]], name)
  }
})

test('the start is that of this process, and stays', async () => {
  const families = costFamilies({ cpu: () => process.cpuUsage(), rssBytes: () => 0 })
  const start = async () =>
    seriesIn(await scrapeOf(families), 'process_start_time_seconds')[0]?.[1] ?? 0
  const first = await start()
  assert.ok(Math.abs(first - (Date.now() / 1000 - process.uptime())) < 2, String(first))
  assert.is(await start(), first)
})

test('memory that the system does not tell is left out, not 0', async () => {
  const cpu = { user: 1, system: 1 }
  const scraped = await scrapeOf(costFamilies({ cpu: () => cpu, rssBytes: () => undefined }))
  assert.equal(seriesIn(scraped, 'process_resident_memory_bytes'), [])
  assert.is(seriesIn(scraped, 'process_start_time_seconds').length, 1)
})

test.run()
