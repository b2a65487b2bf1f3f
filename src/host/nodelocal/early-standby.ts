/**
 * What a start in the place of node-cache does to a node before anything else, so that pods ask CoreDNS until this process serves: takes away
 * the rules of a killed node-cache that lead to a closed port, and makes the standby rule of our own addresses. One transaction without a
 * program: each of those takes as long as all of this. Needs no configuration. What it cannot do, `Interception.prepare` does later, and says.
 */
import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { type Endpoint, formatEndpoint } from '../../address/endpoint.ts'
import { addressBytes, type IpAddress } from '../../address/ip-address.ts'
import { leftoverRemovalText, nodeLocalRules } from '../backends/iptables-rules.ts'
import { standbyPattern, standbyRenewal, standbyTable } from '../backends/nft-rules.ts'
import {
  isKernelAtLeast,
  ownedTables,
  readUdpListeners,
  savedTable,
  type Target,
} from '../facts.ts'
import { podsInIptablesNft, podsInNftables, podsInSave } from '../kube-proxy/service-pods.ts'
import { readText } from '../nft/attributes.ts'
import { Expression } from '../nft/constants.ts'
import { type ExpressionFact, type RuleFact, readValue } from '../nft/decode.ts'
import type { NftChange } from '../nft/model.ts'
import type { Nftables } from '../nft/nftables.ts'
import { type NodeTools, usableNftables } from '../node-tools.ts'

export interface EarlyWish {
  /** To be served by this process, soon. */
  readonly addresses: readonly IpAddress[]
  readonly port: number
  readonly standbyExpiryMs: number
  /** `IP:port` of sockets that are this process's own already. */
  readonly held: readonly string[]
  /** Services behind which CoreDNS is, beside those among the addresses. */
  readonly services: readonly IpAddress[]
}

export interface EarlyTools extends NodeTools {
  /** @returns why some could not be forgotten */
  readonly forgetFlows: (to: readonly IpAddress[], port: number) => Promise<string | undefined>
}

/** @returns what was done or could not be, a sentence each */
export async function leadToCoredns(tools: EarlyTools, wish: EarlyWish): Promise<string[]> {
  if (await isServed(tools, wish)) return []
  const families = ([4, 6] as const).filter((family) =>
    wish.addresses.some((one) => one.family === family),
  )
  const found = await Promise.all(families.map((family) => lookAt(tools, wish, family)))
  return [...(await inNftables(tools, wish, found)), ...(await inLegacy(tools, wish, found))]
}

/** Another process on an address: a second DaemonSet, or one that is about to end, whose rules lead to it. */
async function isServed(
  { readProc }: NodeTools,
  { addresses, port, held }: EarlyWish,
): Promise<boolean> {
  const tables = await Promise.all(['udp', 'udp6'].map((name) => readProc(`/proc/net/${name}`)))
  const bound = new Set(tables.flatMap((table) => readUdpListeners(table, port)))
  const others = addresses.filter((one) => !held.includes(formatEndpoint({ ...one, port })))
  return others.some(({ address }) => bound.has(address))
}

interface Found {
  readonly family: 4 | 6
  /** Of our addresses, those that kube-proxy has no rules for. */
  readonly own: readonly IpAddress[]
  /** Pods of the first Service that has any. */
  readonly pods: readonly Target[]
  /** Output of the legacy save program; empty when the kernel has no such tables. */
  readonly saved: string
}

async function lookAt(
  { run, readProc, ...tools }: NodeTools,
  { addresses, services, port }: EarlyWish,
  family: 4 | 6,
): Promise<Found> {
  const nftables = usableNftables({ run, readProc, ...tools })
  const [names, program] =
    family === 4
      ? ['/proc/net/ip_tables_names', 'iptables-legacy-save']
      : ['/proc/net/ip6_tables_names', 'ip6tables-legacy-save']
  const saved = (await readProc(names)) === '' ? '' : (await run(program, [])).stdout
  const podsOf = async (service: Endpoint) =>
    (nftables && (await podsInNftables(nftables, service))) ??
    (nftables && (await podsInIptablesNft(nftables, service))) ??
    podsInSave(saved, service)
  const own: IpAddress[] = []
  const pods: Target[][] = []
  for (const one of addresses.filter((each) => each.family === family)) {
    const behind = await podsOf({ ...one, port })
    if (behind === undefined) own.push(one)
    else pods.push([...behind])
  }
  for (const one of services.filter((each) => each.family === family)) {
    pods.push([...((await podsOf({ ...one, port })) ?? [])])
  }
  return { family, own, pods: pods.find(({ length }) => length > 0) ?? [], saved }
}

