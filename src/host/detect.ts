/** Looks at the node: asks its tools and /proc, changes nothing. What a tool cannot say is taken as absent. */
import { readFile } from 'node:fs/promises'
import { release } from 'node:os'
import type { Endpoint } from '../config/address.ts'
import type { InterceptionSettings } from '../config/schema.ts'
import {
  type DroppingChain,
  type HostFacts,
  type IptablesVariant,
  type KubeProxyMode,
  type LeftoverRule,
  nftObjects,
  readDroppingChains,
  readDroppingPolicies,
  readLinks,
  readUdpListeners,
  savedTable,
} from './facts.ts'
import { nodeLocalRules } from './iptables-rules.ts'
import type { RunProgram } from './run-program.ts'
import { findStandby } from './standby-targets.ts'

export interface Detection {
  readonly run: RunProgram
  readonly settings: InterceptionSettings
  /** Upstreams of the cluster group; its ClusterIP leads to the CoreDNS pods. */
  readonly clusterUpstreams: readonly Endpoint[]
  /** Sockets of our own on each address: another one is somebody else's. */
  readonly ownSockets?: number
}

export async function detect(detection: Detection): Promise<HostFacts> {
  const { run, settings } = detection
  const [nft, links, chains] = await Promise.all([
    run('nft', ['--version']),
    run('ip', ['-json', '-details', 'address', 'show']),
    run('nft', ['--json', 'list', 'chains']),
  ])
  const saves = await readSaves(run)
  const linkFacts = readLinks(links.stdout)
  const variant = chooseVariant(saves)
  const kubeProxy = kubeProxyMode(
    chains.stdout,
    saves,
    linkFacts.map(({ name }) => name),
  )
  const wanted = [...settings.addresses, ...settings.clusterIps].map(({ address }) => address)
  return {
    kernel: release(),
    nft: nft.ok ? (/v(\d[\w.]*)/.exec(nft.stdout)?.[1] ?? 'unknown') : undefined,
    iptables: variant,
    kubeProxy,
    links: linkFacts,
    dropping: droppingChains(chains.stdout, saves),
    standby:
      settings.addresses.length === 0
        ? []
        : await findStandby({ run, kubeProxy, variant }, serviceCandidates(detection)),
    leftovers: saves.flatMap((save) => leftoversIn(save, wanted)),
    servedByOthers: await othersOn(wanted, settings.port, detection.ownSockets ?? 0),
  }
}

function serviceCandidates({ settings, clusterUpstreams }: Detection): Endpoint[] {
  const services = settings.clusterIps.map((one) => ({ ...one, port: settings.port }))
  return [...services, ...clusterUpstreams]
}

/** What the save programs of one variant and family print, by table. */
interface Save {
  readonly variant: IptablesVariant
  readonly family: 4 | 6
  readonly isThere: boolean
  readonly text: string
}

async function readSaves(run: RunProgram): Promise<Save[]> {
  const wanted = (['nft', 'legacy'] as const).flatMap((variant) =>
    ([4, 6] as const).map((family) => ({ variant, family })),
  )
  return await Promise.all(
    wanted.map(async ({ variant, family }) => {
      const ran = await run(`${family === 4 ? 'iptables' : 'ip6tables'}-${variant}-save`, [])
      return { variant, family, isThere: ran.ok, text: ran.stdout }
    }),
  )
}

/** kube-proxy's and the kubelet's chains decide; else where there are rules; else nft, which needs no modules of its own. */
function chooseVariant(saves: readonly Save[]): IptablesVariant | undefined {
  const there = saves.filter(({ isThere }) => isThere)
  const score = ({ text, variant }: Save) =>
    (/^:KUBE-(?:SERVICES|IPTABLES-HINT|KUBELET-CANARY|PROXY-CANARY) /m.test(text) ? 1e9 : 0) +
    (text.match(/^-A /gm)?.length ?? 0) * 2 +
    (variant === 'nft' ? 1 : 0)
  return there.toSorted((a, b) => score(b) - score(a))[0]?.variant
}

function kubeProxyMode(
  chains: string,
  saves: readonly Save[],
  links: readonly string[],
): KubeProxyMode {
  if (links.includes('kube-ipvs0')) return 'ipvs'
  const isNft = nftObjects(chains).some(({ chain }) => chain?.table === 'kube-proxy')
  if (isNft) return 'nftables'
  return saves.some(({ text }) => text.includes('\n:KUBE-SERVICES ')) ? 'iptables' : 'none'
}

function droppingChains(chains: string, saves: readonly Save[]): DroppingChain[] {
  const legacy = saves
    .filter(({ variant }) => variant === 'legacy')
    .flatMap(({ text, family }) => readDroppingPolicies(text, family === 4 ? 'ip' : 'ip6'))
  return [...readDroppingChains(chains), ...legacy]
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
  addresses: readonly string[],
  port: number,
  ownSockets: number,
): Promise<string[]> {
  const tables = await Promise.all(['udp', 'udp6'].map((name) => readProc(`/proc/net/${name}`)))
  const bound = tables.flatMap((table) => readUdpListeners(table, port))
  return addresses.filter((address) => bound.filter((one) => one === address).length > ownSockets)
}

async function readProc(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1')
  } catch {
    return ''
  }
}
