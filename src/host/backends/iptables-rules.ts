/**
 * The texts for `iptables-restore` of a plan: NodeLocal DNSCache's rules in chains of our own. Pure. The NOTRACK rules carry
 * `-m recent`: they match only while the daemon has written the address into the kernel's list four times within the last second,
 * so a daemon that died or hangs intercepts nothing, and the rules it left have no effect.
 */
import { formatEndpoint } from '../../address/endpoint.ts'
import type { LeftoverRule } from '../facts.ts'
import type { Plan, PlannedAddress } from '../plan.ts'
import { addressesOf, probePorts, ruleComment } from './nft-rules.ts'

/** Chains by table, with the built-in chain that leads to each. */
export const ownChains = [
  { table: 'raw', chain: 'NEARDNS-PREROUTING', from: 'PREROUTING' },
  { table: 'raw', chain: 'NEARDNS-OUTPUT', from: 'OUTPUT' },
  { table: 'filter', chain: 'NEARDNS-INPUT', from: 'INPUT' },
  { table: 'filter', chain: 'NEARDNS-OUTPUT', from: 'OUTPUT' },
  { table: 'nat', chain: 'NEARDNS-PREROUTING', from: 'PREROUTING' },
  { table: 'nat', chain: 'NEARDNS-OUTPUT', from: 'OUTPUT' },
  { table: 'nat', chain: 'NEARDNS-POSTROUTING', from: 'POSTROUTING' },
] as const

export type OwnTable = (typeof ownChains)[number]['table']
export const ownTables = ['raw', 'filter', 'nat'] as const

/** Marks in our own chain that the table did not exist before: iptables-nft creates tables, and nothing else removes them. */
export const madeTableMark = 'neardns: made this table'

/** The same for a built-in chain of an existing table: iptables-nft creates each with its first rule. */
function madeChainMark(chain: string): string {
  return `neardns: made ${chain}`
}

/**
 * A lease is written five times within its duration, and holds while four of these writes lie in it: `recent` counts whole seconds, so
 * this ends a lease of one second after 0.4 s without writes.
 */
export const [leaseWrites, leaseHits] = [5, 4] as const

/** Name of the kernel's list, `/proc/net/xt_recent/NAME`. */
export function leaseName(family: 4 | 6): string {
  return `neardns${family}`
}

/** The list of a standby that expires: it counts from the last write. */
export function standbyListName(family: 4 | 6): string {
  return `neardns-standby${family}`
}

/**
 * @param saved output of `iptables-save -t TABLE`: existing jumps are not added again
 * @param missing built-in chains of the table that are not in the kernel
 * @returns input for one `iptables-restore --noflush` call, which empties the chains that it names
 */
export function restoreText(
  plan: Plan,
  family: 4 | 6,
  { table, saved, missing = [] }: TableState,
): string {
  const chains = ownChains.filter((one) => one.table === table)
  const jumps = chains.filter(({ chain, from }) => !saved.includes(`\n-A ${from} -j ${chain}\n`))
  const isMadeByUs = !saved.includes(`*${table}\n`) || saved.includes(madeTableMark)
  const made = chains
    .map(({ from }) => from)
    .filter((from) => missing.includes(from) || saved.includes(`"${madeChainMark(from)}"`))
  const marks = isMadeByUs ? [madeTableMark] : made.map(madeChainMark)
  return [
    `*${table}`,
    ...chains.map(({ chain }) => `:${chain} - [0:0]`),
    ...rulesOf(plan, family)[table],
    ...marks.map((mark) => `-A NEARDNS-OUTPUT -m comment --comment "${mark}"`),
    ...jumps.map(({ chain, from }) => `-I ${from} 1 -j ${chain}`),
    'COMMIT',
    '',
  ].join('\n')
}

/** One table as it is before our rules are added. */
export interface TableState {
  readonly table: OwnTable
  readonly saved: string
  readonly missing?: readonly string[]
}

function rulesOf(plan: Plan, family: 4 | 6): Record<OwnTable, string[]> {
  const addresses = addressesOf(plan, family)
  const lease = `-m recent --name ${leaseName(family)} --rcheck --rdest --seconds ${plan.leaseSeconds} --hitcount ${leaseHits}`
  const comment = `-m comment --comment "${ruleComment}"`
  const each = (make: (to: string, from: string, one: PlannedAddress) => string[]) =>
    addresses.flatMap((one) =>
      ['udp', 'tcp'].flatMap((protocol) => {
        const host = `${one.address}/${family === 4 ? 32 : 128}`
        const to = `-d ${host} -p ${protocol} -m ${protocol} --dport ${plan.port}`
        const from = `-s ${host} -p ${protocol} -m ${protocol} --sport ${plan.port}`
        return make(to, from, one)
      }),
    )
  return {
    raw: [
      ...each((to, from, one) => [
        `-A NEARDNS-PREROUTING ${to} ${lease} -j NOTRACK`,
        `-A NEARDNS-OUTPUT ${from} -j NOTRACK`,
        ...(one.forHost ? [`-A NEARDNS-OUTPUT ${to} ${lease} -j NOTRACK`] : []),
      ]),
      ...addresses.map((one) => probeRule(one, plan.port)),
    ],
    filter: each((to, from) => [
      `-A NEARDNS-INPUT ${to} ${comment} -j ACCEPT`,
      `-A NEARDNS-OUTPUT ${from} ${comment} -j ACCEPT`,
    ]),
    nat: [
      ...each((to, _, { role }) =>
        role === 'own' ? standbyRules(plan, family, `${to}${unexpired(plan, family)}`) : [],
      ),
      ...addresses.map(
        ({ address }) =>
          `-A NEARDNS-POSTROUTING -s ${address}/${family === 4 ? 32 : 128} -m conntrack --ctstate DNAT -j MASQUERADE`,
      ),
    ],
  }
}