async function inNftables(
  tools: EarlyTools,
  wish: EarlyWish,
  found: readonly Found[],
): Promise<string[]> {
  const nftables = usableNftables(tools)
  if (nftables === undefined) return []
  const removed = await leftoverRules(nftables, wish, found)
  const standby = standbyChange(wish, found)
  const changes = [...removed, ...standby]
  if (changes.length === 0) return []
  const tables = (await nftables.tables()).map(({ name }) => name)
  const done = await nftables.change(changes)
  if (!done.ok) return [`the way to CoreDNS could not be made before the start: ${done.why}`]
  const said = removed.length === 0 ? [] : [saidOf(removed.length)]
  if (standby.length === 0) return said
  const own = found.flatMap((one) => one.own)
  // Flows that a standby has translated go on; their replies would be lost.
  const isFirst = !tables.some((name) => standbyPattern.test(name))
  const why = isFirst ? await tools.forgetFlows(own, wish.port) : undefined
  const pods = found.flatMap(({ pods: some }) => some.map(({ address }) => address))
  return [
    ...said,
    `until this process serves, CoreDNS does: ${pods.join(', ')}`,
    ...(why === undefined ? [] : [`flows that began before are not translated: ${why}`]),
  ]
}

function saidOf(rules: number): string {
  return `${rules} rules of a node-cache removed, which led to a closed port`
}

/** NodeLocal's NOTRACK rules; what else it left does no harm. With or without its comment, by any version of iptables-nft. */
async function leftoverRules(
  nftables: Nftables,
  { addresses }: EarlyWish,
  found: readonly Found[],
): Promise<NftChange[]> {
  const changes: NftChange[] = []
  for (const { family } of found) {
    const ours = addresses.filter((one) => one.family === family).map(({ address }) => address)
    const bytes = ours.map(addressBytes)
    for (const chain of ['PREROUTING', 'OUTPUT']) {
      const at = { family: family === 4 ? 'ip' : 'ip6', table: 'raw', chain } as const
      const rules = (await nftables.rules(at)).filter((rule) => isNotrackFor(rule, bytes))
      changes.push(...rules.map(({ handle }) => ({ kind: 'deleteRule', at, handle }) as const))
    }
  }
  return changes
}

function isNotrackFor({ expressions }: RuleFact, addresses: readonly Uint8Array[]): boolean {
  const compared = expressions
    .filter(({ name }) => name === 'cmp')
    .flatMap(({ data }) => readValue(data.get(Expression.compare.data)) ?? [])
  const isOurs = addresses.some((one) => compared.some((value) => value.equals(one)))
  return isOurs && expressions.some(isNotrack)
}

function isNotrack({ name, data }: ExpressionFact): boolean {
  if (name === 'notrack') return true
  return name === 'target' && /^(CT|NOTRACK)$/.test(readText(data.get(Expression.xtables.name)))
}

/** Nothing without pods: a standby that is there already knows some. */
function standbyChange(
  { addresses, port, standbyExpiryMs }: EarlyWish,
  found: readonly Found[],
): NftChange[] {
  const isOwn = (one: IpAddress) => found.some(({ own }) => own.includes(one))
  const standby = found.flatMap(({ pods }) => pods)
  const isOf = found.some(({ own, pods }) => own.length > 0 && pods.length > 0)
  // With older kernels the standby is iptables'. In IPVS mode kube-proxy has no rules that name pods.
  const canBe = isKernelAtLeast(release(), ownedTables.major, ownedTables.minor)
  if (!isOf || !canBe || existsSync('/sys/class/net/kube-ipvs0')) return []
  const planned = addresses.map((one) => ({
    ...one,
    role: isOwn(one) ? ('own' as const) : ('service' as const),
    forHost: true,
  }))
  const plan = { addresses: planned, port, standby, standbyExpiryMs }
  return [{ kind: 'replaceTable', table: standbyTable(plan) }, ...standbyRenewal(plan)]
}

async function inLegacy(
  { run }: NodeTools,
  { addresses }: EarlyWish,
  found: readonly Found[],
): Promise<string[]> {
  const ours = addresses.map(({ address }) => address)
  const said: string[] = []
  for (const { family, saved } of found) {
    const origin = { family, variant: 'legacy', table: 'raw' } as const
    const rules = nodeLocalRules(savedTable(saved, 'raw'), ours, origin)
    if (rules.length === 0) continue
    const program = `${family === 4 ? 'iptables' : 'ip6tables'}-legacy-restore`
    const ran = await run(program, ['--noflush', '--wait', '5'], leftoverRemovalText(rules))
    said.push(ran.ok ? saidOf(rules.length) : `${program}: ${ran.stderr}`)
  }
  return said
}
