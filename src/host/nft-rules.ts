/**
 * The nftables texts of a plan. Pure. Two tables:
 *
 * - The owned one lives as long as the `nft` process that made it. Its sets hold the addresses that are intercepted now,
 *   each for a short time; an empty set intercepts nothing. NOTRACK at raw priority keeps the packets from kube-proxy's
 *   DNAT, so that they are delivered to the local address.
 * - The standby one stays when the daemon dies. It sends the addresses that nobody else serves to CoreDNS. Packets that
 *   are not tracked never come to a nat chain, so it acts only while the owned sets are empty or gone.
 */
import { createHash } from 'node:crypto'
import type { DroppingChain, Target } from './facts.ts'
import type { Plan, PlannedAddress } from './plan.ts'

export const standbyPattern = /^neardns-standby-[0-9a-f]{8}$/
/** Owned tables are `neardns-` and eight hex digits. */
export const ownedTablePattern = /^neardns-[0-9a-f]{8}$/
export const ruleComment = 'neardns: DNS of this node'

/** dstnat is -100 and srcnat 100; nft takes the names in some hooks only. */
const [beforeKubeProxy, beforeMasquerading] = [-110, 90]

const dns = 'meta l4proto { tcp, udp }'

/** One line: `nft -i` takes each line as a transaction. */
export function ownedTableText(name: string, plan: Plan): string {
  const { port } = plan
  const families = ([4, 6] as const).filter((family) => addressesOf(plan, family).length > 0)
  const sets = families.map(
    (family) => `set live${family} { type ipv${family}_addr; flags timeout; };`,
  )
  const inbound = families.map(
    (family) => `${dns} th dport ${port} ${ip(family)} daddr @live${family} notrack;`,
  )
  const outbound = families.flatMap((family) => [
    `${dns} th sport ${port} ${ip(family)} saddr ${setOf(addressesOf(plan, family))} notrack;`,
    // Our own test question comes from the loopback address; it must reach us before anything is intercepted.
    `${dns} th dport ${port} ${ip(family)} saddr ${loopback(family)} ${ip(family)} daddr ${setOf(addressesOf(plan, family))} notrack;`,
    ...hostRule(plan, family),
  ])
  return [
    `table inet ${name} { flags owner;`,
    ...sets,
    `chain prerouting { type filter hook prerouting priority raw; policy accept;`,
    ...inbound,
    '};',
    `chain output { type filter hook output priority raw; policy accept;`,
    ...outbound,
    '}; }',
  ].join(' ')
}

function hostRule(plan: Plan, family: 4 | 6): string[] {
  const forHost = addressesOf(plan, family).filter((one) => one.forHost)
  if (forHost.length === 0) return []
  return [
    `${dns} th dport ${plan.port} ${ip(family)} daddr ${setOf(forHost)} ${ip(family)} daddr @live${family} notrack;`,
  ]
}

/** Makes exactly these addresses intercepted, for the plan's lifetime. An element's time cannot be extended in old kernels, so it is made anew. */
export function renewText(name: string, plan: Plan, live: readonly PlannedAddress[]): string {
  return ([4, 6] as const)
    .filter((family) => addressesOf(plan, family).length > 0)
    .flatMap((family) => {
      const elements = live
        .filter((one) => one.family === family)
        .map(({ address }) => `${address} timeout ${plan.lifetimeMs}ms`)
      const flush = `flush set inet ${name} live${family}`
      if (elements.length === 0) return [flush]
      return [flush, `add element inet ${name} live${family} { ${elements.join(', ')} }`]
    })
    .join('; ')
}

/** One for each set of addresses, so that two daemons with different ones do not take each other's. */
export function standbyTable({ addresses, port }: Plan): string {
  const key = [...addresses.map(({ address }) => address).toSorted(), port].join(' ')
  return `neardns-standby-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`
}

/** Replaces the standby table whole, in one transaction. */
export function standbyTableText(plan: Plan): string {
  const table = standbyTable(plan)
  const families = ([4, 6] as const).filter((family) => addressesOf(plan, family).length > 0)
  const lines = families.flatMap((family) => translation(plan, family))
  // The node's own queries carry the asked address as their source, since it is local; nobody could answer to that.
  const masks = families.map(
    (family) =>
      `    ${ip(family)} saddr ${setOf(addressesOf(plan, family))} ct status dnat masquerade`,
  )
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  chain prerouting {
    type nat hook prerouting priority ${beforeKubeProxy}; policy accept;
${lines.join('\n')}
  }
  chain output {
    type nat hook output priority ${beforeKubeProxy}; policy accept;
${lines.join('\n')}
  }
  chain postrouting {
    type nat hook postrouting priority ${beforeMasquerading}; policy accept;
${masks.join('\n')}
  }
}
`
}

function translation(plan: Plan, family: 4 | 6): string[] {
  const own = addressesOf(plan, family).filter(({ role }) => role === 'own')
  const targets = plan.standby.filter((target) => target.family === family)
  if (own.length === 0 || targets.length === 0) return []
  const map = targets.map((target, i) => `${i} : ${pair(target)}`).join(', ')
  return [
    `    ${dns} th dport ${plan.port} ${ip(family)} daddr ${setOf(own)} dnat ${ip(family)} to numgen random mod ${targets.length} map { ${map} }`,
  ]
}

function pair({ address, port }: Target): string {
  return `${address} . ${port}`
}

/** Accepts our packets at the head of a chain that would drop them. */
export function acceptText({ family, table, chain, hook }: DroppingChain, plan: Plan): string {
  const [address, portOf] = hook === 'input' ? ['daddr', 'dport'] : ['saddr', 'sport']
  const families = ([4, 6] as const).filter((one) => family === 'inet' || family === ip(one))
  return families
    .filter((one) => addressesOf(plan, one).length > 0)
    .map(
      (one) =>
        `insert rule ${family} ${table} ${chain} ${dns} th ${portOf} ${plan.port} ${ip(one)} ${address} ${setOf(addressesOf(plan, one))} accept comment "${ruleComment}"\n`,
    )
    .join('')
}

export function addressesOf(plan: Plan, family: 4 | 6): PlannedAddress[] {
  return plan.addresses.filter((one) => one.family === family)
}

function ip(family: 4 | 6): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6'
}

function loopback(family: 4 | 6): string {
  return family === 4 ? '127.0.0.0/8' : '::1'
}

function setOf(addresses: readonly PlannedAddress[]): string {
  return `{ ${addresses.map(({ address }) => address).join(', ')} }`
}
