/** A plan for people: what was found, what follows from it and why, and the rules themselves. Pure. */
import type { HostFacts } from './facts.ts'
import { type OwnTable, ownTables, restoreText } from './iptables-rules.ts'
import {
  acceptText,
  addressesOf,
  ownedTableText,
  renewText,
  standbyTableText,
} from './nft-rules.ts'
import type { Plan } from './plan.ts'

export function planText(plan: Plan, facts: HostFacts): string {
  const rows: [string, string][] = [
    ['kernel', facts.kernel],
    ['nft', facts.nft ?? 'not there'],
    ['iptables', facts.iptables ?? 'not there'],
    ['kube-proxy', facts.kubeProxy],
    ['backend', plan.backend],
    ...plan.why.map((why): [string, string] => ['why', why]),
    ...addressRows(plan),
    ...(plan.addresses.length === 0 ? [] : standbyRow(plan)),
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

function rulesText(plan: Plan): string {
  if (plan.backend === 'none') return ''
  if (plan.backend === 'iptables') {
    return ([4, 6] as const)
      .filter((family) => addressesOf(plan, family).length > 0)
      .map((family) => {
        const texts = ownTables.map((table: OwnTable) => restoreText(plan, family, table, ''))
        return `\n# ${family === 4 ? 'iptables' : 'ip6tables'}-${plan.variant}-restore --noflush; in force for ${plan.leaseSeconds} s after each renewal\n${texts.join('')}`
      })
      .join('')
  }
  const name = 'neardns-XXXXXXXX'
  const accepts = plan.accept.map((chain) => acceptText(chain, plan)).join('')
  return `
# lasting
${standbyTableText(plan)}${accepts}
# held by the daemon, gone with it
${pretty(ownedTableText(name, plan))}
# every renewal
${renewText(name, plan, plan.addresses).replaceAll('; ', '\n')}
`
}

/** The owned table is one line for nft's sake. */
function pretty(text: string): string {
  return text
    .replaceAll(/(chain \w+ \{) /g, '\n  $1\n    ')
    .replaceAll(/ (set live\d)/g, '\n  $1')
    .replaceAll(/ notrack; (?=meta|\};)/g, ' notrack\n    ')
    .replaceAll(/policy accept; /g, 'policy accept\n    ')
    .replaceAll(/ {4}\};/g, '  }')
    .replaceAll(/;? +\n/g, '\n')
    .replace(/ \}$/, '\n}')
}
