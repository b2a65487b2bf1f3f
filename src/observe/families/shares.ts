/** Publishes who had to wait, or was refused, because a share was used up (core/sharing). Counts nothing itself. */
import type { UpstreamView } from '../stats.ts'
import { type Family, family } from './family.ts'

/** @param upstreams each with its group */
export function shareFamilies(upstreams: () => readonly UpstreamView[]): Family[] {
  return [
    family(
      'counter',
      [
        'neardns_socket_waits_total',
        'Questions that waited for a socket to an upstream, by whose share was used up.',
      ],
      ['group', 'share'],
      () => socketWaits(upstreams()),
    ),
  ]
}

function socketWaits(upstreams: readonly UpstreamView[]) {
  const sums = new Map<string, Map<string, number>>()
  for (const { group, counters } of upstreams) {
    const ofGroup = sums.get(group) ?? new Map<string, number>()
    sums.set(group, ofGroup)
    for (const [share, count] of Object.entries(counters.waits))
      ofGroup.set(share, (ofGroup.get(share) ?? 0) + count)
  }
  return [...sums].flatMap(([group, ofGroup]) =>
    [...ofGroup].map(([share, value]) => ({ labels: { group, share }, value })),
  )
}
