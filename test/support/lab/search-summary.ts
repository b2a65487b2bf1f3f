/**
 * What a reply means, as text that is equal for two replies that mean the same: rcode, answers and authority without order,
 * letter case, TTLs and the two numbers of an SOA that differ between a denial of CoreDNS's and one of ours.
 */
import { type ReadMessage, type ReadRecord, typeNumbers } from '../client/dns-message.ts'

export function replySummary(message: ReadMessage): string {
  const section = (records: readonly ReadRecord[]) => records.map(recordText).toSorted().join(' | ')
  return `rcode ${message.rcode} [${section(message.answers)}] [${section(message.authorities)}]`
}

/** What a client makes of a reply, whoever gave it: existence and data. */
export function meaningOf({ rcode, answers }: ReadMessage): string {
  return `rcode ${rcode} [${answers.map(recordText).toSorted().join(' | ')}]`
}

function recordText({ name, type, class: recordClass, data }: ReadRecord): string {
  // CoreDNS makes the serial of the present time; a denial made here gives MINIMUM what is left of its evidence.
  const comparable =
    type === typeNumbers.SOA
      ? data.replace(/^(\S+ \S+) \d+/, '$1 serial').replace(/ \d+$/, '')
      : data
  return `${name} ${recordClass} ${type} ${comparable}`.toLowerCase()
}

/** The highest TTL of the answer and authority sections; 0 without records. */
export function ttlMax({ answers, authorities }: ReadMessage): number {
  return Math.max(0, ...[...answers, ...authorities].map(({ ttl }) => ttl))
}
