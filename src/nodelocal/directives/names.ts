/** Directives that node-cache does not take: those of CoreDNS that it is built without, and unknown ones, with what to do about them. */

/** Directives of CoreDNS 1.11 to 1.15 that node-cache is built without. */
const missingNames =
  'acl any auto autopath azure cancel chaos clouddns dnssec erratic etcd file geoip grpc grpc_server header https https3 k8s_external kubernetes local minimal multisocket nomad nsid on proxyproto quic ready root route53 secondary shed sign tls transfer tsig view'

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

/** What is wrong with a directive that node-cache does not take. What it would say is a part of the message, for those who search for it. */
export function nameMistake(name: string): { readonly message: string; readonly cure: string } {
  const known = missing.has(name)
  const message = known
    ? `\`${name}\` is not served by a node's cache; node-cache says "no action found for directive '${name}' with server type 'dns' (missing a plugin?)"`
    : `\`${name}\` is not known; node-cache says "Unknown directive '${name}'"`
  const fallback = known
    ? 'remove it'
    : 'correct the name; if it is a plugin of a distribution of its own, say in `forward` what it does'
  return { message, cure: cures.get(name) ?? fallback }
}
