/**
 * What the supervisor says of its own process on the common page: what it costs. Written by hand, in the form of metrics.ts, because a
 * registry would cost more than all of it.
 */

export function supervisorText(): string {
  const { user, system } = process.cpuUsage()
  const startSeconds = Math.round(Date.now() / 1000 - process.uptime())
  return [
    ...lines('process_cpu_seconds_total', 'counter', (user + system) / 1e6),
    ...lines('process_cpu_user_seconds_total', 'counter', user / 1e6),
    ...lines('process_cpu_system_seconds_total', 'counter', system / 1e6),
    ...lines('process_start_time_seconds', 'gauge', startSeconds),
    ...lines('process_resident_memory_bytes', 'gauge', process.memoryUsage.rss()),
    '',
  ].join('\n')
}

function lines(name: string, kind: 'counter' | 'gauge', value: number): string[] {
  return [`# TYPE ${name} ${kind}`, `${name} ${value}`]
}
