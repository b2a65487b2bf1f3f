/** Publishes what became of messages for a reader of dnstap. */
import type { DnstapStats } from '../stats.ts'
import { type Family, family, single } from './family.ts'

export function dnstapFamilies(read: () => DnstapStats): Family[] {
  return [
    single(
      'gauge',
      [
        'neardns_dnstap_connections',
        'Processes whose reader of dnstap (log.dnstap.socket) is there.',
      ],
      () => (read().isConnected ? 1 : 0),
    ),
    family(
      'counter',
      [
        'neardns_dnstap_messages_total',
        'Messages of dnstap: handed to the reader, or dropped because it was away or too slow.',
      ],
      ['outcome'],
      () => {
        const { sent, dropped } = read()
        return [
          { labels: { outcome: 'sent' }, value: sent },
          { labels: { outcome: 'dropped' }, value: dropped },
        ]
      },
    ),
  ]
}
