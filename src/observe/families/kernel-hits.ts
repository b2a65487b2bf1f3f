/** Publishes the hits that the kernel answers. They are in the counters of queries too, but not in the histogram of durations. */
import type { KernelHitsStats } from '../stats.ts'
import { type Family, family, single } from './family.ts'

/** As `passedReasons` of kernel/layout.ts. */
export const passedUpReasons = ['unknown', 'old', 'odd', 'unleased', 'large', 'torn'] as const

export function kernelHitFamilies(read: () => KernelHitsStats): Family[] {
  return [
    single(
      'gauge',
      [
        'neardns_kernel_hits_on',
        '1 while the kernel may answer hits itself, 0 while the daemon answers all; the log says why.',
      ],
      () => (read().isOn ? 1 : 0),
    ),
    family(
      'gauge',
      [
        'neardns_kernel_hits_interfaces',
        'Interfaces of pods at which the kernel answers, and that are left to other programs or policies.',
      ],
      ['state'],
      () => {
        const { interfaces, leftAlone } = read()
        return [
          { labels: { state: 'attached' }, value: interfaces },
          { labels: { state: 'left_alone' }, value: leftAlone },
        ]
      },
    ),
    single(
      'gauge',
      ['neardns_kernel_hits_entries', 'Answers of the cache that the kernel gives itself.'],
      () => read().entries,
    ),
    single(
      'counter',
      [
        'neardns_kernel_hits_total',
        'Queries that the kernel has answered. Those of the last second are not in the counters of queries yet, and never in coredns_dns_request_duration_seconds.',
      ],
      () => read().counts[0] ?? 0,
    ),
    family(
      'counter',
      [
        'neardns_kernel_hits_passed_total',
        'Packets to served addresses that went on to the daemon: unknown question, old answer, not a plain question, no lease, too large an answer, an answer that was being replaced.',
      ],
      ['reason'],
      () =>
        passedUpReasons.map((reason, i) => ({
          labels: { reason },
          value: read().counts[i + 1] ?? 0,
        })),
    ),
  ]
}
