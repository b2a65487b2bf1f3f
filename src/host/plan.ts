/**
 * From settings and facts to what is to be on the node: backend, links, addresses, rules, and why. Pure; what it returns is
 * what `neardns rules show` prints and what the shells beside it apply.
 */
import type { InterceptionSettings } from '../config/schema.ts'
import type { DroppingChain, HostFacts, IptablesVariant, Target } from './facts.ts'
import { isKernelAtLeast } from './facts.ts'
import { type Trouble, trouble } from './trouble.ts'

export type Backend = 'nftables' | 'iptables' | 'none'
export type LinkKind = 'dummy' | 'bridge' | 'lo'

export interface PlannedAddress {
  readonly address: string
  readonly family: 4 | 6
  /** `own`: nobody else serves it. `service`: kube-proxy does while we do not. */
  readonly role: 'own' | 'service'
  /** Queries from the node itself are brought to us as well. */
  readonly forHost: boolean
  /** Link that has it already and is not ours; it is left there. */
  readonly foreignLink?: string
}

export interface Plan {
  readonly backend: Backend
  /** For the iptables backend, and for accept rules in chains of iptables. */
  readonly variant: IptablesVariant | undefined
  readonly port: number
  readonly link: { readonly name: string; readonly kinds: readonly LinkKind[] }
  readonly addresses: readonly PlannedAddress[]
  /** CoreDNS pods, for own addresses while the daemon is down. */
  readonly standby: readonly Target[]
  readonly accept: readonly DroppingChain[]
  readonly lifetimeMs: number
  readonly leaseSeconds: number
  /** Decisions in sentences, for the log and for people. */
  readonly why: readonly string[]
  readonly troubles: readonly Trouble[]
}

/** Kernel with `flags owner`. */
const ownedTables = { major: 5, minor: 12 }

export function makePlan(settings: InterceptionSettings, facts: HostFacts): Plan {
  const choice = chooseBackend(settings, facts)
  const addresses = choice.backend === 'none' ? [] : planAddresses(settings, facts)
  const standby = standbyFor(addresses, settings, facts)
  const isStranded = standby.length === 0 && addresses.some(({ role }) => role === 'own')
  const taken = addresses.filter(({ foreignLink }) => foreignLink !== undefined)
  return {
    backend: choice.backend,
    variant: facts.iptables,
    port: settings.port,
    link: planLink(settings, facts),
    addresses,
    standby,
    accept: choice.backend === 'nftables' ? facts.dropping : [],
    lifetimeMs: settings.lifetimeMs,
    leaseSeconds: settings.leaseSeconds,
    why: [...choice.why, ...whyAddresses(settings, facts)],
    troubles: [
      ...choice.troubles,
      ...taken.map(({ address, foreignLink }) =>
        trouble('address_taken', `${address} is on the link ${foreignLink}`),
      ),
      ...(isStranded
        ? [
            trouble(
              'standby_unknown',
              'no CoreDNS pod is known that could stand in for our addresses',
            ),
          ]
        : []),
    ],
  }
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
  const noNft = whyNoNft(facts)
  if (mode === 'nftables') {
    if (noNft === undefined) return only('nftables', 'mode is nftables')
    const kind = facts.nft === undefined ? 'program_missing' : 'kernel_too_old'
    return { backend: 'none', why: [], troubles: [trouble(kind, `mode is nftables, but ${noNft}`)] }
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
  const what = `iptables is not there${mode === 'auto' ? `, and ${noNft}` : ''}`
  return { backend: 'none', why: [], troubles: [trouble('program_missing', what)] }
}

function only(backend: Backend, why: string): BackendChoice {
  return { backend, why: [why], troubles: [] }
}

function whyNoNft({ nft, kernel }: HostFacts): string | undefined {
  if (nft === undefined) return 'nft is not there'
  if (isKernelAtLeast(kernel, ownedTables.major, ownedTables.minor)) return undefined
  return `kernel ${kernel} has no tables that die with their owner (5.12 has)`
}

function beside({ kubeProxy, iptables }: HostFacts): string {
  if (kubeProxy === 'none') return 'no rules of kube-proxy were found'
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
    // kube-proxy's nftables mode refuses what leaves the node for a ClusterIP and was not translated; pods are not
    // concerned, since they take the input path. The node's own queries are left to kube-proxy there.
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
  if (existing !== undefined) return { name, kinds: [] }
  return { name, kinds: kind === 'auto' ? (['dummy', 'bridge', 'lo'] as const) : [kind] }
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
