/**
 * The flags of node-cache (NodeLocal DNSCache), those that it has from CoreDNS included: names, defaults, values and mistakes. Reads no
 * file and no environment. Sources: cmd/node-cache/main.go of kubernetes-sigs/node-local-dns, coremain/run.go of CoreDNS 1.14.
 */
import type { IpAddress } from '../address/ip-address.ts'
import { parseAddress } from '../config/address.ts'
import { parseSyncInterval } from './go-duration.ts'
import { type GoFlag, readGoFlags } from './go-flags.ts'
import { type GoListen, parseGoListen } from './go-listen.ts'

export interface NodeCacheFlags {
  /** `-localip`: without repetitions, in the order written; one at least. */
  readonly localIps: readonly IpAddress[]
  /** `-p`, `-dns.port`. */
  readonly port: number
  readonly setupInterface: boolean
  readonly setupIptables: boolean
  /**
   * `-skipteardown`; undefined when it is not given: node-cache then removes all at its end, and we keep the standby, which lets an
   * upgrade lose nothing.
   */
  readonly skipTeardown: boolean | undefined
  readonly interfaceName: string
  /** `-basecorefile`: the template. */
  readonly baseCorefile: string
  /** `-conf`, else `-corefile`: what is rendered from the template, or the Corefile itself where there is no template. */
  readonly corefile: string
  /** `-kubednscm`; undefined: `/etc/kube-dns` if there is such a directory. */
  readonly kubeDnsDirectory: string | undefined
  /** `-upstreamsvc`: name of the Service whose address becomes `__PILLAR__CLUSTER__DNS__`. */
  readonly upstreamService: string
  /** `-metrics-listen-address`; undefined when it is empty. */
  readonly metricsListen: GoListen | undefined
  /** `-prometheus-listen-address` as written, for `__PROMETHEUS__ENDPOINT__`. */
  readonly prometheusListen: string
  /** `-health-port`: node-cache writes rules for it and nothing else; the health plugin has its own address. */
  readonly healthPort: number
  /** `-syncinterval`, seconds. */
  readonly syncSeconds: number
  readonly pidFile: string | undefined
}

export type ReadNodeCacheFlags =
  | { readonly kind: 'serve'; readonly flags: NodeCacheFlags }
  | { readonly kind: 'help' | 'version' | 'plugins' }
  | { readonly kind: 'mistake'; readonly why: string }

/** Flags with a value, and their defaults. */
const textDefaults = {
  localip: '',
  interfacename: 'nodelocaldns',
  syncinterval: '60',
  'metrics-listen-address': '0.0.0.0:9353',
  'prometheus-listen-address': ':9253',
  basecorefile: '/etc/coredns/Corefile.base',
  corefile: '/etc/Corefile',
  kubednscm: '',
  upstreamsvc: 'kube-dns',
  'health-port': '8080',
  conf: '',
  'dns.port': '53',
  p: '53',
  pidfile: '',
} as const

const switchDefaults = {
  setupinterface: true,
  setupiptables: true,
  skipteardown: false,
  reloadwithsignal: false,
  plugins: false,
  version: false,
  quiet: false,
} as const

/** Flags that are seen beside node-cache's and are not its own. */
const foreign = new Map([
  ['setupebtables', 'node-cache has not had it since 2021; leave it out'],
  ['forwardonexit', "a vendor's flag that node-cache does not have; leave it out"],
  ['nodelocaldnscm', 'write -basecorefile FILE, whose directory is watched'],
  ['config', 'write -conf FILE'],
])

export const nodeCacheFlagRules = {
  texts: new Set<string>(Object.keys(textDefaults)),
  switches: new Set<string>(Object.keys(switchDefaults)),
  foreign,
}

/** @param argv without the program's name */
export function readNodeCacheFlags(argv: readonly string[]): ReadNodeCacheFlags {
  const read = readGoFlags(argv, nodeCacheFlagRules)
  if (!read.ok) return mistake(read.why)
  if (read.isHelp) return { kind: 'help' }
  const values = new Values(read.flags)
  // node-cache wants a valid -localip for these as well, and sets up links first.
  if (values.isOn('version')) return { kind: 'version' }
  if (values.isOn('plugins')) return { kind: 'plugins' }
  const flags = flagsFrom(values)
  return values.mistakes.length > 0 ? mistake(values.mistakes.join('; ')) : { kind: 'serve', flags }
}

