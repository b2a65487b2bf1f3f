/** Goal: the supervisor shows its own cost, under the names and help texts of a worker. Method: compared with the families of a worker. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expositionOf } from '../../src/observe/exposition.ts'
import { allFamilies, emptySources } from '../../src/observe/families/all.ts'
import { supervisorReadings } from '../../src/observe/supervisor-readings.ts'
import { readExposition, sampleOf } from '../support/exposition.ts'

const test = suite('observe/supervisor-readings')

test('the numbers are those of this process', async () => {
  const page = readExposition((await expositionOf(supervisorReadings())).body)
  const { user, system } = process.cpuUsage()
  const seconds = sampleOf(page, 'process_cpu_seconds_total')
  assert.ok(seconds > 0 && seconds <= (user + system) / 1e6, String(seconds))
  const parts = ['user', 'system'].map((kind) =>
    sampleOf(page, `process_cpu_${kind}_seconds_total`),
  )
  assert.ok(Math.abs(seconds - (parts[0] ?? 0) - (parts[1] ?? 0)) < 1e-9)
  assert.ok(sampleOf(page, 'process_resident_memory_bytes') > 10_000_000)
  const startedSeconds = sampleOf(page, 'process_start_time_seconds')
  assert.ok(Math.abs(startedSeconds - (Date.now() / 1000 - process.uptime())) < 2)
})

test('every family is one of a worker, with the same kind and help text', () => {
  const families = allFamilies(emptySources())
  const readings = supervisorReadings()
  assert.is(readings.length, 5)
  for (const { name, kind, help } of readings) {
    const same = families.find((family) => family.name === name)
    assert.equal([kind, help], [same?.kind, same?.help], name)
  }
})

test.run()
