/** The upstreams of one `forward`, as our settings write them. Source: plugin/pkg/parse and plugin/forward/setup.go of CoreDNS 1.14. */
import { parseIpAddress } from '../../address/ip-address.ts'
import { formatUpstream, type Upstream } from '../../address/upstream-url.ts'
import { parseUpstream } from '../../config/address.ts'
import { parseResolvConf } from '../../config/resolv-conf.ts'
import type { CorefileFiles } from '../../corefile/files.ts'
import type { Word } from '../../corefile/words.ts'
import type { ForwardDirective } from '../directives/forward.ts'
import { quoted, refuse } from '../reading.ts'

/** What an upstream's text may have to be explained with. */
export interface UpstreamContext {
  readonly files: CorefileFiles
  /** The Service whose address stands for `__PILLAR__CLUSTER__DNS__`; absent where no template was rendered. */
  readonly upstreamService?: string | undefined
}

export interface UpstreamsOf {
  /** Without repetitions, in order. Empty where `file` has them. */
  readonly upstreams: readonly string[]
  /** The one file that names them, in the form of resolv.conf. */
  readonly file?: string
  readonly overTcp: boolean
}

/** Throws a `DirectiveMistake` for what is no upstream. */
export function upstreamsOf(forward: ForwardDirective, context: UpstreamContext): UpstreamsOf {
  const { to, options } = forward
  checkTlsFiles(options.tls ?? [], context.files)
  const overTcp = options.forceTcp
  const [first, ...more] = to
  if (first !== undefined && more.length === 0 && isFile(first.text)) {
    return { upstreams: [], file: first.text, overTcp }
  }
  const upstreams = to.flatMap((word) => textsOf(word, forward, context))
  return { upstreams: [...new Set(upstreams)], overTcp }
}

/** Certificates alone: what is read here is kept, and a key should not be. */
function checkTlsFiles(words: readonly Word[], files: CorefileFiles): void {
  const certificates = words.filter((_, i) => words.length === 1 || i !== 1)
  for (const { text, place } of certificates) {
    if (files.text(text)?.includes('-----BEGIN CERTIFICATE-----') === true) continue
    const cure = 'mount it at this path: `tls` takes CA, CERT KEY or CERT KEY CA'
    refuse(place, `${text} cannot be read, or is no certificate in PEM`, cure)
  }
}

/** The name servers of a file, for a group that can only have addresses. */
export function nameserversOf(path: string, overTcp: boolean, files: CorefileFiles): string[] {
  const text = files.text(path)
  if (text === undefined) return []
  const { nameservers } = parseResolvConf(text)
  return nameservers.map((one) =>
    formatUpstream(overTcp ? { ...one, transport: 'tcp' as const } : one),
  )
}

function isFile(text: string): boolean {
  return text.includes('/') && !text.includes('://') && !isNetwork(text)
}

function isNetwork(text: string): boolean {
  return /^[\d.]+\/\d+$|^[\da-f:]*:[\da-f:.]*\/\d+$/i.test(text)
}

function textsOf(
  word: Word,
  forward: ForwardDirective,
  { files, ...rest }: UpstreamContext,
): string[] {
  const { text, place } = word
  const overTcp = forward.options.forceTcp
  if (!isFile(text)) return [formatUpstream(upstreamOf(word, forward, rest.upstreamService))]
  const servers = nameserversOf(text, overTcp, files)
  if (servers.length > 0) return servers
  return refuse(place, `${text} cannot be read, or names no server`, 'write the addresses instead')
}

const schemes = /^(tls|dns|quic|grpc|https3|https|unix):\/\//

function upstreamOf(
  word: Word,
  { options }: ForwardDirective,
  service: string | undefined,
): Upstream {
  const { text, place } = word
  const scheme = schemes.exec(text)?.[1] ?? 'dns'
  if (scheme !== 'dns' && scheme !== 'tls') {
    const cure = 'ask the same servers over UDP, TCP (`force_tcp`) or TLS (`tls://`)'
    return refuse(place, `${quoted(text)}: ${scheme}:// is not supported`, cure)
  }
  const bare = text.replace(schemes, '')
  const [address, name] = scheme === 'tls' ? splitServerName(bare) : [bare, undefined]
  if (name !== undefined && options.tlsServerName !== undefined) {
    const cure = 'keep one of them'
    return refuse(place, `${quoted(text)} names its server, and \`tls_servername\` does, too`, cure)
  }
  const plain = options.forceTcp ? 'tcp' : 'udp'
  const serverName = name ?? (scheme === 'tls' ? options.tlsServerName?.text : undefined)
  const suffix = serverName === undefined ? '' : `#${serverName}`
  const url = `${scheme === 'tls' ? 'tls' : plain}://${bracketed(address)}${suffix}`
  const parsed = parseUpstream(url, plain)
  if (parsed.ok) return parsed.value
  return refuseUpstream(word, parsed.why, service)
}

/** `1.1.1.1%name`, `[::1%name]:853`: behind the percent sign stands the name of the certificate. */
function splitServerName(text: string): [string, string | undefined] {
  const [, head = '', name, tail = ''] = /^(.*)%([^%:\]]+)(.*)$/.exec(text) ?? []
  return name === undefined ? [text, undefined] : [`${head}${tail}`, name]
}

/** CoreDNS takes `[192.0.2.1]` for 192.0.2.1, and `fd00::1:53` for an address without port, which our settings would ask about. */
function bracketed(text: string): string {
  if (/^\[[^:\]]*\]$/.test(text)) return text.slice(1, -1)
  return parseIpAddress(text)?.family === 6 ? `[${text}]` : text
}

function refuseUpstream({ text, place }: Word, why: string, service: string | undefined): never {
  if (text === '<nil>') {
    const of = service ?? 'kube-dns'
    const variable = `${of.toUpperCase().replaceAll('-', '_')}_SERVICE_HOST`
    const cure = `create the Service ${of} in the namespace of the pod, then restart the pod; or name the right one in -upstreamsvc`
    return refuse(
      place,
      `"<nil>" stands where the address of the Service ${of} should be: the variable ${variable} is not set`,
      cure,
    )
  }
  if (text.startsWith('__PILLAR__')) {
    const cure = 'put an address in its place, as node-cache does when it starts'
    return refuse(place, `${text} has not been replaced`, cure)
  }
  if (/^[a-z0-9_.-]*[a-z][a-z0-9_.-]*(:\d+)?$/i.test(text)) {
    const cure = 'write its address: this is the resolver that would have to look it up'
    return refuse(place, `${quoted(text)} is a host name, or a file in another directory`, cure)
  }
  const cure = 'write an IP address, IP:port, tls://IP, or the path of a resolv.conf'
  if (isNetwork(text)) {
    refuse(place, `${quoted(text)} is a network`, `write ${text.replace(/\/.*/, '')}`)
  }
  if (text === '') refuse(place, 'an empty upstream; is a variable not set?', cure)
  if (/\s/.test(text)) {
    refuse(place, `${quoted(text)} is one word`, 'use a variable for each address')
  }
  const [, scheme] = /^(\w+):\/\//.exec(text) ?? []
  if (scheme !== undefined && !schemes.test(text))
    refuse(place, `${quoted(text)}: ${scheme}:// is no scheme of CoreDNS`, cure)
  return refuse(place, why, cure)
}
