/** Publishes hand-overs between processes, by outcome. Takes no part in them. */
import { type Family, family, single } from './family.ts'

export type HandoverEvent =
  | 'followed' // this process took the place of another one
  | 'handed-over' // another process took the place of this one
  | 'failed' // a hand-over did not complete; the process that served goes on
  | 'stranger' // a process of another user was refused
  | 'resumed' // the process that had followed this one ended, so this one serves again
  | 'cache-refused' // the cache of the previous process was damaged, too long or of another version

export interface HandoverView {
  readonly counts: Readonly<Record<HandoverEvent, number>>
  readonly entriesRestored: number
}

/** @param read returns undefined when hand-over is not configured */
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
