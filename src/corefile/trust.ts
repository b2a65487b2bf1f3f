/**
 * Decides whether CoreDNS's own Corefile proves that only its `kubernetes` plugin answers for the cluster domain. That
 * proof is the trust level "verified": a name that such a CoreDNS cannot have may be denied without asking. A false
 * yes sends clients to strangers, a false no costs some queries, so every doubt is a no, with its line and a cure.
 * Pure. The decision and its reasons: docs/decisions/0008-which-corefiles-are-trusted.md.
 */
import type { Corefile, ServerBlock } from './corefile.ts'
import { type CorefileDirective, type CorefileProblem, placeOf } from './directive.ts'
import { type CorefileFiles, noFiles } from './files.ts'
import { type CorefileLabel, isPlainZone, isWithin } from './label.ts'
import { dangerOf, mayTouch } from './plugins.ts'

/** @param clusterDomain as in the settings; letter case and a trailing dot do not matter */
export function judgeCorefile(
  corefile: Corefile,
  clusterDomain: string,
  files: CorefileFiles = noFiles,
): CorefileVerdict {
  const domain = clusterDomain.toLowerCase().replace(/\.$/, '')
  const reasons = [
    ...corefile.unresolvedImports.map((unresolved) => ({
      ...placeOf(unresolved),
      message: `\`import ${shortened(unresolved.pattern)}\` cannot be read from here and may hold anything; mount its directory at the same path as in CoreDNS, write its lines in its place, or declare what it serves in searchPath.carveOuts`,
    })),
    ...labelReasons(corefile.blocks, domain),
  ]
  const block = servingBlock(corefile.blocks, domain, reasons)
  if (block === undefined) return refuse(reasons)
  reasons.push(...directiveReasons(block, domain, files), ...reloadReasons(corefile.blocks, block))
  const kubernetes = kubernetesOf(block, domain, reasons)
  if (kubernetes === undefined || reasons.length > 0) return refuse(reasons)
  return { trusted: true, ...kubernetes }
}

export type CorefileVerdict =
  | ({ readonly trusted: true } & KubernetesFacts)
  | {
      readonly trusted: false
      /** By line, at least one, at most 50. */
      readonly reasons: readonly CorefileProblem[]
    }

/** Options of the trusted `kubernetes` that change which names can exist. */
export interface KubernetesFacts {
  /** Of its answers and its SOA's MINIMUM, 0-3600. */
  readonly ttlSeconds: number
  /** The cluster domain is (also) a ClusterSet's: one more label is possible before a service. */
  readonly multicluster: boolean
  /** Names with `_zone` before a headless service exist. */
  readonly zonal: boolean
  readonly podsMode: PodsMode
}

export type PodsMode = 'disabled' | 'insecure' | 'verified'

const reasonsMax = 50
const ttlDefaultSeconds = 5
const ttlMaxSeconds = 3600
/** Options that narrow the names of `kubernetes`, or say how it watches; none adds a name of another shape. */
const harmlessOptions: ReadonlySet<string> = new Set([
  'endpoint_pod_names',
  'namespaces',
  'endpoint',
  'tls',
  'labels',
  'namespace_labels',
  'ignore',
  'noendpoints',
  'kubeconfig',
  'startup_timeout',
  'apiserver_qps',
  'apiserver_burst',
  'apiserver_max_inflight',
])

function labelReasons(blocks: readonly ServerBlock[], domain: string): CorefileProblem[] {
  return blocks.flatMap((block) =>
    block.labels.flatMap((label) => {
      const name = shortened(label.text)
      if (!label.zones.every(isPlainZone)) {
        const message = `which zone "${name}" is cannot be told from here; write the name itself`
        return [{ ...placeOf({ ...block, line: label.line }), message }]
      }
      if (!label.zones.some((zone) => isBelow(zone, domain))) return []
      const message = `the server block for "${name}" answers names below ${domain}; list it in searchPath.carveOuts`
      return [{ ...placeOf({ ...block, line: label.line }), message }]
    }),
  )
}

/**
 * The one block that answers for `domain` on every port: the longest zone wins on each port, and the Corefile does not say
 * which port is behind the Service.
 */
function servingBlock(
  blocks: readonly ServerBlock[],
  domain: string,
  reasons: CorefileProblem[],
): ServerBlock | undefined {
  const ofPort = new Map<string | number, Candidate[]>()
  for (const block of blocks) {
    for (const label of block.labels) {
      const depth = coveringDepth(label, domain)
      if (depth === undefined) continue
      const port = label.port ?? label.scheme
      ofPort.set(port, [...(ofPort.get(port) ?? []), { block, depth }])
    }
  }
  const serving = new Set([...ofPort.values()].flatMap(deepest))
  const [first, second] = serving
  if (first === undefined) reasons.push({ line: 1, message: `no server block serves ${domain}` })
  if (second === undefined) return first
  const message = `this server block answers for ${domain} too, beside the one in line ${first?.line}; which of them is asked cannot be told from here`
  reasons.push({ ...placeOf(second), message })
  return undefined
}

interface Candidate {
  readonly block: ServerBlock
  readonly depth: number
}

/** Characters of the label's longest zone that `domain` is in; the root has 0. */
function coveringDepth(label: CorefileLabel, domain: string): number | undefined {
  const depths = label.zones
    .filter((zone) => isWithin(domain, zone))
    .map((zone) => (zone === '.' ? 0 : zone.length))
  return depths.length === 0 ? undefined : Math.max(...depths)
}

