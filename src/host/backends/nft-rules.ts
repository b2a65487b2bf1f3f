/**
 * The nftables form of a plan, as data. Pure. Two tables:
 *
 * - The owned one lives as long as the daemon's netlink socket. Its sets hold the addresses that are intercepted now, each for
 *   a short time; an empty set intercepts nothing. NOTRACK at raw priority keeps the packets from kube-proxy's DNAT, so that
 *   they are delivered to the local address.
 * - The standby one stays when the daemon dies. It sends queries to own addresses, which no other process serves, to CoreDNS.
 *   Untracked packets never reach a nat chain, so it acts only while the owned sets are empty or gone.
 *
 * One rule for each protocol and address, without anonymous sets: see nft/model.ts.
 */
import type { GuardedChain } from '../facts.ts'
import type { NftChange, NftMatch, NftRule, NftSet, NftTable, Side } from '../nft/model.ts'
import type { Plan, PlannedAddress } from '../plan.ts'

export const standbyPattern = /^neardns-standby-[0-9a-f]{8}$/
/** Owned tables are `neardns-` and eight hex digits. */
export const ownedTablePattern = /^neardns-[0-9a-f]{8}$/
export const ruleComment = 'neardns: DNS of this node'

/** NF_IP_PRI_RAW: before connection tracking. */
const beforeTracking = -300
/** dstnat is -100 and srcnat 100. */
const [beforeKubeProxy, beforeMasquerading] = [-110, 90]

const protocols = ['udp', 'tcp'] as const

/**
 * Source ports of the self-query, which no other client uses: stub resolvers have ephemeral ports, and binding below 1024 takes a
 * privilege. The source address does not tell, because the node's own queries come from the asked address, too; and the
 * loopback address cannot be the source, because the kubelet and kube-proxy drop untracked packets to it (KUBE-FIREWALL).
 */
export const probePorts = [512, 1023] as const

export function ownedTable(name: string, plan: Plan): NftTable {
  const sets = setsOf(plan)
  return {
    name,
    isOwned: true,
    sets,
    chains: [
      {
        name: 'prerouting',
        type: 'filter',
        hook: 'prerouting',
        priority: beforeTracking,
        rules: sets.flatMap((set) =>
          protocols.map((protocol) => notrack([port(protocol, 'destination', plan), isLive(set)])),
        ),
      },
      {
        name: 'output',
        type: 'filter',
        hook: 'output',
        priority: beforeTracking,
        rules: plan.addresses.flatMap((one) => outboundRules(one, plan)),
      },
    ],
  }
}

function outboundRules(one: PlannedAddress, plan: Plan): NftRule[] {
  const [from, to] = [at(one, 'source'), at(one, 'destination')]
  const probe: NftMatch = { kind: 'port', protocol: 'udp', side: 'source', ports: probePorts }
  return [
    ...protocols.map((protocol) => notrack([port(protocol, 'source', plan), from])),
    // The self-query must reach the daemon before anything is intercepted.
    notrack([probe, port('udp', 'destination', plan), from, to]),
    ...(one.forHost ? protocols : []).map((protocol) =>
      notrack([port(protocol, 'destination', plan), to, isLive(setFor(one.family))]),
    ),
  ]
}

/** Intercepts exactly these addresses, for the plan's lifetime. Old kernels cannot extend an element's timeout, so elements are made anew. */
export function renewal(table: string, plan: Plan, live: readonly PlannedAddress[]): NftChange[] {
  return setsOf(plan).map((set) => ({
    kind: 'fillSet',
    table,
    set,
    addresses: live.filter(({ family }) => family === set.family).map(({ address }) => address),
    timeoutMs: plan.lifetimeMs,
  }))
}

/** A standby that expires is renewed after this share of its time. */
export const standbyRenewalShare = 0.25

/** The part of a plan that its standby table depends on. */
export type StandbyPlan = Pick<Plan, 'addresses' | 'port' | 'standby' | 'standbyExpiryMs'>

/** One name for each set of addresses, so that two daemons with different ones keep their own tables. */
export function standbyName({ addresses, port: dnsPort }: StandbyPlan): string {
  const key = [...addresses.map(({ address }) => address).toSorted(), dnsPort].join(' ')
  return `neardns-standby-${hashOf(key).toString(16).padStart(8, '0')}`
}

