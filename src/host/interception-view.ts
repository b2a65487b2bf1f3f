/** The state of the interception as metrics and pages show it. Pure. */
import type { HostFacts } from './facts.ts'
import type { Plan, PlannedAddress } from './plan.ts'
import type { TroubleKind } from './trouble.ts'

export interface InterceptionView {
  readonly backend: Plan['backend']
  readonly kubeProxy: HostFacts['kubeProxy']
  readonly addresses: readonly {
    readonly address: string
    readonly role: string
    readonly isActive: boolean
  }[]
  readonly troubles: ReadonlyMap<TroubleKind, number>
  readonly renewals: number
  /** CoreDNS pods in the standby rules. */
  readonly standbyTargets: number
}

export interface Seen extends Pick<InterceptionView, 'troubles' | 'renewals'> {
  readonly plan: Plan | undefined
  readonly facts: HostFacts | undefined
  readonly active: readonly PlannedAddress[]
}

export function viewOf({ plan, facts, active, troubles, renewals }: Seen): InterceptionView {
  return {
    backend: plan?.backend ?? 'none',
    kubeProxy: facts?.kubeProxy ?? 'none',
    addresses: (plan?.addresses ?? []).map((one) => ({
      address: one.address,
      role: one.role,
      isActive: active.includes(one),
    })),
    troubles,
    renewals,
    standbyTargets: plan?.standby.length ?? 0,
  }
}
