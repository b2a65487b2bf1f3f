/**
 * Finds CoreDNS pods for the standby rule: those that kube-proxy has for the configured Services. Unreadable rules are reported, not
 * guessed: a packet is translated once, so a standby rule to a ClusterIP leads nowhere.
 */
import { type Endpoint, formatEndpoint } from '../../address/endpoint.ts'
import type { IptablesVariant, KubeProxyMode, Target } from '../facts.ts'
import type { Nftables } from '../nft/nftables.ts'
import type { RunProgram } from '../run-program.ts'
import { podsInIptablesNft, podsInNftables, podsInSave, type ServicePods } from './service-pods.ts'

/** Sources for the rules of kube-proxy. */
export interface ServiceSource {
  readonly run: RunProgram
  /** Undefined when the kernel's nftables cannot be used. */
  readonly nftables: Nftables | undefined
  readonly kubeProxy: KubeProxyMode
  readonly variant: IptablesVariant | undefined
}

export interface StandbyWanted {
  /** ClusterIPs of kube-dns and configured upstreams, in the order in which they are tried. */
  readonly services: readonly Endpoint[]
  /** Whether an address certainly is a Service's. */
  readonly isClusterIp: (address: string) => boolean
  /** Whether a server listens there. An address that kube-proxy has no rules for can only be a DNS server itself. */
  readonly isListening: (server: Endpoint) => Promise<boolean>
}

export interface StandbyFound {
  /** Pods of the first Service that has any, for each family; in the same order while they are the same. */
  readonly targets: readonly Target[]
  /** Why Services gave no pods, for families without any. */
  readonly gaps: readonly string[]
}

export async function findStandby(
  source: ServiceSource,
  wanted: StandbyWanted,
): Promise<StandbyFound> {
  const found: StandbyFound[] = []
  for (const family of [4, 6] as const) {
    const candidates = wanted.services.filter((one) => one.family === family)
    if (candidates.length === 0) continue
    const read = await readerOf(source, family)
    const lookUp = async (service: Endpoint) =>
      await podsOrReason(source, service, { ...wanted, read })
    found.push(await firstWithPods(candidates, lookUp))
  }
  const order = ({ address, port }: Target) => `${address} ${port}`
  const targets = found.flatMap((one) => one.targets)
  return {
    targets: targets.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)),
    gaps: found.flatMap(({ gaps }) => gaps),
  }
}

/** @returns pods, or why there are none */
async function podsOrReason(
  source: ServiceSource,
  service: Endpoint,
  wanted: StandbyWanted & { readonly read: ServiceReader },
): Promise<readonly Target[] | string> {
  const known = await wanted.read(service)
  if (known !== undefined) return known
  const found = await unknownService(source, service, wanted)
  // Rules that were added meanwhile may have led the handshake to a pod.
  return (await wanted.read(service)) ?? found
}

async function firstWithPods(
  candidates: readonly Endpoint[],
  lookUp: (service: Endpoint) => Promise<readonly Target[] | string>,
): Promise<StandbyFound> {
  const gaps: string[] = []
  for (const service of candidates) {
    const found = await lookUp(service)
    if (typeof found === 'string') gaps.push(found)
    else if (found.length > 0) return { targets: found, gaps: [] }
    else gaps.push(`${nameOf(service)} has no ready pod`)
  }
  return { targets: [], gaps }
}

type ServiceReader = (service: Endpoint) => Promise<ServicePods> | ServicePods

/** kube-proxy may be changing its mode: the rules of either mode in nftables count, whichever mode was seen last. */
async function readerOf(source: ServiceSource, family: 4 | 6): Promise<ServiceReader> {
  const { run, nftables, kubeProxy, variant } = source
  if (kubeProxy === 'iptables' && (variant === 'legacy' || nftables === undefined)) {
    const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${variant ?? 'nft'}-save`
    const { stdout } = await run(program, ['-t', 'nat'])
    return (service) => podsInSave(stdout, service)
  }
  if (nftables === undefined) return () => undefined
  return async (service) =>
    (await podsInNftables(nftables, service)) ?? (await podsInIptablesNft(nftables, service))
}

/** @returns the address itself when it can be a target, else why not */
async function unknownService(
  { kubeProxy }: ServiceSource,
  service: Endpoint,
  { isClusterIp, isListening }: StandbyWanted,
): Promise<readonly Target[] | string> {
  const { address, port, family } = service
  const target = [{ address, port, family }]
  // IPVS translates after our nat chain, so a ClusterIP is as good as a pod.
  if (kubeProxy === 'ipvs') return target
  if (kubeProxy === 'unreadable')
    return `${formatEndpoint(service)}: kube-proxy's rules cannot be read`
  const none =
    kubeProxy === 'none'
      ? 'there is no kube-proxy'
      : `kube-proxy (${kubeProxy}) has no rules for it`
  if (isClusterIp(address)) return `${nameOf(service)}: ${none}`
  if (await isListening(service)) return target
  return `${formatEndpoint(service)}: ${none}, and nobody listens there`
}

function nameOf(service: Endpoint): string {
  return `the Service at ${formatEndpoint(service)}`
}
