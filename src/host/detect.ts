/** Looks at the node: reads the kernel, its tools and /proc, changes nothing. Facts that cannot be read are named, not guessed. */
import { release } from 'node:os'
import type { Endpoint } from '../address/endpoint.ts'
import type { InterceptionSettings } from '../config/schema.ts'
import { isListening } from './answers.ts'
import { nodeLocalRules } from './backends/iptables-rules.ts'
import {
  type GuardedChain,
  type HostFacts,
  type IptablesVariant,
  type KubeProxyMode,
  type LeftoverRule,
  readLinks,
  readUdpListeners,
  savedTable,
} from './facts.ts'
import { guardedChains, guardedInSave } from './firewall/guarded-chains.ts'
import { findStandby, type ServiceSource, type StandbyFound } from './kube-proxy/standby-targets.ts'
import type { Nftables } from './nft/nftables.ts'
import { type NodeTools, usableNftables } from './node-tools.ts'

export interface Detection {
  readonly tools: NodeTools
  readonly settings: InterceptionSettings
  /** Upstreams of the cluster group; its ClusterIP leads to the CoreDNS pods. */
  readonly clusterUpstreams: readonly Endpoint[]
  /** Sockets of this daemon on each address: any other belongs to another process. */
  readonly ownSockets?: number
}

export async function detect(detection: Detection): Promise<HostFacts> {
  const { tools, settings } = detection
  const { run, nftables } = tools
  const nft = usableNftables(tools)
  const [links, saves, isNftMode, guarded] = await Promise.all([
    run('ip', ['-json', '-details', 'address', 'show']),
    readSaves(tools),
    hasKubeProxyTable(nft),
    nft === undefined ? [] : guardedChains(nft, settings.port),
  ])
  const linkFacts = readLinks(links.stdout)
  const variant = chooseVariant(saves)
  const names = linkFacts.map(({ name }) => name)
  const kubeProxy = kubeProxyMode(saves, names, isNftMode)
  const wanted = [...settings.addresses, ...settings.clusterIps].map(({ address }) => address)
  const source = { run, nftables: nft, kubeProxy, variant }
  const standby = await standbyNow(source, detection)
  return {
    kernel: release(),
    noNftables: typeof nftables === 'string' ? nftables : undefined,
    iptables: variant,
    kubeProxy,
    links: linkFacts,
    guarded: [...guarded, ...guardedInSaves(saves)],
    standby: standby.targets,
    standbyGaps: standby.gaps,
    unreadable: saves.flatMap(({ unreadable }) => unreadable ?? []),
    leftovers: saves.flatMap((save) => leftoversIn(save, wanted)),
    servedByOthers: await othersOn(detection, wanted),
  }
}

/** The part of the facts that changes with each roll-out of CoreDNS. */
export async function standbyNow(
  source: ServiceSource,
  { settings, clusterUpstreams }: Pick<Detection, 'settings' | 'clusterUpstreams'>,
): Promise<StandbyFound> {
  if (settings.addresses.length === 0) return { targets: [], gaps: [] }
  const own = settings.clusterIps.map((one) => ({ ...one, port: settings.port }))
  const known = new Set([...own.map(({ address }) => address), ...serviceHosts(process.env)])
  const isClusterIp = (address: string) => known.has(address)
  const services = [...own, ...clusterUpstreams]
  return await findStandby(source, { services, isClusterIp, isListening })
}

/** ClusterIPs in the environment, which the kubelet puts there. */
function serviceHosts(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    name.endsWith('_SERVICE_HOST') && value !== undefined ? [value] : [],
  )
}

/** Output of the save program of one variant and family. */
interface Save {
  readonly variant: IptablesVariant
  readonly family: 4 | 6
  readonly isThere: boolean
  readonly text: string
  /** Why tables that exist could not be read. */
  readonly unreadable?: string
}

