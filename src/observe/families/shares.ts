/** Publishes who had to wait, or was refused, because a share was used up (core/sharing). Counts nothing itself. */
import type { InFlightView, UpstreamView } from '../stats.ts'
import { type Family, family } from './family.ts'

/** @param upstreams each with its group */
export function shareFamilies(
  upstreams: () => readonly UpstreamView[],
  inFlight: () => InFlightView,
): Family[] {
  return [
    family(
      'counter',
      [
        'neardns_socket_waits_total',
        'Questions that waited for a socket or connection to an upstream, by whose share was used up.',
      ],
      ['group', 'share'],
      () => socketWaits(upstreams()),
    ),
    family(
      'counter',
      [
        'neardns_share_refusals_total',
        'Queries answered SERVFAIL at once, by the limit and by whose share of it was used up.',
      ],
      ['limit', 'share'],
      () => refusalsOf(inFlight().refusals),
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

function refusalsOf(refusals: InFlightView['refusals']) {
  return Object.entries(refusals).flatMap(([limit, counts]) =>
    Object.entries(counts).map(([share, value]) => ({ labels: { limit, share }, value })),
  )
}
