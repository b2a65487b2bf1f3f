/**
 * Decides which CoreDNS plugins can answer for a name of the cluster domain, beside `kubernetes`. The rule: a plugin that is not
 * known to leave such names alone may answer for them. Judges one directive of the server block that serves the domain;
 * corefile/trust.ts judges the blocks. Facts: each plugin's ServeDNS in CoreDNS v1.14.7, and the reading of
 * zones also in v1.8.0, v1.9.4 and v1.11.3.
 */
import { parseAddress } from '../config/address.ts'
import type { CorefileDirective } from './directive.ts'
import { type CorefileFiles, noFiles } from './files.ts'
import { isPlainZone, isWithin, parseCorefileLabel } from './label.ts'

/**
 * Why a directive endangers names at or below `domain`, and the way out; undefined: it certainly does not.
 * @param domain lower case, no trailing dot
 */
export function dangerOf(
  directive: CorefileDirective,
  domain: string,
  files: CorefileFiles = noFiles,
): string | undefined {
  if (harmless.has(directive.name)) return undefined
  const rule = rules.get(directive.name)
  if (rule !== undefined) return rule(directive, domain, files)
  const zonesOf = zoned.get(directive.name)
  if (zonesOf === undefined) {
    return `what ${code(directive.name)} does to names of ${domain} is not known here; ${wayOut}`
  }
  // Without zones of its own a plugin takes those of its server block.
  const zones = zonesOf(directive.args)
  if (zones.length > 0 && !zones.some((zone) => mayTouch(zone, domain))) return undefined
  return `${code(directive.name)} may answer names of ${domain}; give it zones outside of it, ${wayOut}`
}

/** Whether a zone argument could share a name with `domain`; true for any text that is not plainly a zone. */
export function mayTouch(argument: string, domain: string): boolean {
  const label = parseCorefileLabel(argument, 0)
  if (!label.ok) return true
  return label.value.zones.some(
    (zone) => !isPlainZone(zone) || isWithin(zone, domain) || isWithin(domain, zone),
  )
}

type Rule = (
  directive: CorefileDirective,
  domain: string,
  files: CorefileFiles,
) => string | undefined

const wayOut =
  'move it to a server block of its own, or list the names it serves in searchPath.carveOuts'

/**
 * These never answer a question of class IN for A, AAAA, HTTPS, SVCB, SRV, MX or CNAME with another rcode or other names
 * than the plugin behind them. `dns64` leaves NXDOMAIN alone, `minimal` denials, `header` sets
 * flags, `any` answers ANY, `loop` watches HINFO, `transfer` AXFR, `chaos` class CH; `cache` repeats, for a time.
 * Left out for a reason: `local` answers `localhost.` before any suffix, `secondary` may learn zones from a catalog,
 * `auto` from file names, `erratic` and `whoami` answer everything, `view` decides whether the block is asked at all.
 */
const harmless: ReadonlySet<string> = new Set(
  [
    'any bind bufsize cache cancel chaos debug dns64 dnstap errors geoip grpc_server header health https https3',
    'loadbalance log loop metadata minimal multisocket nsid pprof prometheus quic ready reload root timeouts tls',
    'trace transfer',
  ].flatMap((names) => names.split(' ')),
)

/** These answer, or refuse to, in the zones that the arguments name. */
const zoned: ReadonlyMap<string, (args: readonly string[]) => readonly string[]> = new Map([
  ['acl', (args) => args],
  ['autopath', (args) => args.slice(0, -1)],
  ['dnssec', (args) => args],
  ['etcd', (args) => args],
  ['file', (args) => args.slice(1)],
  ['k8s_external', (args) => args],
  ['template', (args) => args.slice(2)],
  ['tsig', (args) => args],
])

const rules: ReadonlyMap<string, Rule> = new Map([
  ['hosts', dangerOfHosts],
  ['rewrite', dangerOfRewrite],
  ['forward', dangerOfForward],
  ['grpc', dangerOfForward],
])