async function readSaves({ run, readProc }: NodeTools): Promise<Save[]> {
  const wanted = (['nft', 'legacy'] as const).flatMap((variant) =>
    ([4, 6] as const).map((family) => ({ variant, family })),
  )
  return await Promise.all(
    wanted.map(async ({ variant, family }) => {
      const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}-save`
      const ran = await run(program, [])
      const save = { variant, family, isThere: ran.ok, text: ran.stdout }
      if (ran.ok || variant === 'nft') return save
      const names = await readProc(`/proc/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`)
      // The kernel lists the tables that were used in this network namespace.
      const tables = names.trim().replaceAll('\n', ', ')
      if (tables === '') return save
      const why = ran.isMissing ? 'the program is not there' : (ran.stderr.split('\n')[0] ?? '')
      return { ...save, unreadable: `${program}: the node has such tables (${tables}), but ${why}` }
    }),
  )
}

/** The variant with chains of kube-proxy or the kubelet; else the one with rules; else nft, which needs no modules of its own. */
function chooseVariant(saves: readonly Save[]): IptablesVariant | undefined {
  const score = ({ text, variant }: Save) =>
    (/^:KUBE-SERVICES /m.test(text) ? 2e9 : 0) +
    (/^:KUBE-(?:IPTABLES-HINT|KUBELET-CANARY|PROXY-CANARY) /m.test(text) ? 1e9 : 0) +
    (text.match(/^-A /gm)?.length ?? 0) * 2 +
    (variant === 'nft' ? 1 : 0)
  const best = saves.filter(({ isThere }) => isThere).toSorted((a, b) => score(b) - score(a))[0]
  // Unreadable rules could be kube-proxy's: the other variant would be a guess.
  const isGuess = best === undefined || score(best) < 1e9
  return isGuess && saves.some(({ unreadable }) => unreadable !== undefined)
    ? undefined
    : best?.variant
}

function kubeProxyMode(
  saves: readonly Save[],
  links: readonly string[],
  isNftMode: boolean,
): KubeProxyMode {
  if (links.includes('kube-ipvs0')) return 'ipvs'
  if (isNftMode) return 'nftables'
  if (saves.some(({ text }) => text.includes('\n:KUBE-SERVICES '))) return 'iptables'
  return saves.some(({ unreadable }) => unreadable !== undefined) ? 'unreadable' : 'none'
}

async function hasKubeProxyTable(nftables: Nftables | undefined): Promise<boolean> {
  const tables = (await nftables?.tables()) ?? []
  return tables.some(({ name }) => name === 'kube-proxy')
}

/** The mode of kube-proxy whose rules are in the kernel's nftables now. */
export async function kubeProxyIn(
  nftables: Nftables,
): Promise<'nftables' | 'iptables' | undefined> {
  if (await hasKubeProxyTable(nftables)) return 'nftables'
  for (const family of ['ip', 'ip6'] as const) {
    const at = { family, table: 'nat', chain: 'KUBE-SERVICES' }
    if ((await nftables.rules(at)).length > 0) return 'iptables'
  }
  return undefined
}

function guardedInSaves(saves: readonly Save[]): GuardedChain[] {
  return saves
    .filter(({ variant }) => variant === 'legacy')
    .flatMap(({ text, family }) => guardedInSave(text, family === 4 ? 'ip' : 'ip6'))
}

function leftoversIn(
  { text, variant, family }: Save,
  addresses: readonly string[],
): LeftoverRule[] {
  return (['raw', 'filter'] as const).flatMap((table) =>
    nodeLocalRules(savedTable(text, table), addresses, { family, variant, table }),
  )
}

async function othersOn(
  { tools, settings, ownSockets = 0 }: Detection,
  addresses: readonly string[],
): Promise<string[]> {
  const files = ['udp', 'udp6'].map((name) => tools.readProc(`/proc/net/${name}`))
  const bound = (await Promise.all(files)).flatMap((table) =>
    readUdpListeners(table, settings.port),
  )
  return addresses.filter((address) => bound.filter((one) => one === address).length > ownSockets)
}