function mistake(why: string): ReadNodeCacheFlags {
  return { kind: 'mistake', why }
}

/** What was written, or the default; and what is wrong with it. */
class Values {
  readonly mistakes: string[] = []
  private readonly written: ReadonlyMap<string, string>

  constructor(flags: readonly GoFlag[]) {
    // The last one counts. -p and -dns.port are one setting.
    this.written = new Map(
      flags.map(({ name, value }) => [name === 'p' ? 'dns.port' : name, value]),
    )
  }

  text(name: keyof typeof textDefaults): string {
    return this.written.get(name) ?? textDefaults[name]
  }

  isOn(name: keyof typeof switchDefaults): boolean {
    const value = this.written.get(name)
    return value === undefined ? switchDefaults[name] : value === 'true'
  }

  isGiven(name: keyof typeof switchDefaults): boolean {
    return this.written.has(name)
  }

  port(name: 'dns.port' | 'health-port'): number {
    const text = this.text(name)
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
    return port >= 1 && port <= 65_535
      ? port
      : this.wrong(`-${name} ${JSON.stringify(text)} is no port; expected 1 to 65535`, 1)
  }

  /** @returns a value to go on with, so that all mistakes are found */
  wrong<T>(why: string, instead: T): T {
    this.mistakes.push(why)
    return instead
  }
}

function flagsFrom(values: Values): NodeCacheFlags {
  const conf = values.text('conf')
  if (conf === 'stdin') values.wrong('-conf stdin: write the path of a Corefile', conf)
  return {
    localIps: localIps(values),
    port: values.port('dns.port'),
    setupInterface: values.isOn('setupinterface'),
    setupIptables: values.isOn('setupiptables'),
    skipTeardown: values.isGiven('skipteardown') ? values.isOn('skipteardown') : undefined,
    interfaceName: interfaceName(values),
    baseCorefile: values.text('basecorefile'),
    corefile: conf === '' ? values.text('corefile') : conf,
    kubeDnsDirectory: values.text('kubednscm') || undefined,
    upstreamService: upstreamService(values),
    metricsListen: metricsListen(values),
    prometheusListen: values.text('prometheus-listen-address'),
    healthPort: values.port('health-port'),
    syncSeconds: syncSeconds(values),
    pidFile: values.text('pidfile') || undefined,
  }
}

function localIps(values: Values): IpAddress[] {
  const text = values.text('localip')
  if (text === '') {
    const example = '-localip 169.254.20.10,10.96.0.10'
    return values.wrong(`-localip is missing; write the addresses to serve, as ${example}`, [])
  }
  const found = new Map<string, IpAddress>()
  for (const part of text.split(',')) {
    const parsed = parseAddress(part)
    if (parsed.ok) found.set(parsed.value.address, parsed.value)
    else values.wrong(`-localip: ${parsed.why}; expected addresses with commas between`, undefined)
  }
  return [...found.values()]
}

function interfaceName(values: Values): string {
  const name = values.text('interfacename')
  // The kernel's IFNAMSIZ is 16 with the closing NUL.
  if (/^[\w.-]{1,15}$/.test(name)) return name
  const expected = 'expected 1 to 15 of letters, digits, _ . -'
  return values.wrong(`-interfacename ${JSON.stringify(name)} is no link name; ${expected}`, name)
}

function upstreamService(values: Values): string {
  const name = values.text('upstreamsvc')
  // What a Service may be called: a label of RFC 1035.
  if (/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name
  const expected = 'expected one as kube-dns-upstream'
  return values.wrong(
    `-upstreamsvc ${JSON.stringify(name)} is no name of a Service; ${expected}`,
    name,
  )
}

function metricsListen(values: Values): GoListen | undefined {
  const text = values.text('metrics-listen-address')
  if (text === '') return undefined
  const parsed = parseGoListen(text)
  return parsed.ok
    ? parsed.value
    : values.wrong(`-metrics-listen-address: ${parsed.why}`, undefined)
}

function syncSeconds(values: Values): number {
  const text = values.text('syncinterval')
  const expected = 'expected one as 60s; node-cache itself takes 60ns for 60 s'
  return (
    parseSyncInterval(text) ??
    values.wrong(`-syncinterval ${JSON.stringify(text)} is no time; ${expected}`, 1)
  )
}
