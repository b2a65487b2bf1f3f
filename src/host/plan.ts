/**
 * Decides from settings and facts what is to be on the node: backend, links, addresses, rules, and why. Pure; `neardns rules show`
 * prints the plan, and the backends apply it.
 */
import type { InterceptionSettings } from '../config/schema.ts'
import type { GuardedChain, HostFacts, IptablesVariant, Target } from './facts.ts'
import { isKernelAtLeast, ownedTables } from './facts.ts'
import { type Trouble, type TroubleKind, trouble } from './trouble.ts'

/** `link`: addresses without rules. */
export type Backend = 'nftables' | 'iptables' | 'link' | 'none'
export type LinkKind = 'dummy' | 'bridge' | 'lo'

export interface PlannedAddress {
  readonly address: string
  readonly family: 4 | 6
  /** `own`: no other process serves it. `service`: kube-proxy serves it while the daemon does not. */
  readonly role: 'own' | 'service'
  /** The node's own queries are intercepted, too. */
  readonly forHost: boolean
  /** Link of others that has the address already; it stays there. */
  readonly foreignLink?: string
}

export interface Plan {
  readonly backend: Backend
  /** For the iptables backend, and for accept rules in chains of iptables. */
  readonly variant: IptablesVariant | undefined
  readonly port: number
  readonly link: {
    readonly name: string
    readonly kinds: readonly LinkKind[]
    /** Whether the addresses are put on the node by us. */
    readonly isOurs: boolean
  }
  readonly addresses: readonly PlannedAddress[]
  /** CoreDNS pods, for own addresses while the daemon is down. */
  readonly standby: readonly Target[]
  readonly accept: readonly GuardedChain[]
  readonly lifetimeMs: number
  readonly leaseSeconds: number
  /** How long the standby outlives the daemon; 0: for ever. */
  readonly standbyExpiryMs: number
  /** Decisions in sentences, for the log and for people. */
  readonly why: readonly string[]
  readonly troubles: readonly Trouble[]
}

export function makePlan(settings: InterceptionSettings, facts: HostFacts): Plan {
  const choice = chooseBackend(settings, facts)
  const addresses = choice.backend === 'none' ? [] : planAddresses(settings, facts)
  const hasRules = choice.backend === 'nftables' || choice.backend === 'iptables'
  const standby = hasRules ? standbyFor(addresses, settings, facts) : []
  const taken = addresses.filter(({ foreignLink }) => foreignLink !== undefined)
  return {
    backend: choice.backend,
    variant: facts.iptables,
    port: settings.port,
    link: planLink(settings, facts),
    addresses,
    standby,
    accept: hasRules ? facts.guarded : [],
    lifetimeMs: settings.lifetimeMs,
    leaseSeconds: settings.leaseSeconds,
    standbyExpiryMs: settings.standbyExpirySeconds * 1000,
    why: [...choice.why, ...whyAddresses(settings, facts)],
    troubles: [
      ...choice.troubles,
      ...taken.map(({ address, foreignLink }) =>
        trouble('address_taken', `${address} is on the link ${foreignLink}`),
      ),
      ...facts.unreadable.map((what) => trouble('rules_unreadable', what)),
      ...(hasRules ? strandedTroubles(addresses, standby, facts) : []),
    ],
  }
}

function strandedTroubles(
  addresses: readonly PlannedAddress[],
  standby: readonly Target[],
  { standbyGaps }: HostFacts,
): Trouble[] {
  const families = ([4, 6] as const).filter((family) => {
    const isOurs = addresses.some((one) => one.role === 'own' && one.family === family)
    return isOurs && !standby.some((one) => one.family === family)
  })
  if (families.length === 0) return []
  const reasons = standbyGaps.length === 0 ? '' : `: ${standbyGaps.join('; ')}`
  const which = families.map((family) => `IPv${family}`).join(' and ')
  const what = `no CoreDNS pod is known that could stand in for our ${which} addresses${reasons}`
  return [trouble('standby_unknown', what)]
}

/** Whether two plans lead to the same rules. */
export function isSamePlan(one: Plan, other: Plan): boolean {
  const text = ({ addresses, standby, accept, variant }: Plan) =>
    JSON.stringify([addresses, standby, accept, variant])
  return text(one) === text(other)
}

interface BackendChoice {
  readonly backend: Backend
  readonly why: readonly string[]
  readonly troubles: readonly Trouble[]
}

