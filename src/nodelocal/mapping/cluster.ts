/** Which zone of a Corefile is the cluster's domain. node-cache does not care; our cluster group knows CoreDNS, and answers more by itself. */
import type { Block } from '../blocks.ts'
import type { ZoneAnswer } from './answers.ts'

/** What points to the domain beside its name. */
export interface ClusterHints {
  /** Address of the cluster's DNS, as `__PILLAR__CLUSTER__DNS__` is replaced. */
  readonly clusterDns?: string | undefined
}

/** The usual name, and our own default. */
export const usualDomain = 'cluster.local'

/** @returns undefined when no zone of the file is the domain */
export function clusterDomainOf(
  answers: readonly ZoneAnswer[],
  blocks: readonly Block[],
  { clusterDns }: ClusterHints,
): string | undefined {
  const candidates = answers.filter(({ zone, answer }) => !isGeneral(zone) && isAsked(answer))
  const reverse = answers.find(({ zone }) => zone === 'in-addr.arpa')
  const found =
    candidates.find(({ zone }) => zone === usualDomain) ??
    candidates.find((one) => names(one).some(isAt(clusterDns))) ??
    candidates.find((one) => reverse && names(one).some((text) => names(reverse).includes(text))) ??
    candidates.find(({ zone }) => blocks.some((block) => serves(block, zone) && block.has.health))
  return found?.zone
}

function isGeneral(zone: string): boolean {
  return zone === '.' || zone.endsWith('in-addr.arpa') || zone.endsWith('ip6.arpa')
}

function isAsked({ asks }: ZoneAnswer['answer']): boolean {
  return asks !== undefined && asks.upstreams.length > 0
}

function names({ answer }: ZoneAnswer): readonly string[] {
  return answer.asks?.upstreams ?? []
}

/** Whether an upstream of our settings has an address; none has one that is not known. */
export function isAt(address: string | undefined): (upstream: string) => boolean {
  return (upstream) =>
    address !== undefined &&
    (upstream.includes(`//${address}:`) || upstream.includes(`//[${address}]:`))
}

function serves({ labels }: Block, zone: string): boolean {
  return labels.some(({ zones }) => zones.includes(zone))
}