/** FNV-1a. `node:crypto` takes 7 ms to load, at a moment when pods have no DNS (host/nodelocal/early-standby.ts). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const octet of Buffer.from(text)) hash = Math.imul(hash ^ octet, 0x01000193)
  return hash >>> 0
}

export function standbyTable(plan: StandbyPlan): NftTable {
  const translations = plan.addresses
    .filter(({ role }) => role === 'own')
    .flatMap((one) => protocols.flatMap((protocol) => translate(one, protocol, plan)))
  const nat = { type: 'nat', priority: beforeKubeProxy, rules: translations } as const
  return {
    name: standbyName(plan),
    isOwned: false,
    sets: standbySets(plan),
    chains: [
      { ...nat, name: 'prerouting', hook: 'prerouting' },
      { ...nat, name: 'output', hook: 'output' },
      {
        name: 'postrouting',
        type: 'nat',
        hook: 'postrouting',
        priority: beforeMasquerading,
        // The node's own queries have the asked address as their source, because it is local; CoreDNS could not reply to that.
        rules: plan.addresses.map((one) => ({
          matches: [at(one, 'source'), { kind: 'translated' }],
          verdict: { kind: 'masquerade' },
        })),
      },
    ],
  }
}

/**
 * The addresses that the standby leads on, each for the plan's time: a daemon that goes on renews them, and without one they run out.
 * @returns nothing when the standby is for ever
 */
export function standbyRenewal(plan: StandbyPlan): NftChange[] {
  const table = standbyName(plan)
  return standbySets(plan).map((set) => ({
    kind: 'fillSet',
    table,
    set,
    addresses: ownOf(plan, set.family).map(({ address }) => address),
    timeoutMs: plan.standbyExpiryMs,
  }))
}

function standbySets(plan: StandbyPlan): NftSet[] {
  if (plan.standbyExpiryMs === 0) return []
  const families = ([4, 6] as const).filter((family) => ownOf(plan, family).length > 0)
  return families.map((family) => ({ name: `standby${family}`, family }))
}

function ownOf({ addresses }: StandbyPlan, family: 4 | 6): StandbyPlan['addresses'] {
  return addresses.filter((one) => one.role === 'own' && one.family === family)
}

/** Picks one of n pods at random: the first rule with 1/n, the next with 1/(n-1) of the rest, as in kube-proxy. */
function translate(one: PlannedAddress, protocol: 'udp' | 'tcp', plan: StandbyPlan): NftRule[] {
  const { family } = one
  const targets = plan.standby.filter((target) => target.family === family)
  const unexpired = standbySets(plan).filter((set) => set.family === family)
  return targets.map((target, i) => {
    const left = targets.length - i
    const chance: readonly NftMatch[] = left === 1 ? [] : [{ kind: 'oneIn', count: left }]
    return {
      matches: [
        ...[port(protocol, 'destination', plan), at(one, 'destination')],
        ...[...unexpired.map(isLive), ...chance],
      ],
      verdict: { kind: 'dnat', family, address: target.address, port: target.port },
    }
  })
}

/** Accepts our packets at the head of a chain that would drop them. */
export function acceptRules(chain: GuardedChain, plan: Plan): NftRule[] {
  const side = chain.hook === 'input' ? 'destination' : 'source'
  return plan.addresses
    .filter(
      ({ family }) => chain.family === 'inet' || chain.family === (family === 4 ? 'ip' : 'ip6'),
    )
    .flatMap((one) =>
      protocols.map((protocol) => ({
        matches: [port(protocol, side, plan), at(one, side)],
        verdict: { kind: 'accept' as const },
        comment: ruleComment,
      })),
    )
}

export function addressesOf(plan: Plan, family: 4 | 6): PlannedAddress[] {
  return plan.addresses.filter((one) => one.family === family)
}

function setsOf(plan: Plan): NftSet[] {
  return ([4, 6] as const).filter((family) => addressesOf(plan, family).length > 0).map(setFor)
}

function setFor(family: 4 | 6): NftSet {
  return { name: `live${family}`, family }
}

function isLive({ name, family }: NftSet): NftMatch {
  return { kind: 'set', family, side: 'destination', set: name }
}

function at({ family, address }: PlannedAddress, side: Side): NftMatch {
  return { kind: 'address', family, side, address }
}

function port(protocol: 'udp' | 'tcp', side: Side, { port: ports }: Pick<Plan, 'port'>): NftMatch {
  return { kind: 'port', protocol, side, ports }
}

function notrack(matches: readonly NftMatch[]): NftRule {
  return { matches, verdict: { kind: 'notrack' } }
}
