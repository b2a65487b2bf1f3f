/**
 * The search path's judges: a CoreDNS of a given version and Corefile over a made-up cluster that can be changed, and a
 * neardns in front of it at a given trust level, with what it says about itself.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Server } from '../client/dns-client.ts'
import { Coredns, untilReady } from '../coredns.ts'
import { readExposition } from '../exposition.ts'
import { freePort } from '../free-port.ts'
import { Neardns } from '../neardns.ts'
import { place } from '../world/behind-veth.ts'
import { KubeApi } from '../world/kube-api.ts'
import type { KubeWorld } from '../world/kube-world.ts'

export interface ClusterOptions {
  readonly world: KubeWorld
  /** Version as in needs.ts. */
  readonly version?: string
  /** Server blocks, given the port to serve on, lines for every block, and the API's address. */
  readonly corefile: (parts: CorefileParts) => string | Promise<string>
}

export interface CorefileParts {
  readonly port: number
  /** `bind`, `errors`, `ready`: to be put into the block of the cluster zone. */
  readonly base: string
  readonly apiUrl: string
  /** For zone files; removed at the end. */
  readonly directory: string
}

/** Names outside the cluster, made up on the spot: plugins of a server block. */
export const outsideNames = `  template IN A example.test {
    answer "{{ .Name }} 60 IN A 192.0.2.53"
  }
  template IN AAAA example.test {
    answer "{{ .Name }} 60 IN AAAA 2001:db8::53"
  }
  template IN ANY nxdomain.test {
    rcode NXDOMAIN
    authority "nxdomain.test 60 IN SOA ns.nxdomain.test. hostmaster.nxdomain.test. 1 7200 1800 86400 60"
  }
`

/** kubeadm's server block, but that names outside the cluster are made up on the spot. */
export function plainCorefile(
  { port, base, apiUrl }: Omit<CorefileParts, 'directory'>,
  { pods = 'insecure', ttl = 5, before = '', inside = '', after = '' } = {},
): string {
  return `.:${port} {
${base}
${before}
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    endpoint ${apiUrl}
    pods ${pods}
    ttl ${ttl}
    ${inside}
  }
${outsideNames}}
${after}
`
}

/** A cluster's DNS. */
export class Cluster {
  readonly api: KubeApi
  readonly coredns: Coredns
  readonly direct: Server
  /** Path of a copy of its Corefile. */
  readonly corefile: string
  readonly #directory: string

  private constructor(api: KubeApi, coredns: Coredns, direct: Server, directory: string) {
    this.api = api
    this.coredns = coredns
    this.direct = direct
    this.corefile = join(directory, 'Corefile')
    this.#directory = directory
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const api = await KubeApi.start(options.world)
    const direct = { host: '127.0.0.1', port: await freePort() }
    const ready = `127.0.0.1:${await freePort()}`
    const directory = await mkdtemp(join(tmpdir(), 'neardns-search-'))
    const hosts = [...new Set(['127.0.0.1', place.ownHost])].join(' ')
    const base = `  bind ${hosts}\n  errors\n  reload\n  ready ${ready}`
    const corefile = await options.corefile({ port: direct.port, base, apiUrl: api.url, directory })
    const { version } = options
    const coredns = await Coredns.start({ corefile, ...(version === undefined ? {} : { version }) })
    const cluster = new Cluster(api, coredns, direct, directory)
    await writeFile(cluster.corefile, corefile)
    await untilReady(`http://${ready}`)
    return cluster
  }

  async stop(): Promise<void> {
    await this.coredns.stop()
    await this.api.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

export const trustLevels = ['cautious', 'declared', 'verified'] as const
export type TrustLevel = (typeof trustLevels)[number]

/** The settings that bring a trust level about, given the cluster that it is about. */
export function settingsFor(level: TrustLevel, { corefile }: Cluster): SearchSettings {
  return level === 'verified' ? { trust: 'auto', corefile } : { trust: level }
}

/** One daemon at each trust level; all or none. */
export async function startAtEachLevel(
  cluster: Cluster,
  settings: SearchSettings,
): Promise<SearchDaemon[]> {
  const daemons: SearchDaemon[] = []
  try {
    // One after another, so that none finds its free port taken by the next.
    for (const level of trustLevels) {
      const whole = { ...settingsFor(level, cluster), ...settings }
      daemons.push(await SearchDaemon.start(cluster.direct, whole))
    }
    return daemons
  } catch (error) {
    for (const daemon of daemons) await daemon.stop()
    throw error
  }
}

/** What stands below `searchPath:` in the configuration. */
export type SearchSettings = Readonly<Record<string, unknown>>

/** The daemon under test. */
export class SearchDaemon {
  readonly proxy: Server
  readonly #neardns: Neardns
  readonly #admin: string
  readonly #directory: string

  private constructor(neardns: Neardns, proxy: Server, admin: string, directory: string) {
    this.#neardns = neardns
    this.proxy = proxy
    this.#admin = admin
    this.#directory = directory
  }

  /**
   * Tries again with other ports: those that were free when they were looked for may be taken by another test by now.
   * @param more other sections of the configuration
   */
  static async start(
    upstream: Server,
    searchPath: SearchSettings,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<SearchDaemon> {
    const config = { searchPath, ...place.settings, ...more }
    try {
      return await SearchDaemon.startOnce(upstream, config)
    } catch {
      return await SearchDaemon.startOnce(upstream, config)
    }
  }

  private static async startOnce(
    upstream: Server,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<SearchDaemon> {
    const proxy = { host: place.daemonHost, port: await freePort() }
    const admin = `${place.daemonHost}:${await freePort()}`
    const directory = await mkdtemp(join(tmpdir(), 'neardns-search-'))
    const config = join(directory, 'neardns.yaml')
    // JSON is YAML.
    await writeFile(config, JSON.stringify(settings))
    const server = `${place.ownHost}:${upstream.port}`
    const neardns = await Neardns.start({
      netns: place.netns,
      args: [
        `--config=${config}`,
        `--listen=${proxy.host}:${proxy.port}`,
        `--cluster-upstream=${server}`,
        `--upstream=${server}`,
        `--admin=${admin}`,
      ],
    })
    return new SearchDaemon(neardns, proxy, admin, directory)
  }

  /** The sum of a metric's series with these labels; 0 when there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const response = await fetch(`http://${this.#admin}/metrics`)
    const family = readExposition(await response.text()).get(name)
    const fitting = (family?.series ?? []).filter((series) =>
      Object.entries(labels).every(([key, value]) => series.labels.get(key) === value),
    )
    return fitting.reduce((sum, { value }) => sum + value, 0)
  }

  /** Denials that were given without asking. */
  async synthesised(): Promise<number> {
    return await this.metric('neardns_search_synthesised_total')
  }

  async mismatches(): Promise<number> {
    return await this.metric('neardns_search_mismatch_total')
  }

  /** The trust level in force. */
  async level(): Promise<string> {
    for (const level of trustLevels) {
      if ((await this.metric('neardns_search_trust_info', { level })) === 1) return level
    }
    return 'none'
  }

  /** Names of denials that the daemon itself has found wrong. */
  complaints(): string[] {
    return this.#neardns
      .log()
      .filter(({ msg }) => msg?.startsWith('search path: a denial of ours was wrong') === true)
      .map((line) => String(line['name']))
  }

  async stop(): Promise<void> {
    await this.#neardns.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }
}
