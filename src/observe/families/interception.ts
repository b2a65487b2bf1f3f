/** Publishes the interception: the addresses whose queries come to the daemon, and the troubles on the way. Changes no rule. */

import type { InterceptionStats } from '../stats.ts'
import { type Family, family, single } from './family.ts'

/** Alerts use the rate of the troubles, so every kind has a series from the start. */
export function interceptionFamilies(read: () => InterceptionStats): Family[] {
  return [
    family(
      'gauge',
      [
        'neardns_interception_info',
        'Backend in use and the mode of kube-proxy that was found, as labels.',
      ],
      ['backend', 'kube_proxy'],
      () => {
        const { backend, kubeProxy } = read()
        return [{ labels: { backend, kube_proxy: kubeProxy }, value: 1 }]
      },
    ),
    family(
      'gauge',
      [
        'neardns_interception_active',
        '1 while queries to the address come to this daemon, 0 while they go to CoreDNS.',
      ],
      ['address', 'role'],
      () =>
        read().addresses.map(({ address, role, isActive }) => ({
          labels: { address, role },
          value: isActive ? 1 : 0,
        })),
    ),
    family(
      'counter',
      [
        'neardns_interception_troubles_total',
        'What went wrong with links, addresses and rules, by kind; rules_flushed and address_gone are drift that was repaired.',
      ],
      ['kind'],
      () => [...read().troubles].map(([kind, value]) => ({ labels: { kind }, value })),
    ),
    single(
      'gauge',
      [
        'neardns_interception_standby_targets',
        'CoreDNS pods to which our own addresses lead while this daemon is down; 0 means nobody.',
      ],
      () => read().standbyTargets,
    ),
    single(
      'counter',
      ['neardns_interception_renewals_total', 'Renewals of the interception after an answer.'],
      () => read().renewals,
    ),
  ]
}