/** `hosts [FILE [ZONES]] { ADDRESS NAMES; fallthrough [ZONES]; ... }`, in front of `kubernetes`. */
function dangerOfHosts(
  { args, block = [] }: CorefileDirective,
  domain: string,
  files: CorefileFiles,
): string | undefined {
  const [file, ...zones] = args
  if (zones.length > 0 && !zones.some((zone) => mayTouch(zone, domain))) return undefined
  if (file === undefined) {
    return `\`hosts\` also reads /etc/hosts of the CoreDNS container, which may name hosts of ${domain}; write \`hosts /dev/null {\` to serve the inline entries alone, or ${wayOut}`
  }
  // A relative path depends on `root` and on where CoreDNS was started.
  const text = file === '/dev/null' ? '' : file.startsWith('/') ? files.text(file) : undefined
  if (text === undefined) {
    return `\`hosts\` reads ${code(file)}, which cannot be read from here; mount it at CoreDNS's path, give it zones outside of ${domain}, or ${wayOut}`
  }
  const lines = block.filter(({ name }) => name !== 'fallthrough').map(wordsOf)
  // One quoted word may hold several names, and CoreDNS splits it again.
  const inline = lines.flat().flatMap((word) => word.split(/\s+/))
  const inside = [...inline, ...namesOfHosts(text)].find(
    (name) => !parseAddress(name).ok && mayBeWithin(name, domain),
  )
  if (inside !== undefined) {
    return `\`hosts\` answers ${code(inside)}; list it in searchPath.carveOuts`
  }
  const fall = block.findLast(({ name }) => name === 'fallthrough')
  if (fall !== undefined && certainlyCovers(fall.args, domain)) return undefined
  return `\`hosts\` without \`fallthrough\` keeps names of ${domain} from \`kubernetes\`; add \`fallthrough\``
}

/** Every word of a hosts file outside of comments, addresses included: a line without an address is not served, and costs nothing here. */
function namesOfHosts(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, ''))
  return lines.flatMap((line) => line.split(/\s+/)).filter((word) => word !== '')
}

/** `rewrite [continue|stop] name [exact|suffix|...] FROM TO ...`, on the line or, word by word, in a block. */
function dangerOfRewrite(directive: CorefileDirective, domain: string): string | undefined {
  const inBlock = directive.args.length < 2
  const words = inBlock ? [...directive.args, ...blockWords(directive)] : directive.args
  const rule = ['continue', 'stop'].includes(words[0]?.toLowerCase() ?? '') ? words.slice(1) : words
  const [field, ...parts] = rule
  const [match, from] = parts.length > 2 ? [parts[0]?.toLowerCase(), parts[1]] : ['exact', parts[0]]
  const readable = field?.toLowerCase() === 'name' && (inBlock || directive.block === undefined)
  if (readable && from !== undefined) {
    if (match === 'exact' && !mayBeWithin(from, domain)) return undefined
    if (match === 'suffix' && !mayEndIn(from, domain)) return undefined
  }
  return `\`rewrite\` may change questions for ${domain} or their answers; only \`name exact\` and \`name suffix\` rules for names outside of it are known not to; ${wayOut}`
}

/** Runs after `kubernetes`, which lets no name of the domain through; but a Corefile that forwards a part of it expects answers. */
function dangerOfForward({ name, args }: CorefileDirective, domain: string): string | undefined {
  const from = parseCorefileLabel(args[0] ?? '', 0)
  const outside =
    from.ok && from.value.zones.every((zone) => isPlainZone(zone) && !isWithin(zone, domain))
  if (outside) return undefined
  return `${code(name)} names a zone of ${domain} that another server knows; ${wayOut}`
}

/** @param args of `fallthrough` */
function certainlyCovers(args: readonly string[], domain: string): boolean {
  if (args.length === 0) return true
  return args.some((argument) => {
    const label = parseCorefileLabel(argument, 0)
    return label.ok && label.value.zones.some((zone) => isPlainZone(zone) && isWithin(domain, zone))
  })
}

/** Since 1.14.5 `hosts` reads `*.` as any one label. */
function mayBeWithin(text: string, domain: string): boolean {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.startsWith('*.')) return mayTouch(name.slice(2), domain)
  return name !== '' && (!isPlainZone(name) || isWithin(name, domain))
}

/** Whether a name of `domain` could end in the characters of `suffix`, which need not be whole labels. */
function mayEndIn(suffix: string, domain: string): boolean {
  const end = suffix.toLowerCase().replace(/\.$/, '')
  if (!/^[a-z0-9_.-]+$/.test(end)) return true
  return isWithin(end, domain) || `.${domain}`.endsWith(end)
}

function wordsOf(line: CorefileDirective): string[] {
  return [line.name, ...line.args, ...blockWords(line)]
}

function blockWords(directive: CorefileDirective): string[] {
  return (directive.block ?? []).flatMap(wordsOf)
}

function code(text: string): string {
  return `\`${text.length > 80 ? `${text.slice(0, 80)}...` : text}\``
}
