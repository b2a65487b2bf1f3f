/**
 * CoreDNS pods, read out of kube-proxy's own rules: nobody on the node knows them better, and no access to the API server
 * is needed. An address that kube-proxy does not know is taken for a CoreDNS itself.
 */
import type { Endpoint } from '../config/address.ts'
import type { IptablesVariant, KubeProxyMode, Target } from './facts.ts'
import type { RunProgram } from './run-program.ts'

/** Where the rules of kube-proxy are looked up. */
export interface ServiceSource {
  readonly run: RunProgram
  readonly kubeProxy: KubeProxyMode
  readonly variant: IptablesVariant | undefined
}

/**
 * @param services ClusterIPs of kube-dns and configured upstreams, in the order in which they are tried
 * @returns pods of the first that has any, by family
 */
export async function findStandby(
  source: ServiceSource,
  services: readonly Endpoint[],
): Promise<Target[]> {
  const found: Target[] = []
  for (const family of [4, 6] as const) {
    const candidates = services.filter((one) => one.family === family)
    if (candidates.length === 0) continue
    const lookup = await lookupOf(source, family)
    const known = candidates.map((one) => lookup(one))
    const pods = (await Promise.all(known)).find((targets) => targets.length > 0)
    found.push(...(pods ?? []))
  }
  // Always in the same order, so that the rules are the same while the pods are.
  return found.toSorted((a, b) => (`${a.address} ${a.port}` < `${b.address} ${b.port}` ? -1 : 1))
}

type Lookup = (service: Endpoint) => Promise<readonly Target[]> | readonly Target[]

async function lookupOf(source: ServiceSource, family: 4 | 6): Promise<Lookup> {
  const { run, kubeProxy, variant } = source
  if (kubeProxy === 'nftables') return (service) => nftTargets(run, service)
  if (kubeProxy === 'iptables' && variant !== undefined) {
    const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}-save`
    const { stdout } = await run(program, ['-t', 'nat'])
    return (service) => iptablesTargets(stdout, service)
  }
  // IPVS translates behind our nat chain, so that a ClusterIP is as good as a pod there.
  return (service) => [target(service.address, service.port)]
}

async function nftTargets(run: RunProgram, service: Endpoint): Promise<readonly Target[]> {
  const table = [service.family === 4 ? 'ip' : 'ip6', 'kube-proxy']
  const key = `{ ${service.address} . udp . ${service.port} }`
  const element = await run('nft', ['get', 'element', ...table, 'service-ips', key])
  // No such Service: this is the address of a CoreDNS. A map that is not there yet says the same, until the next look.
  if (!element.ok) return [target(service.address, service.port)]
  const chain = /: goto ([^\s,}]+)/.exec(element.stdout)?.[1]
  if (chain === undefined) return []
  const listed = await run('nft', ['list', 'chain', ...table, unquoted(chain)])
  const endpoints = [...listed.stdout.matchAll(/goto ([^\s,}]*endpoint-[^\s,}]+)/g)]
  const texts = await Promise.all(
    endpoints.map(([, name = '']) => run('nft', ['list', 'chain', ...table, unquoted(name)])),
  )
  return texts.flatMap(({ stdout }) => {
    const to = /dnat to (\S+)/.exec(stdout)?.[1]
    return to === undefined ? [] : [targetOfText(to)]
  })
}

function unquoted(name: string): string {
  return name.replaceAll('"', '')
}

/** @param saved output of `iptables-save -t nat` */
export function iptablesTargets(saved: string, service: Endpoint): readonly Target[] {
  const { address, port } = service
  const lines = saved.split('\n')
  const entry = lines.find(
    (line) =>
      line.startsWith(`-A KUBE-SERVICES -d ${address}/`) &&
      / -p udp /.test(line) &&
      line.includes(` --dport ${port} `),
  )
  if (entry === undefined) return [target(address, port)]
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
  return target(text.slice(0, colon).replaceAll(/[[\]]/g, ''), Number(text.slice(colon + 1)))
}

function target(address: string, port: number): Target {
  return { address, port, family: address.includes(':') ? 6 : 4 }
}
