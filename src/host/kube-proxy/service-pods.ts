/**
 * Reads the pods behind a Service from kube-proxy's own rules: no source on the node is fresher, and no access to the
 * API server is needed. Each mode of kube-proxy has its reader; both follow jumps and maps to the DNAT statements, so they
 * do not depend on how a version of kube-proxy balances the load. Reads, changes nothing.
 */

import type { Endpoint } from '../../address/endpoint.ts'
import { addressBytes, addressText } from '../../address/ip-address.ts'
import type { Target } from '../facts.ts'
import { readNumber32, readText } from '../nft/attributes.ts'
import { Expression, protocolNumber } from '../nft/constants.ts'
import {
  chainOf,
  destinationWord,
  type ElementFact,
  type ExpressionFact,
  type RuleFact,
  readValue,
  valueIn,
} from '../nft/decode.ts'
import { wordOf } from '../nft/expressions.ts'
import type { NftFamily, Place } from '../nft/model.ts'
import type { Nftables } from '../nft/nftables.ts'

/** `undefined`: kube-proxy has no rules for such a Service. */
export type ServicePods = readonly Target[] | undefined

const wordBytes = 4
/** The Service's chain, the endpoints' chains, and one in between for affinity or topology. */
const depthMax = 4

/** kube-proxy in nftables mode: the map `service-ips` leads to the Service's chain. */
export async function podsInNftables(nftables: Nftables, service: Endpoint): Promise<ServicePods> {
  const family = familyOf(service)
  const map = { family, table: 'kube-proxy', set: 'service-ips' }
  const found = await nftables.element(map, serviceKey(service))
  if (found?.chain === undefined) return undefined
  return await podsBehind(nftables, { family, table: 'kube-proxy', chain: found.chain }, service)
}

/** kube-proxy in iptables mode, nft variant: the rule for the Service in KUBE-SERVICES leads to its chain. */
export async function podsInIptablesNft(
  nftables: Nftables,
  service: Endpoint,
): Promise<ServicePods> {
  const at = { family: familyOf(service), table: 'nat', chain: 'KUBE-SERVICES' }
  const rules = await nftables.rules(at)
  const chain = rules.find((rule) => isForService(rule, service))?.expressions.map(chainOf)
  const name = chain?.find((one) => one !== undefined)
  return name === undefined
    ? undefined
    : await podsBehind(nftables, { ...at, chain: name }, service)
}

/** kube-proxy in iptables mode, from the output of `iptables-save -t nat`. */
export function podsInSave(saved: string, { address, port }: Endpoint): ServicePods {
  const lines = saved.split('\n')
  const entry = lines.find(
    (line) =>
      line.startsWith(`-A KUBE-SERVICES -d ${address}/`) &&
      / -p udp /.test(line) &&
      line.includes(` --dport ${port} `),
  )
  if (entry === undefined) return undefined
  const chain = jumpOf(entry)
  const endpoints = lines.filter(
    (line) => line.startsWith(`-A ${chain} `) && jumpOf(line).startsWith('KUBE-SEP-'),
  )
  return endpoints.flatMap((line) => {
    const head = `-A ${jumpOf(line)} `
    const translation = lines.find((one) => one.startsWith(head) && one.includes(' -j DNAT '))
    const to = /--to-destination (\S+)/.exec(translation ?? '')?.[1]
    return to === undefined ? [] : [targetOfText(to)]
  })
}

function jumpOf(line: string): string {
  return / -j (\S+)/.exec(line)?.[1] ?? ''
}

/** `10.244.0.2:53` or `[fd00::2]:53`. */
function targetOfText(text: string): Target {
  const colon = text.lastIndexOf(':')
  const address = text.slice(0, colon).replaceAll(/[[\]]/g, '')
  return { address, port: Number(text.slice(colon + 1)), family: address.includes(':') ? 6 : 4 }
}

function familyOf({ family }: Endpoint): NftFamily {
  return family === 4 ? 'ip' : 'ip6'
}

/** Address, protocol and port, each padded to whole words. */
function serviceKey({ address, port }: Endpoint): Buffer {
  const protocol = Buffer.from([protocolNumber.udp, 0, 0, 0])
  return Buffer.concat([
    addressBytes(address),
    protocol,
    Buffer.from([port >> 8, port & 255, 0, 0]),
  ])
}

/** Matches `-d ADDRESS -p udp --dport PORT -j CHAIN`, in either form in which iptables writes the port. */
function isForService({ expressions }: RuleFact, { address, port }: Endpoint): boolean {
  const compared = expressions
    .filter(({ name }) => name === 'cmp')
    .flatMap(({ data }) => readValue(data.get(Expression.compare.data)) ?? [])
  const has = (wanted: Uint8Array) => compared.some((value) => value.equals(wanted))
  const isPort =
    has(Buffer.from([port >> 8, port & 255])) ||
    expressions.some((one) => destinationPortOfMatch(one) === port)
  return has(addressBytes(address)) && has(Uint8Array.of(protocolNumber.udp)) && isPort
}

