/** What the supervisor adds to the common page about its own process: what it costs. It has no other metric. */
import { readResidentBytes } from '../platform/process-memory.ts'
import { type FamilyReading, readFamily } from './exposition.ts'
import { costFamilies } from './families/process-cost.ts'
import { inOneGo } from './time-slices.ts'

export function supervisorReadings(): readonly FamilyReading[] {
  const cpu = process.cpuUsage()
  const families = costFamilies({ cpu: () => cpu, rssBytes: () => readResidentBytes() })
  return families.map((family) => inOneGo(readFamily(family)))
}