function chooseBackend(settings: InterceptionSettings, facts: HostFacts): BackendChoice {
  const { mode } = settings
  const wanted = settings.addresses.length + settings.clusterIps.length
  if (mode === 'none') return only('none', 'mode is none: links and rules are left alone')
  if (wanted === 0) return only('none', 'no addresses are configured')
  if (mode === 'link') return only('link', 'mode is link: addresses without rules')
  const noNft = whyNoNft(facts)
  if (mode === 'nftables') {
    if (noNft === undefined) return only('nftables', 'mode is nftables')
    return none(kindOfNoNft(facts), `mode is nftables, but ${noNft}`)
  }
  if (mode === 'auto' && noNft === undefined) {
    return only(
      'nftables',
      `auto: kernel ${facts.kernel} has tables that die with their owner, ${beside(facts)}`,
    )
  }
  if (facts.iptables !== undefined) {
    const because = mode === 'auto' ? `auto: ${noNft}` : 'mode is iptables'
    return only('iptables', `${because}; iptables variant ${facts.iptables}, ${beside(facts)}`)
  }
  const besides = mode === 'auto' ? `, and ${noNft}` : ''
  // Rules in the wrong variant would run beside kube-proxy's in no defined order.
  if (facts.unreadable.length > 0) return unseen(mode, besides)
  const kind =
    mode === 'auto' && facts.noNftables?.includes('permitted') ? 'no_permission' : 'program_missing'
  return none(kind, `iptables is not there${besides}`)
}

/** Addresses alone guess nothing: ours are served, and packets to a ClusterIP are kube-proxy's as long as no rule spares them. */
function unseen(mode: 'auto' | 'iptables', besides: string): BackendChoice {
  const what = `which iptables this node uses cannot be seen${besides}`
  if (mode === 'iptables') return none('rules_unreadable', what)
  const because = `${what}: addresses without rules; queries to ClusterIPs are left to kube-proxy, and nothing stands in for our own`
  return { backend: 'link', why: [because], troubles: [trouble('rules_unreadable', because)] }
}

function none(kind: TroubleKind, what: string): BackendChoice {
  return { backend: 'none', why: [], troubles: [trouble(kind, what)] }
}

function kindOfNoNft({ noNftables }: HostFacts): TroubleKind {
  return noNftables?.includes('permitted') ? 'no_permission' : 'kernel_too_old'
}

function only(backend: Backend, why: string): BackendChoice {
  return { backend, why: [why], troubles: [] }
}

function whyNoNft({ noNftables, kernel }: HostFacts): string | undefined {
  if (noNftables !== undefined) return noNftables
  if (isKernelAtLeast(kernel, ownedTables.major, ownedTables.minor)) return undefined
  return `kernel ${kernel} has no tables that die with their owner (5.12 has)`
}

function beside({ kubeProxy, iptables }: HostFacts): string {
  if (kubeProxy === 'none') return 'no rules of kube-proxy were found'
  if (kubeProxy === 'unreadable') return "kube-proxy's rules cannot be read"
  const variant = kubeProxy === 'iptables' && iptables !== undefined ? ` (${iptables} variant)` : ''
  return `kube-proxy uses ${kubeProxy}${variant}, beside which it works`
}

function planAddresses(settings: InterceptionSettings, facts: HostFacts): PlannedAddress[] {
  const own = settings.addresses.map(({ address, family }) => ({
    address,
    family,
    role: 'own' as const,
    forHost: true,
  }))
  const service = settings.clusterIps.map(({ address, family }) => ({
    address,
    family,
    role: 'service' as const,
    // kube-proxy's nftables mode rejects untranslated packets that leave the node for a ClusterIP. Pods' packets take the input
    // path, so they are not affected; the node's own queries are left to kube-proxy there.
    forHost: facts.kubeProxy !== 'nftables',
  }))
  const planned = facts.kubeProxy === 'ipvs' ? own : [...own, ...service]
  return planned.map((one) => {
    const holder = facts.links.find(
      ({ name, addresses }) => name !== settings.link.name && addresses.includes(one.address),
    )
    const isOurs = holder === undefined || holder.name === 'lo'
    return isOurs ? one : { ...one, foreignLink: holder.name }
  })
}

function planLink(settings: InterceptionSettings, facts: HostFacts) {
  const { name, kind } = settings.link
  const existing = facts.links.find((link) => link.name === name)
  if (kind === 'none') return { name, kinds: [], isOurs: false }
  if (existing !== undefined) return { name, kinds: [], isOurs: true }
  const kinds = kind === 'auto' ? (['dummy', 'bridge', 'lo'] as const) : [kind]
  return { name, kinds, isOurs: true }
}

function standbyFor(
  addresses: readonly PlannedAddress[],
  settings: InterceptionSettings,
  facts: HostFacts,
): readonly Target[] {
  if (!addresses.some(({ role }) => role === 'own')) return []
  return settings.standbyTo.length > 0 ? settings.standbyTo : facts.standby
}

function whyAddresses(settings: InterceptionSettings, facts: HostFacts): string[] {
  const clusterIps = settings.clusterIps.map(({ address }) => address).join(', ')
  if (clusterIps === '') return []
  if (facts.kubeProxy === 'ipvs') {
    return [
      `${clusterIps} left alone: kube-proxy uses IPVS and owns it on kube-ipvs0; pods must be given one of interception.addresses`,
    ]
  }
  if (facts.kubeProxy === 'nftables') {
    return [
      `${clusterIps}: queries from the node itself are left to kube-proxy, those of pods are taken`,
    ]
  }
  return []
}
