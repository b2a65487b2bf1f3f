/** A plan as text for people: the facts, the decisions and their reasons, and the rules themselves. Pure. */

import { type OwnTable, ownTables, restoreText } from './backends/iptables-rules.ts'
import {
  acceptRules,
  addressesOf,
  ownedTable,
  renewal,
  standbyTable,
} from './backends/nft-rules.ts'
import type { GuardedChain, HostFacts } from './facts.ts'
import { changesText, tableText } from './nft/text.ts'
import type { Plan } from './plan.ts'

export function planText(plan: Plan, facts: HostFacts): string {
  const rows: [string, string][] = [
    ['kernel', facts.kernel],
    ['nftables', facts.noNftables ?? 'usable'],
    ['iptables', facts.iptables ?? (facts.unreadable.length > 0 ? 'unknown' : 'not there')],
    ['kube-proxy', facts.kubeProxy],
    ['backend', plan.backend],
    ...plan.why.map((why): [string, string] => ['why', why]),
    ...addressRows(plan),
    ...(plan.addresses.length === 0 ? [] : standbyRow(plan)),
    ...facts.standbyGaps.map((gap): [string, string] => ['standby', `not from ${gap}`]),
    ...plan.accept.flatMap(closedRow),
    ...facts.unreadable.map((what): [string, string] => ['unreadable', what]),
    ...facts.leftovers.map((one): [string, string] => [
      'leftover',
      `${one.variant} ${one.table}: ${one.rule.replace(/^-D/, '-A')}`,
    ]),
  ]
  const table = rows.map(([name, value]) => `${name.padEnd(11)} ${value}\n`).join('')
  return `${table}${rulesText(plan)}`
}

function addressRows({ addresses, link }: Plan): [string, string][] {
  return addresses.map(({ address, role, forHost, foreignLink }) => {
    const meaning = role === 'own' ? 'standby to CoreDNS' : 'kube-proxy stands by'
    const where = foreignLink ?? link.name
    const whose = forHost ? 'pods and node' : 'pods'
    return ['address', `${address} on ${where}: queries of ${whose}; ${meaning}`]
  })
}

function standbyRow({ standby }: Plan): [string, string][] {
  const pods = standby.map(({ address, port }) => `${address} port ${port}`).join(', ')
  return [['standby', pods === '' ? 'no CoreDNS pod is known' : pods]]
}

function closedRow({ family, table, chain, closed }: GuardedChain): [string, string][] {
  return closed === undefined ? [] : [['firewall', `${family} ${table} ${chain}: ${closed}`]]
}

function rulesText(plan: Plan): string {
  if (plan.backend === 'none') return ''
  if (plan.backend === 'iptables') {
    return ([4, 6] as const)
      .filter((family) => addressesOf(plan, family).length > 0)
      .map((family) => {
        const texts = ownTables.map((table: OwnTable) =>
          restoreText(plan, family, { table, saved: '' }),
        )
        return `\n# ${family === 4 ? 'iptables' : 'ip6tables'}-${plan.variant}-restore --noflush; in force for ${plan.leaseSeconds} s after each renewal\n${texts.join('')}`
      })
      .join('')
  }
  const name = 'neardns-XXXXXXXX'
  const accepts = plan.accept
    .filter(({ closed }) => closed === undefined)
    .flatMap((at) =>
      acceptRules(at, plan).map((rule) => ({ kind: 'insertRule', at, rule }) as const),
    )
  return `
# lasting
${changesText([{ kind: 'replaceTable', table: standbyTable(plan) }, ...accepts])}
# held by the daemon, gone with it
${tableText(ownedTable(name, plan))}

# every renewal
${changesText(renewal(name, plan, plan.addresses))}`
}