/** The self-query must reach the daemon before anything is intercepted; see `probePorts`. */
function probeRule({ address, family }: PlannedAddress, port: number): string {
  const host = `${address}/${family === 4 ? 32 : 128}`
  const ports = `--sport ${probePorts.join(':')} --dport ${port}`
  return `-A NEARDNS-OUTPUT -s ${host} -d ${host} -p udp -m udp ${ports} -j NOTRACK`
}

function unexpired({ standbyExpiryMs }: Plan, family: 4 | 6): string {
  if (standbyExpiryMs === 0) return ''
  const seconds = Math.ceil(standbyExpiryMs / 1000)
  return ` -m recent --name ${standbyListName(family)} --rcheck --rdest --seconds ${seconds}`
}

/** Picks one of n pods at random: the first rule with 1/n, the next with 1/(n-1) of the rest, as in kube-proxy. */
function standbyRules({ standby }: Plan, family: 4 | 6, to: string): string[] {
  const targets = standby.filter((target) => target.family === family)
  return targets.flatMap((target, i) => {
    const left = targets.length - i
    const chance =
      left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`
    const rule = `${to}${chance} -j DNAT --to-destination ${formatEndpoint(target)}`
    return [`-A NEARDNS-PREROUTING ${rule}`, `-A NEARDNS-OUTPUT ${rule}`]
  })
}

/**
 * @param saved output of `iptables-save -t TABLE`
 * @returns input for one restore call that removes our chains; undefined when there are none
 */
export function removalText(table: OwnTable, saved: string): string | undefined {
  const chains = ownChains.filter((one) => one.table === table)
  const jumps = saved.match(/^-A \S+ -j NEARDNS-\S+$/gm) ?? []
  const present = chains.filter(({ chain }) => saved.includes(`\n:${chain} `))
  const accepts = saved
    .split('\n')
    .filter(
      (line) =>
        line.startsWith('-A ') && !line.startsWith('-A NEARDNS') && line.includes(ruleComment),
    )
  if (jumps.length + present.length + accepts.length === 0) return undefined
  return [
    `*${table}`,
    ...[...jumps, ...accepts].map((rule) => rule.replace(/^-A/, '-D')),
    ...present.flatMap(({ chain }) => [`-F ${chain}`, `-X ${chain}`]),
    'COMMIT',
    '',
  ].join('\n')
}

/** @returns built-in chains that the daemon created and that hold no rule of others: they are empty without ours */
export function chainsOnlyOurs(table: OwnTable, saved: string): string[] {
  return ownChains
    .filter((one) => one.table === table)
    .filter(({ from, chain }) => {
      const rules = saved.split('\n').filter((line) => line.startsWith(`-A ${from} `))
      const isMade = saved.includes(`"${madeChainMark(from)}"`)
      return isMade && rules.every((rule) => rule === `-A ${from} -j ${chain}`)
    })
    .map(({ from }) => from)
}

/** Accept rules at the head of a built-in chain whose policy drops, while the backend is nftables. */
export function acceptRestoreText(plan: Plan, family: 4 | 6, chain: 'INPUT' | 'OUTPUT'): string {
  const rules = rulesOf(plan, family).filter.filter((rule) =>
    rule.startsWith(`-A NEARDNS-${chain} `),
  )
  return [
    '*filter',
    ...rules.map((rule) => rule.replace(`-A NEARDNS-${chain}`, `-I ${chain} 1`)),
    'COMMIT',
    '',
  ].join('\n')
}

/**
 * Rules of NodeLocal DNSCache for these addresses, with or without its comment (it has one since 2023).
 * @param saved output of `iptables-save -t TABLE`
 */
export function nodeLocalRules(
  saved: string,
  addresses: readonly string[],
  origin: Pick<LeftoverRule, 'family' | 'variant' | 'table'>,
): LeftoverRule[] {
  const shape =
    /^-A (?:PREROUTING|INPUT|OUTPUT) (?:-[sd] (\S+?)\/\d+ )-p (?:tcp|udp) -m (?:tcp|udp) --[sd]port \d+ (?:-m comment --comment "NodeLocal DNS Cache: [^"]*" )?-j (?:CT --notrack|NOTRACK|ACCEPT)$/
  return saved.split('\n').flatMap((line) => {
    const address = shape.exec(line)?.[1]
    if (address === undefined || !addresses.includes(address)) return []
    // What follows `-p tcp` on our addresses and is no DNS is NodeLocal's health port.
    return [{ ...origin, rule: line.replace(/^-A/, '-D') }]
  })
}

export function leftoverRemovalText(rules: readonly LeftoverRule[]): string {
  const tables = [...new Set(rules.map(({ table }) => table))]
  return tables
    .map((table) => {
      const lines = rules.filter((one) => one.table === table).map(({ rule }) => rule)
      return [`*${table}`, ...lines, 'COMMIT', ''].join('\n')
    })
    .join('')
}
