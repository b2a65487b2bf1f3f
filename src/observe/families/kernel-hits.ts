/** Publishes the hits that the kernel answers. They are in the counters of queries too, but not in the histogram of durations. */
import { hitsObstacles, hitsOffReasons, type KernelHitsStats } from '../stats.ts'
import { type Family, family, single } from './family.ts'

/** As `passedReasons` of kernel/layout.ts. */
export const passedUpReasons = ['unknown', 'old', 'odd', 'unleased', 'large', 'torn'] as const

export function kernelHitFamilies(read: () => KernelHitsStats): Family[] {
  return [...stateFamilies(read), ...countFamilies(read)]
}

/** Whether, where, and why not. */
function stateFamilies(read: () => KernelHitsStats): Family[] {
  return [
    single(
      'gauge',
      [
        'neardns_kernel_hits_on',
        '1 while the kernel may answer hits itself, 0 while the daemon answers all; neardns_kernel_hits_off says why.',
      ],
      () => (read().off === undefined ? 1 : 0),
    ),
    family(
      'gauge',
      [
        'neardns_kernel_hits_off',
        '1 at the reason why the daemon answers all: the mode, several workers, no program in this build, a kernel without tcx, no permission, another error (in the log), queries that each have to be seen, a daemon that does not serve.',
      ],
      ['reason'],
      () => {
        const { off } = read()
        return hitsOffReasons.map((reason) => ({
          labels: { reason },
          value: reason === off ? 1 : 0,
        }))
      },
    ),
    family(
      'gauge',
      [
        'neardns_kernel_hits_interfaces',
        "Interfaces of pods at which the kernel answers, and those left alone: for a network policy on the node, for another program at the interface, for a bridge's port that is no pod's, because the kernel refused it.",
      ],
      ['state'],
      () => {
        const { interfaces, leftAlone } = read()
        return [
          { labels: { state: 'attached' }, value: interfaces },
          ...hitsObstacles.map((state) => ({ labels: { state }, value: leftAlone[state] })),
        ]
      },
    ),
    single(
      'gauge',
      ['neardns_kernel_hits_entries', 'Answers of the cache that the kernel gives itself.'],
      () => read().entries,
    ),
  ]
}

function countFamilies(read: () => KernelHitsStats): Family[] {
  return [
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
