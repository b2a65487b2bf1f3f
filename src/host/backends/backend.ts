/** Chooses the backend that applies a plan. */

import type { Nftables } from '../nft/nftables.ts'
import type { Plan } from '../plan.ts'
import type { Rules } from '../rules.ts'
import type { RunProgram } from '../run-program.ts'
import { IptablesRules } from './iptables-backend.ts'
import { NoRules } from './link-backend.ts'
import { NftRules } from './nft-backend.ts'

/** @param nftables required when the plan's backend is nftables */
export function rulesFor(plan: Plan, run: RunProgram, nftables: Nftables | undefined): Rules {
  if (plan.backend === 'link') return new NoRules(run, nftables)
  return plan.backend === 'nftables' && nftables !== undefined
    ? new NftRules(run, nftables)
    : new IptablesRules(run, nftables)
}
