/** What `neardns rehearse` is told: flags and configuration, read and checked. */
import { createHmac, randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { addressRange, parseIpAddress } from '../../address/ip-address.ts'
import type { Problem } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import { interceptedBy } from '../../daemon/intercept.ts'
import { type Cover, covered, uncovered } from '../../rehearsal/cover-names.ts'
import type { Arguments } from '../command-line/arguments.ts'
import { runArgsFrom } from '../command-line/run-arguments.ts'
import { isCorefile, isTemplate, readCorefileConfig } from '../nodelocal/corefile-config.ts'
import { readConfig, readText } from '../read-config.ts'

export interface RehearseOptions {
  readonly config: Config
  readonly servers: readonly string[]
  readonly isCache: boolean
  readonly forMs: number
  readonly cover: Cover
  readonly isJson: boolean
  /** A capture file in the place of the links. */
  readonly file: string | undefined
}

export type ReadOptions =
  | { readonly ok: true; readonly options: RehearseOptions }
  | { readonly ok: false; readonly why: string }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const forUsual = '5m'
/** Memory grows with the names that the pods ask for, and patience ends. */
const forHoursMax = 24

export async function readOptions(read: Arguments): Promise<ReadOptions> {
  const forMs = durationMs(read.flag('--for') ?? forUsual)
  if (forMs === undefined)
    return {
      ok: false,
      why: `--for ${read.flag('--for')}: it takes a time from 1s to ${forHoursMax}h, as in 90s, 5m, 1h`,
    }
  const loaded = await load(read)
  if (!loaded.ok) return loaded
  const { config } = loaded
  const servers = serversOf(read, config)
  if (!servers.ok) return servers
  const domain = `${config.clusterDomain}.`.replace(/\.+$/, '.')
  return {
    ok: true,
    options: {
      config,
      servers: servers.servers,
      isCache: read.has('--node-cache') || (!read.has('--read') && isOfThisNode(servers.servers)),
      forMs,
      cover: read.has('--names') ? uncovered : covered(newHash(), domain),
      isJson: read.has('--json'),
      file: read.flag('--read'),
    },
  }
}

type Loaded = { readonly ok: true; readonly config: Config } | (ReadOptions & { ok: false })

/** The file is a configuration of ours, or a Corefile of NodeLocal DNSCache. */
async function load({ flags }: Arguments): Promise<Loaded> {
  const args = runArgsFrom(flags)
  const { configFile: path, overrides } = args
  if (path === undefined) return readConfig(args)
  const file = await readText(path)
  if (!file.ok) return { ok: false, problems: [file.problem] }
  if (!isCorefile(file.text)) return readConfig(args)
  if (isTemplate(file.text))
    return {
      ok: false,
      why: `${path} is a template: neardns import ${path} > neardns.yaml, and rehearse with that`,
    }
  if (overrides.length > 0)
    return { ok: false, why: `--cluster-upstream: ${path} says whom to ask` }
  return readCorefileConfig(path, file.text)
}

type Servers = { readonly ok: true; readonly servers: readonly string[] }

function serversOf(read: Arguments, config: Config): Servers | { ok: false; why: string } {
  const given = read.flags.filter(({ name }) => name === '--server').map(({ value }) => value)
  for (const one of given)
    if (parseIpAddress(one) === undefined)
      return { ok: false, why: `--server takes an IP address, got ${JSON.stringify(one)}` }
  const own = [...config.listen, ...interceptedBy(config.interception)].map(
    ({ address }) => address,
  )
  const addresses = given.length > 0 ? given : own.filter(canBeAsked)
  const servers = [...new Set(addresses.flatMap((one) => parseIpAddress(one)?.address ?? []))]
  if (servers.length > 0) return { ok: true, servers }
  const why =
    "which addresses do the pods ask? Give --server IP for each `nameserver` of their resolv.conf, or --config with the node's listen addresses"
  return { ok: false, why }
}

function canBeAsked(address: string): boolean {
  return !['loopback', 'unspecified'].includes(addressRange(address))
}

/** On the link of kube-proxy's IPVS mode all Services have their addresses, and no cache answers. */
const serviceLink = 'kube-ipvs0'

function isOfThisNode(servers: readonly string[]): boolean {
  return Object.entries(networkInterfaces())
    .filter(([link]) => link !== serviceLink)
    .some(([, all]) => all?.some(({ address }) => servers.includes(address)))
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, '': 1000 }

function durationMs(text: string): number | undefined {
  const match = /^(\d{1,6})([smh]?)$/.exec(text)
  const ms = Number(match?.[1]) * (unitMs[match?.[2] ?? ''] ?? Number.NaN)
  return ms >= 1000 && ms <= forHoursMax * 3_600_000 ? ms : undefined
}

/** Keyed for this run alone: nobody can look a name up in two reports. */
function newHash(): (text: string) => string {
  const key = randomBytes(32)
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, 10)
}