function deepest(candidates: readonly Candidate[]): ServerBlock[] {
  const depth = Math.max(...candidates.map((candidate) => candidate.depth))
  return candidates.filter((candidate) => candidate.depth === depth).map(({ block }) => block)
}

function directiveReasons(
  block: ServerBlock,
  domain: string,
  files: CorefileFiles,
): CorefileProblem[] {
  return block.directives
    .filter(({ name }) => name !== 'kubernetes')
    .flatMap((directive) => {
      const message = dangerOf(directive, domain, files)
      return message === undefined ? [] : [{ ...placeOf(directive), message }]
    })
}

/** `reload` watches the whole Corefile, in whichever block it stands. */
function reloadReasons(blocks: readonly ServerBlock[], serving: ServerBlock): CorefileProblem[] {
  const reloads = blocks.some(({ directives }) => directives.some(({ name }) => name === 'reload'))
  if (reloads) return []
  const message = 'without `reload` CoreDNS may still run an older Corefile than this; add `reload`'
  return [{ ...placeOf(serving), message }]
}

function kubernetesOf(
  block: ServerBlock,
  domain: string,
  reasons: CorefileProblem[],
): KubernetesFacts | undefined {
  const [kubernetes, again] = block.directives.filter(({ name }) => name === 'kubernetes')
  if (kubernetes === undefined) {
    const message = `the server block that answers for ${domain} has no \`kubernetes\``
    reasons.push({ ...placeOf(block), message })
    return undefined
  }
  if (again)
    reasons.push({ ...placeOf(again), message: 'a second `kubernetes` in one server block' })
  const why = zoneDanger(kubernetes, block, domain)
  if (why !== undefined) reasons.push({ ...placeOf(kubernetes), message: why })
  const options = kubernetes.block ?? []
  for (const option of options) {
    const message = optionDanger(option, domain)
    if (message !== undefined) reasons.push({ ...placeOf(option), message })
  }
  return factsOf(options, domain)
}

/** `kubernetes` strips its longest matching zone from a name and parses the rest: that zone must be the domain. */
function zoneDanger(
  kubernetes: CorefileDirective,
  block: ServerBlock,
  domain: string,
): string | undefined {
  const named = kubernetes.args
  const isDomain = (zone: string) => zone.toLowerCase().replace(/\.$/, '') === domain
  const zones = named.length > 0 ? named : block.labels.flatMap((label) => label.zones)
  if (!zones.some(isDomain)) {
    return `\`kubernetes\` does not serve the zone ${domain} here; write \`kubernetes ${domain}\``
  }
  const odd = zones.find(
    (zone) => !isDomain(zone) && mayTouch(zone, domain) && !isAbove(zone, domain),
  )
  if (odd === undefined) return undefined
  return `\`kubernetes\` serves "${shortened(odd)}" as a zone of its own; move it to another server block`
}

function optionDanger(option: CorefileDirective, domain: string): string | undefined {
  const { name, args, block } = option
  if (block !== undefined)
    return `\`${shortened(name)}\` has a block, which \`kubernetes\` does not know`
  if (name === 'fallthrough') {
    if (args.length > 0 && !args.some((zone) => mayTouch(zone, domain))) return undefined
    return `\`fallthrough\` hands names that \`kubernetes\` does not know to other plugins; write \`fallthrough in-addr.arpa ip6.arpa\``
  }
  if (name === 'ttl') return isTtl(args[0]) ? undefined : '`ttl` needs a number from 0 to 3600'
  if (name === 'pods') {
    const known = args.length === 1 && isPodsMode(args[0])
    return known ? undefined : '`pods` needs disabled, insecure or verified'
  }
  if (name === 'zonal' || name === 'multicluster' || harmlessOptions.has(name)) return undefined
  return `what the option \`${shortened(name)}\` of \`kubernetes\` does is not known here; remove it, or declare the domain in the settings`
}

function factsOf(options: readonly CorefileDirective[], domain: string): KubernetesFacts {
  const lastArg = (name: string) => options.findLast((option) => option.name === name)?.args[0]
  const ttl = lastArg('ttl')
  const pods = lastArg('pods')
  return {
    ttlSeconds: ttl === undefined ? ttlDefaultSeconds : Number(ttl),
    multicluster: options.some(
      ({ name, args }) => name === 'multicluster' && args.some((zone) => mayTouch(zone, domain)),
    ),
    zonal: options.some(({ name }) => name === 'zonal'),
    podsMode: isPodsMode(pods) ? pods : 'disabled',
  }
}

function isTtl(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= ttlMaxSeconds
}

function isPodsMode(text: string | undefined): text is PodsMode {
  return text === 'disabled' || text === 'insecure' || text === 'verified'
}

function isBelow(zone: string, domain: string): boolean {
  return zone !== domain && isWithin(zone, domain)
}

function isAbove(zone: string, domain: string): boolean {
  const name = zone === '.' ? zone : zone.toLowerCase().replace(/\.$/, '')
  return isPlainZone(name) && isWithin(domain, name)
}

function refuse(reasons: readonly CorefileProblem[]): CorefileVerdict {
  const byLine = reasons.toSorted((one, other) => one.line - other.line)
  return { trusted: false, reasons: byLine.slice(0, reasonsMax) }
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}
