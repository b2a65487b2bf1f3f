/**
 * Publishes the process: the `process_*` and `nodejs_*` families that Prometheus users expect, with the names of prom-client's default
 * metrics. There is no `go_*`: this is not Go, and invented numbers would mislead.
 */
import { getHeapStatistics } from 'node:v8'
import type { LoopDelay } from '../loop-delay.ts'
import { gcBoundsSeconds, type RuntimeStats } from '../runtime-stats.ts'
import type { ProcessFacts } from '../stats.ts'
import { boundsOf, type Family, family, histogram, histogramSamples, single } from './family.ts'
import { costFamilies } from './process-cost.ts'

const gcBounds = boundsOf(gcBoundsSeconds)

export function processFamilies(runtime: RuntimeStats, facts: ProcessFacts): Family[] {
  return [
    ...standardFamilies(runtime),
    ...memoryFamilies(runtime, facts),
    ...loopFamilies(runtime),
    histogram(['nodejs_gc_duration_seconds', 'Garbage collections by kind.'], ['kind'], () =>
      [...runtime.gc].flatMap(([kind, slots]) => histogramSamples({ kind }, gcBounds, slots)),
    ),
    info('nodejs_version_info', 'Version of Node.', { version: process.version }),
    info('coredns_build_info', 'Version of this program; `goversion` holds the version of Node.', {
      version: `neardns-${facts.version}`,
      revision: facts.revision,
      goversion: `node${process.versions.node}`,
    }),
    info('neardns_build_info', 'Version of this program.', {
      version: facts.version,
      revision: facts.revision,
      node: process.versions.node,
    }),
  ]
}

function standardFamilies(runtime: RuntimeStats): Family[] {
  return [
    ...costFamilies({ cpu: () => runtime.cpu, rssBytes: () => runtime.memory.rss }),
    single('gauge', ['process_open_fds', 'Open file descriptors.'], () => runtime.openDescriptors),
    single('gauge', ['process_max_fds', 'File descriptors allowed.'], () => runtime.maxDescriptors),
  ]
}

function memoryFamilies(runtime: RuntimeStats, facts: ProcessFacts): Family[] {
  return [
    single(
      'gauge',
      ['nodejs_heap_size_total_bytes', 'V8 heap reserved.'],
      () => runtime.memory.heapTotal,
    ),
    single(
      'gauge',
      ['nodejs_heap_size_used_bytes', 'V8 heap used.'],
      () => runtime.memory.heapUsed,
    ),
    single(
      'gauge',
      [
        'nodejs_external_memory_bytes',
        'Memory outside the V8 heap that V8 keeps alive, buffers included.',
      ],
      () => runtime.memory.external,
    ),
    single(
      'gauge',
      ['neardns_array_buffers_bytes', 'Buffers, part of the external memory.'],
      () => {
        return runtime.memory.arrayBuffers
      },
    ),
    single('gauge', ['neardns_heap_limit_bytes', 'Heap size at which V8 gives up.'], () => {
      return getHeapStatistics().heap_size_limit
    }),
    single(
      'gauge',
      ['neardns_memory_limit_bytes', 'Limit of the memory cgroup; 0 when there is none.'],
      () => facts.memoryLimitBytes,
    ),
  ]
}

function loopFamilies(runtime: RuntimeStats): Family[] {
  // Collecting the first family empties the histogram. The others show the same reading.
  let newest: LoopDelay = { p50: 0, p90: 0, p99: 0, max: 0, mean: 0 }
  const shown = (name: string, help: string, read: (delay: LoopDelay) => number) =>
    single('gauge', [`nodejs_eventloop_lag_${name}seconds`, help], () => read(newest))
  return [
    single(
      'gauge',
      ['nodejs_eventloop_lag_p50_seconds', 'Event-loop delay since the last scrape, median.'],
      () => {
        newest = runtime.loopDelay.take()
        return newest.p50
      },
    ),
    shown('', 'Event-loop delay since the last scrape, mean.', (delay) => delay.mean),
    shown('p90_', 'Event-loop delay since the last scrape, 90th percentile.', (delay) => delay.p90),
    shown('p99_', 'Event-loop delay since the last scrape, 99th percentile.', (delay) => delay.p99),
    shown('max_', 'Event-loop delay since the last scrape, longest.', (delay) => delay.max),
    single(
      'gauge',
      ['neardns_eventloop_delay_max_seconds', 'Longest event-loop delay since the start.'],
      () => runtime.loopDelay.maxSeconds,
    ),
  ]
}

function info(name: string, help: string, labels: Readonly<Record<string, string>>): Family {
  return family('gauge', [name, help], Object.keys(labels), () => [{ labels, value: 1 }])
}
