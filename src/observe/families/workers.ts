/** Publishes the worker processes. Every worker shows the same numbers of the whole group, so they are never added up. */

import type { WorkersView } from '../stats.ts'
import { type Family, family, single } from './family.ts'

export function workerFamilies(read: () => WorkersView): Family[] {
  return [
    single('gauge', ['neardns_workers', 'Processes that are to serve.'], () => read().wanted),
    single('gauge', ['neardns_workers_ready', 'Those that do.'], () => read().ready),
    family(
      'counter',
      [
        'neardns_worker_restarts_total',
        'Workers that were replaced: they ended, were killed, or hung and were killed by us.',
      ],
      ['reason'],
      () =>
        Object.entries(read().restarts).map(([reason, value]) => ({ labels: { reason }, value })),
    ),
  ]
}
