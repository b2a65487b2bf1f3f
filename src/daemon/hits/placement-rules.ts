/** At which interfaces hits may be answered by the kernel, by the configuration; and what is read of the firewall before. */

import { usualInterfaces } from '../../config/interception-settings.ts'
import type { Config } from '../../config/schema.ts'
import { runProgram } from '../../host/run-program.ts'
import type { AttachmentRules } from '../../kernel/attachments.ts'

export function placementRules({
  interfaces,
  bridges,
  except,
}: Pick<Config['kernelHits'], 'interfaces' | 'bridges' | 'except'>): AttachmentRules {
  const isForced = interfaces.length > 0
  return { interfaces: isForced ? interfaces : usualInterfaces, bridges, except, isForced }
}

/** @returns chains of both families as `iptables-save` prints them; undefined when they cannot be read */
export async function firewallChains(): Promise<string | undefined> {
  const texts = await Promise.all(
    ['iptables-save', 'ip6tables-save'].map((program) => runProgram(program, ['-t', 'filter'])),
  )
  return texts.every(({ ok }) => ok) ? texts.map(({ stdout }) => stdout).join('\n') : undefined
}
