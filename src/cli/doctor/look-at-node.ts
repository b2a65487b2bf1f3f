/** Reads from the kernel what `doctor` judges of a node. Changes nothing. */
import { formatEndpoint } from '../../address/endpoint.ts'
import type { Config } from '../../config/schema.ts'
import { ReadCorefileFiles } from '../../daemon/corefile-files.ts'
import { judgeTrust } from '../../daemon/search-trust.ts'
import { detect } from '../../host/detect.ts'
import { type Nftables, openNftables } from '../../host/nft/nftables.ts'
import { readProc, usableNftables } from '../../host/node-tools.ts'
import { makePlan, type Plan } from '../../host/plan.ts'
import { runProgram } from '../../host/run-program.ts'
import { textAt } from '../../platform/text-at.ts'
import type { LookedAtNode } from './node-findings.ts'
import { probe } from './probe.ts'

export async function lookAtNode(
  config: Config,
  installedMs: number,
): Promise<Omit<LookedAtNode, 'tracked'>> {
  const opened = await openNftables()
  const tools = { run: runProgram, readProc, nftables: opened.ok ? opened.nftables : opened.why }
  const nftables = usableNftables(tools)
  try {
    const { interception: settings, cluster } = config
    const facts = await detect({ tools, settings, clusterUpstreams: cluster.upstreams })
    const plan = makePlan(settings, facts)
    const [tables, saved, connections, clockSource] = await Promise.all([
      tablesOf(nftables),
      savedFor(plan),
      readConnections(),
      readProc('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    ])
    return {
      ...{ config, plan, tables, saved, connections, installedMs },
      clockSource: clockSource.trim() || undefined,
      nowMs: Date.now(),
      trust: trustOf(config),
      standby: await askStandby(config, plan),
    }
  } finally {
    await nftables?.close()
  }
}

/** @returns flows that the kernel tracks, in their original direction; undefined when it does not show them */
export async function trackedFlows(): Promise<ReadonlySet<string> | undefined> {
  const text = await readProc('/proc/net/nf_conntrack')
  if (text === '') return undefined
  return new Set(text.match(/src=\S+ dst=\S+ sport=\d+ dport=53\b(?=.*\bsrc=)/g) ?? [])
}

/** Tables of ours, with what is done in their base chains. */
async function tablesOf(nftables: Nftables | undefined): Promise<LookedAtNode['tables']> {
  if (nftables === undefined) return undefined
  const tables = (await nftables.tables()).filter(({ name }) => name.startsWith('neardns-'))
  const chains = await nftables.baseChains()
  const found = await Promise.all(
    tables.map(async ({ name }) => {
      const own = chains.filter(({ table }) => table === name)
      const rules = (await Promise.all(own.map((at) => nftables.rules(at)))).flat()
      const kinds = rules.flatMap(({ expressions }) => expressions.map((one) => one.name))
      return [name, [...new Set(kinds)]] as const
    }),
  )
  return new Map(found)
}

async function askStandby(
  { clusterDomain }: Config,
  { standby }: Plan,
): Promise<LookedAtNode['standby']> {
  const question = { name: `kubernetes.default.svc.${clusterDomain}`, type: 'A' }
  return await Promise.all(
    standby.map(async (target) => {
      const { failures } = await probe(target, 'udp', { question, times: 1 })
      return { place: formatEndpoint(target), failures }
    }),
  )
}

async function savedFor({ backend, variant }: Plan): Promise<string | undefined> {
  if (backend !== 'iptables' || variant === undefined) return undefined
  return (await runProgram(`iptables-${variant}-save`, [])).stdout
}

async function readConnections(): Promise<LookedAtNode['connections']> {
  const directory = '/proc/sys/net/netfilter'
  const [count, max] = await Promise.all(
    ['nf_conntrack_count', 'nf_conntrack_max'].map((name) => readProc(`${directory}/${name}`)),
  )
  return count && max ? { count: Number(count), max: Number(max) } : undefined
}

/** As the daemon judges it, unless there is nothing to deny. */
function trustOf(config: Config): LookedAtNode['trust'] {
  if (config.cluster.upstreams.length === 0) return undefined
  const path = config.searchPath.corefile
  const text = path === null ? undefined : textAt(path)
  const source =
    path === null || text === undefined ? undefined : { text, files: new ReadCorefileFiles(path) }
  return judgeTrust(config, source)
}
