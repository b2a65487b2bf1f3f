/** Which directives there are: those of node-cache, those of CoreDNS that it lacks, and what to do about others. */

/** Of node-cache 1.26 (CoreDNS 1.14.4). `dnstap` and `metadata` come with plugins that it names. */
const nodeCacheNames =
  'bind bufsize cache debug dns64 dnstap errors forward health hosts loadbalance log loop metadata pprof prometheus reload rewrite template timeouts trace whoami'

/** Directives of CoreDNS 1.11 to 1.15 that node-cache is built without. */
const missingNames =
  'acl any auto autopath azure cancel chaos clouddns dnssec erratic etcd file geoip grpc grpc_server header https https3 k8s_external kubernetes local minimal multisocket nomad nsid on proxyproto quic ready root route53 secondary shed sign tls transfer tsig view'

const nodeCache: ReadonlySet<string> = new Set(nodeCacheNames.split(' '))
const missing: ReadonlySet<string> = new Set(missingNames.split(' '))

const askCoreDns =
  'leave this to CoreDNS, and ask it with `forward . ADDRESS` in a block for its zones'
const cures: ReadonlyMap<string, string> = new Map([
  ...['kubernetes', 'autopath', 'k8s_external', 'federation'].map(cure(askCoreDns)),
  ...['auto', 'azure', 'clouddns', 'etcd', 'file', 'nomad', 'route53', 'secondary'].map(
    cure(
      'let a server of these zones have them, and ask it with `forward . ADDRESS` in a block for them',
    ),
  ),
  ...['acl', 'view', 'rrl', 'tsig'].map(
    cure('every pod of the node gets the same answers here; use a NetworkPolicy, or CoreDNS'),
  ),
  ...['https', 'https3', 'quic', 'grpc_server', 'tls'].map(
    cure('pods ask over UDP and TCP here; remove it'),
  ),
  ['grpc', 'write `forward`, which asks over UDP, TCP and TLS'],
  ['proxy', 'CoreDNS has no `proxy` since 1.5; write `forward`'],
  ['upstream', 'CoreDNS looks aliases up by itself since 1.5; remove it'],
])

function cure(text: string): (name: string) => [string, string] {
  return (name) => [name, text]
}

/** What node-cache takes and is not served here yet. */
const laterCures: ReadonlyMap<string, string> = new Map([
  ['dnstap', 'remove it; `log` tells single queries'],
])

/** What to do about a directive of node-cache that nothing here reads. */
export function laterCure(name: string): string {
  return laterCures.get(name) ?? 'remove it'
}

export type NameVerdict =
  | { readonly kind: 'node-cache' }
  | { readonly kind: 'refused'; readonly message: string; readonly cure: string }

/** Whether node-cache takes a directive. What it would say is a part of the message, for those who search for it. */
export function judgeName(name: string): NameVerdict {
  if (nodeCache.has(name)) return { kind: 'node-cache' }
  const known = missing.has(name)
  const message = known
    ? `\`${name}\` is not served by a node's cache; node-cache says "no action found for directive '${name}' with server type 'dns' (missing a plugin?)"`
    : `\`${name}\` is not known; node-cache says "Unknown directive '${name}'"`
  const fallback = known
    ? 'remove it'
    : 'correct the name; if it is a plugin of a distribution of its own, say in `forward` what it does'
  return { kind: 'refused', message, cure: cures.get(name) ?? fallback }
}
