/** Publishes what a process costs: CPU time and resident memory since its start. The supervisor has no other family. */
import { type Family, family, single } from './family.ts'

/** Both are called at each scrape. */
export interface CostSources {
  /** Since the start, microseconds. */
  cpu(): NodeJS.CpuUsage
  /** Undefined where the system does not tell: then there is no sample. */
  rssBytes(): number | undefined
}

export function costFamilies({ cpu, rssBytes }: CostSources): Family[] {
  const startSeconds = Math.round(Date.now() / 1000 - process.uptime())
  return [
    single('counter', ['process_cpu_seconds_total', 'CPU time spent, user and system.'], () => {
      const { user, system } = cpu()
      return (user + system) / 1e6
    }),
    single('counter', ['process_cpu_user_seconds_total', 'CPU time spent in user mode.'], () => {
      return cpu().user / 1e6
    }),
    single('counter', ['process_cpu_system_seconds_total', 'CPU time spent in the kernel.'], () => {
      return cpu().system / 1e6
    }),
    single(
      'gauge',
      ['process_start_time_seconds', 'Start of the process, seconds since 1970.'],
      () => startSeconds,
    ),
    family('gauge', ['process_resident_memory_bytes', 'Resident memory.'], [], () => {
      const value = rssBytes()
      return value === undefined ? [] : [{ labels: {}, value }]
    }),
  ]
}
