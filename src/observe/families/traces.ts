/** Publishes what became of slow and failed queries for a collector of traces. */
import type { TraceStats } from '../stats.ts'
import { type Family, family, single } from './family.ts'

export function traceFamilies(read: () => TraceStats): Family[] {
  return [
    family(
      'counter',
      [
        'neardns_traces_total',
        'Slow and failed queries for the collector of log.traces: sent, dropped because it was away or too slow, or refused by it.',
      ],
      ['outcome'],
      () => {
        const { sent, dropped, refused } = read()
        return [
          { labels: { outcome: 'sent' }, value: sent },
          { labels: { outcome: 'dropped' }, value: dropped },
          { labels: { outcome: 'refused' }, value: refused },
        ]
      },
    ),
    single(
      'counter',
      [
        'neardns_trace_spans_rejected_total',
        'Spans that the collector of log.traces left out of what it took (partial success).',
      ],
      () => read().spansRejected,
    ),
  ]
}
