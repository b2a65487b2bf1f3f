/** node-cache's flags and files to a checked configuration. Loads the schema; node-cache.ts has what the running daemon needs. */
import { isDeepStrictEqual } from 'node:util'
import type { ConfigResult } from '../../config/load.ts'
import { at } from '../../config/partial.ts'
import { type Path, type Problem, pathText } from '../../config/problem.ts'
import { clusterIpsAmong } from '../../host/cluster-ips.ts'
import { openNftables } from '../../host/nft/nftables.ts'
import { readProc, usableNftables } from '../../host/node-tools.ts'
import { runProgram } from '../../host/run-program.ts'
import type { NodeCacheFlags } from '../../nodelocal/flags.ts'
import { type KubeDnsConfig, noKubeDns, readKubeDns } from '../../nodelocal/kube-dns.ts'
import { renderCorefile, serviceAddress, serviceVariable } from '../../nodelocal/render.ts'
import {
  isOnNode,
  type NodeFacts,
  nodeCacheSettings,
  olderNamesVariable,
  wildcardFor,
  wishesIn,
} from '../../nodelocal/settings.ts'
import { type Translation, translate } from '../../nodelocal/translate.ts'
import { createLog } from '../../observe/log.ts'
import { textAt } from '../../platform/text-at.ts'
import { patternEngineFor } from '../nodelocal/corefile-config.ts'
import { addressesOfLink, checkConfig, localAddresses } from '../read-config.ts'
import { type NodeCacheFiles, readNodeCacheFiles, writeRendered } from './node-files.ts'

export interface Remark {
  readonly where: string
  readonly message: string
}

export interface NodeCacheReading {
  readonly flags: NodeCacheFlags
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A wrong ConfigMap of kube-dns keeps a running daemon as it is; at the start it counts as empty, as in node-cache. */
  readonly isStart: boolean
  /** The rendered Corefile is not written. Default: false. */
  readonly isReadOnly?: boolean
  /** Told what differs from node-cache on purpose, and what is left out. */
  readonly remark: (remark: Remark) => void
}

export interface NodeCacheConfig {
  readonly result: ConfigResult
  /** As read; the files that the Corefile names included. */
  readonly files: NodeCacheFiles
}

/** The first reading, with its remarks in the log. @param said what this start has done to the node already */
export async function readForStart(
  flags: NodeCacheFlags,
  environment: NodeCacheReading['environment'],
  said: readonly string[],
): Promise<NodeCacheConfig> {
  const log = createLog({ level: 'info' })
  const remark = ({ where, message }: Remark) => log.info({ where }, message)
  for (const message of said) remark({ where: '-localip', message })
  const read = await readNodeCacheConfig({ flags, environment, isStart: true, remark })
  // This process is about to replace itself.
  await log.flush()
  return read
}

export async function readNodeCacheConfig(reading: NodeCacheReading): Promise<NodeCacheConfig> {
  const { flags } = reading
  const files = readNodeCacheFiles(flags)
  const rendered = render(reading, files)
  if (!rendered.ok) return { result: rendered, files }
  const facts = await lookAtNode(reading)
  const engine = await patternEngineFor(rendered.text)
  const translation = translate(rendered.text, {
    ...engine,
    file: flags.corefile,
    environment: (name) => reading.environment[name],
    files: files.named,
    port: flags.port,
    wildcard: wildcardFor(flags, facts),
    // Our link is not there at the first start.
    addressesOf: (link) =>
      link === flags.interfaceName && isOnNode(flags)
        ? flags.localIps.map(({ address }) => address)
        : addressesOfLink(link),
    upstreamService: flags.upstreamService,
    ...optional('clusterDns', clusterDnsOf(reading)),
  })
  for (const { message, ...place } of translation.notes) {
    reading.remark({ where: whereOf(place), message })
  }
  return { result: await check(reading, translation, facts), files }
}

type Rendered = { readonly ok: true; readonly text: string } | (ConfigResult & { ok: false })

function render(reading: NodeCacheReading, files: NodeCacheFiles): Rendered {
  const { flags } = reading
  const { template, corefile } = files
  if (template === undefined) {
    if (corefile !== undefined) return { ok: true, text: corefile }
    const message = `cannot be read, and neither can the template ${flags.baseCorefile}; mount one of them`
    return refuse([{ where: flags.corefile, path: '', message }])
  }
  const kubeDns = kubeDnsOf(reading, files)
  if ('ok' in kubeDns) return kubeDns
  const { localIps, port, prometheusListen } = flags
  const text = renderCorefile(template, {
    localIps: localIps.map(({ address }) => address),
    areOnNode: isOnNode(flags),
    port,
    clusterDns: clusterDnsOf(reading),
    prometheusListen,
    kubeDns,
  })
  if (text === undefined) return refuse([noService(flags)])
  if (reading.isReadOnly === true) return { ok: true, text }
  const why = writeRendered(flags.corefile, text)
  if (why !== undefined) {
    const message = `the rendered Corefile cannot be written there (${why}); it is used all the same`
    reading.remark({ where: flags.corefile, message })
  }
  return { ok: true, text }
}

