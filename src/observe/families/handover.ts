/** Publishes hand-overs: whether one was followed, followed somebody, or failed to. */
import { type Family, family, single } from './family.ts'

export type HandoverEvent =
  | 'followed' // we took the place of another process
  | 'handed-over' // another process took ours
  | 'failed' // either of these did not come to its end; the one that served goes on
  | 'stranger' // a process of another user was refused
  | 'resumed' // the process that had followed us ended, so we serve again
  | 'cache-refused' // the cache of the process before us was damaged, too long or of another version

export interface HandoverView {
  readonly counts: Readonly<Record<HandoverEvent, number>>
  readonly entriesRestored: number
}

/** @param read undefined when hand-over is not configured */
export function handoverFamilies(read: () => HandoverView | undefined): Family[] {
  return [
    family(
      'counter',
      ['neardns_handover_events_total', 'Hand-overs from and to other processes, by outcome.'],
      ['event'],
      () =>
        Object.entries(read()?.counts ?? {}).map(([event, value]) => ({
          labels: { event },
          value,
        })),
    ),
    single(
      'gauge',
      [
        'neardns_handover_restored_entries',
        'Answers that were taken over from the process before us.',
      ],
      () => read()?.entriesRestored ?? 0,
    ),
  ]
}
