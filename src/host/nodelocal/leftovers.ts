/** Removes what NodeLocal DNSCache left on the node, so that a node whose DNS broke at its end recovers when neardns starts. */

import { leftoverRemovalText } from '../backends/iptables-rules.ts'
import type { HostFacts } from '../facts.ts'
import type { RunProgram } from '../run-program.ts'
import { type Trouble, trouble, troubleOf } from '../trouble.ts'

/** A NodeLocal that still serves an address keeps its rules; they are removed at the first start after its end. */
export async function clearLeftovers(run: RunProgram, facts: HostFacts): Promise<Trouble[]> {
  if (facts.leftovers.length === 0) return []
  if (facts.servedByOthers.length > 0) {
    const served = facts.servedByOthers.join(', ')
    return [
      trouble('address_taken', `another process listens on ${served}; its rules are left alone`),
    ]
  }
  const troubles: Trouble[] = []
  const groups = Map.groupBy(facts.leftovers, ({ family, variant }) => `${family} ${variant}`)
  for (const rules of groups.values()) {
    const [first] = rules
    if (first === undefined) continue
    const program = `${first.family === 4 ? 'iptables' : 'ip6tables'}-${first.variant}-restore`
    const ran = await run(program, ['--noflush', '--wait', '5'], leftoverRemovalText(rules))
    if (!ran.ok) troubles.push(troubleOf(program, ran, 'rules_failed'))
  }
  return troubles
}