function kubeDnsOf(
  { isStart, remark }: NodeCacheReading,
  { kubeDns, kubeDnsDirectory }: NodeCacheFiles,
): KubeDnsConfig | (ConfigResult & { ok: false }) {
  const read = readKubeDns((key) => kubeDns.get(key))
  if (read.ok) return read.config
  if (!isStart) {
    return refuse(read.problems.map((message) => ({ where: kubeDnsDirectory, path: '', message })))
  }
  for (const message of read.problems) {
    remark({ where: kubeDnsDirectory, message: `${message}; left out until it is right` })
  }
  return noKubeDns
}

function noService({ baseCorefile, upstreamService }: NodeCacheFlags): Problem {
  const variable = serviceVariable(upstreamService)
  return {
    where: baseCorefile,
    path: '',
    message: `__PILLAR__CLUSTER__DNS__ is the address of the Service ${upstreamService}, and ${variable} is not set to one: create that Service in this namespace before the pod, or name the right one in -upstreamsvc`,
  }
}

function clusterDnsOf({ flags, environment }: NodeCacheReading): string | undefined {
  return serviceAddress(environment, flags.upstreamService)
}

async function lookAtNode({ flags, environment }: NodeCacheReading): Promise<NodeFacts> {
  const hasIpv6 = textAt('/proc/net/if_inet6') !== undefined
  if (!isOnNode(flags)) return { clusterIps: [], hasIpv6 }
  const services = new Set(
    Object.entries(environment).flatMap(([name, value]) =>
      name.endsWith('_SERVICE_HOST') && value !== undefined ? [value] : [],
    ),
  )
  const known = flags.localIps.filter(({ address }) => services.has(address))
  const others = flags.localIps.filter(({ address }) => !services.has(address))
  const opened = await openNftables()
  const nftables = opened.ok ? opened.nftables : opened.why
  const tools = { run: runProgram, readProc, nftables }
  try {
    const candidates = others.map((one) => ({ ...one, port: flags.port }))
    const found = await clusterIpsAmong(tools, candidates)
    return { clusterIps: [...known.map(({ address }) => address), ...found], hasIpv6 }
  } finally {
    await usableNftables(tools)?.close()
  }
}

async function check(
  { flags, environment, remark }: NodeCacheReading,
  { settings, problems }: Translation,
  facts: NodeFacts,
): Promise<ConfigResult> {
  if (settings === undefined) {
    return refuse(
      problems.map(({ message, cure, ...place }) => ({
        where: whereOf(place),
        path: '',
        message: cure === '' ? message : `${message}; ${cure}`,
      })),
    )
  }
  const value = nodeCacheSettings(flags, settings, facts, wishesIn(environment))
  if (isOnNode(flags)) remark(whatIsWhose(flags, facts))
  return checkConfig({
    settings: {
      name: flags.corefile,
      value,
      originOf: (path) => originIn(flags, { translated: settings, value }, path),
    },
    hasOrigins: true,
    localAddresses: localAddresses(),
  })
}

/** What the flags, or a variable, have put in the place of the Corefile's settings is theirs. */
function originIn(
  { corefile }: NodeCacheFlags,
  { translated, value }: Readonly<Record<'translated' | 'value', unknown>>,
  path: Path,
): string {
  if (pathText(path) === 'admin.olderNames') return olderNamesVariable
  return isDeepStrictEqual(at(translated, path), at(value, path)) ? corefile : 'flags of node-cache'
}

function whatIsWhose({ localIps }: NodeCacheFlags, { clusterIps }: NodeFacts): Remark {
  const isService = (address: string) => clusterIps.includes(address)
  const of = (is: boolean) =>
    localIps.map(({ address }) => address).filter((one) => isService(one) === is)
  const [own, services] = [false, true].map((is) => of(is).join(', ') || 'none')
  const message = `ours: ${own}; of a Service, which kube-proxy serves while we do not: ${services}; a wildcard in bind would mean these`
  return { where: '-localip', message }
}

function refuse(problems: readonly Problem[]): ConfigResult & { ok: false } {
  return { ok: false, problems }
}

function whereOf({ file, line, column }: { file: string; line: number; column: number }): string {
  return `${file}:${line}:${column}`
}

function optional<K extends string>(key: K, value: string | undefined): { [name in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [name in K]?: string }
}