/** `struct xt_udp`: first and last source port, first and last destination port, in the machine's byte order. */
function destinationPortOfMatch({ name, data }: ExpressionFact): number | undefined {
  if (name !== 'match' || readText(data.get(Expression.xtables.name)) !== 'udp') return undefined
  const info = data.get(Expression.xtables.info)
  return info !== undefined && info.length >= 8 ? info.readUInt16LE(4) : undefined
}

async function podsBehind(nftables: Nftables, start: Place, service: Endpoint): Promise<Target[]> {
  const found = new Map<string, Target>()
  const seen = new Set<string>()
  const visit = async (at: Place, depth: number): Promise<void> => {
    if (seen.has(at.chain) || depth > depthMax) return
    seen.add(at.chain)
    for (const rule of await nftables.rules(at)) {
      const read = await readTranslation(nftables, at, rule, service.family)
      for (const target of read.targets) found.set(`${target.address} ${target.port}`, target)
      for (const chain of read.chains) await visit({ ...at, chain }, depth + 1)
    }
  }
  await visit(start, 0)
  return [...found.values()]
}

interface Translation {
  readonly targets: readonly Target[]
  readonly chains: readonly string[]
}

/** Evaluates a rule as the kernel does, to learn what the registers hold when `nat` reads them. */
async function readTranslation(
  nftables: Nftables,
  at: Place,
  { expressions }: RuleFact,
  family: 4 | 6,
): Promise<Translation> {
  const targets: Target[] = []
  const chains: string[] = []
  const registers: { word: number; values: readonly Buffer[] }[] = []
  for (const one of expressions) {
    const chain = chainOf(one)
    if (chain !== undefined) chains.push(chain)
    const word = destinationWord(one)
    if (one.name === 'immediate' && word !== undefined) {
      registers.push({ word, values: [valueIn(one) ?? Buffer.alloc(0)] })
    } else if (one.name === 'lookup') {
      const elements = await elementsOf(nftables, at, one)
      chains.push(...elements.flatMap((element) => element.chain ?? []))
      const values = elements.flatMap((element) => element.value ?? [])
      if (word !== undefined) registers.push({ word, values })
    } else if (one.name === 'nat') targets.push(...targetsOf(one, registers, family))
    else targets.push(...targetsOfXtables(one, family))
  }
  return { targets, chains }
}

async function elementsOf(
  nftables: Nftables,
  { family, table }: Place,
  { data }: ExpressionFact,
): Promise<readonly ElementFact[]> {
  // A lookup without a destination register only tests membership.
  if (!data.has(Expression.lookup.destination)) return []
  return await nftables.elements({ family, table, set: readText(data.get(Expression.lookup.set)) })
}

function targetsOf(
  { data }: ExpressionFact,
  registers: readonly { word: number; values: readonly Buffer[] }[],
  family: 4 | 6,
): Target[] {
  const addressRegister = readNumber32(data.get(Expression.nat.address))
  const portRegister = readNumber32(data.get(Expression.nat.port))
  if (addressRegister === undefined || portRegister === undefined) return []
  const [length, words] = family === 4 ? [4, 1] : [16, 4]
  const held = (word: number, bytes: number) => {
    const holder = registers.findLast(
      (one) =>
        one.word <= word &&
        one.values.some((value) => (word - one.word) * wordBytes < value.length),
    )
    const offset = (word - (holder?.word ?? 0)) * wordBytes
    return (holder?.values ?? []).map((value) => value.subarray(offset, offset + bytes))
  }
  const addresses = held(wordOf(addressRegister), length)
  const ports = held(wordOf(portRegister), 2)
  return addresses.flatMap((bytes, i) => {
    const port = ports[i]
    if (bytes.length < words * wordBytes || port === undefined || port.length < 2) return []
    return [{ address: addressText(bytes), port: port.readUInt16BE(0), family }]
  })
}

/**
 * The target DNAT: revision 0 is `nf_nat_ipv4_multi_range_compat`, later ones begin as `nf_nat_range`: flags, first and last address of
 * 16 bytes, first and last port.
 */
function targetsOfXtables({ name, data }: ExpressionFact, family: 4 | 6): Target[] {
  if (name !== 'target' || readText(data.get(Expression.xtables.name)) !== 'DNAT') return []
  const info = data.get(Expression.xtables.info)
  const revision = readNumber32(data.get(Expression.xtables.revision)) ?? 0
  if (info === undefined || info.length < (revision === 0 ? 20 : 40)) return []
  const [address, port] = revision === 0 ? [8, 16] : [4, 36]
  const length = family === 4 ? 4 : 16
  return [
    {
      address: addressText(info.subarray(address, address + length)),
      port: info.readUInt16BE(port),
      family,
    },
  ]
}
