/** The shell that belongs to a plan's backend. */
import { IptablesRules } from './iptables-backend.ts'
import { NftRules } from './nft-backend.ts'
import type { Plan } from './plan.ts'
import type { Rules } from './rules.ts'
import type { RunProgram } from './run-program.ts'

export function rulesFor(plan: Plan, run: RunProgram): Rules {
  return plan.backend === 'nftables' ? new NftRules(run) : new IptablesRules(run)
}
