/** Everything that can go wrong between the daemon and its node, by name, and what the operator can do about it. Pure. */
import type { Ran } from './run-program.ts'

export const troubleKinds = [
  'program_missing',
  'no_permission',
  'lock_held',
  'kernel_too_old',
  'rules_failed',
  'link_failed',
  'address_taken',
  'address_gone',
  'rules_flushed',
  'unanswered',
  'conntrack_full',
  'standby_unknown',
  'rules_unreadable',
  'firewall_refuses',
] as const
export type TroubleKind = (typeof troubleKinds)[number]

export interface Trouble {
  readonly kind: TroubleKind
  /** The observation. */
  readonly what: string
  /** What the operator can do. */
  readonly cure: string
}

/** NodeLocal DNSCache's `errortype` for each kind; kinds that are missing here have no counterpart there. */
export const setupErrorType: Readonly<Partial<Record<TroubleKind, string>>> = {
  program_missing: 'iptables',
  no_permission: 'iptables',
  kernel_too_old: 'iptables',
  rules_failed: 'iptables',
  lock_held: 'iptables_lock',
  link_failed: 'interface_add',
  address_taken: 'interface_add',
  address_gone: 'interface_check',
}

const cures: Readonly<Record<TroubleKind, string>> = {
  program_missing: 'install it in the image (Debian: iptables, iproute2), or set interception.mode',
  no_permission:
    'give the container the capability NET_ADMIN and user 0, or set interception.mode to none',
  lock_held: 'somebody holds /run/xtables.lock; it is tried again, see `fuser /run/xtables.lock`',
  kernel_too_old: 'set interception.mode to iptables, or use a kernel of 5.12 or newer',
  rules_failed: 'see the message; `neardns rules show` prints what was to be applied',
  link_failed: 'try another interception.link.kind: dummy, bridge or lo',
  address_taken: 'another link has this address; it is used as it is and never removed',
  address_gone:
    'somebody removed the link or the address; it is put back unless interception.link.kind is none',
  rules_flushed: 'somebody flushed or changed the rules; they are put back',
  unanswered:
    'queries go to CoreDNS meanwhile; look at neardns_eventloop_delay_max_seconds and at the log',
  conntrack_full:
    'raise net.netfilter.nf_conntrack_max; DNS through neardns does not use conntrack and goes on',
  standby_unknown:
    'name the CoreDNS pods in interception.standbyTo, or the kube-dns ClusterIP in interception.clusterIps',
  rules_unreadable:
    'give the container the capability NET_RAW, which iptables-legacy needs to read rules, and NET_ADMIN and user 0',
  firewall_refuses:
    'pods ask CoreDNS directly until their DNS may reach the node: in firewalld put their network into a zone (`firewall-cmd --permanent --zone=trusted --add-source=CIDR`), in Calico set defaultEndpointToHostAction to Accept',
}

export function trouble(kind: TroubleKind, what: string): Trouble {
  return { kind, what, cure: cures[kind] }
}

/** Names the failure of a program. @param otherwise the kind when its message is unknown */
export function troubleOf(program: string, ran: Ran, otherwise: TroubleKind): Trouble {
  return trouble(
    ran.isMissing ? 'program_missing' : kindOf(ran.stderr, otherwise),
    shorten(program, ran),
  )
}

function kindOf(said: string, otherwise: TroubleKind): TroubleKind {
  if (/not permitted|permission denied|must be root/i.test(said)) return 'no_permission'
  if (/xtables lock/i.test(said)) return 'lock_held'
  if (/not supported|protocol not available/i.test(said) && otherwise !== 'link_failed') {
    return 'kernel_too_old'
  }
  return otherwise
}

function shorten(program: string, { stderr, isMissing }: Ran): string {
  if (isMissing) return `${program} is not there`
  const said = stderr.replaceAll(/\s+/g, ' ').trim()
  return `${program}: ${said.length > 300 ? `${said.slice(0, 300)}...` : said}`
}
