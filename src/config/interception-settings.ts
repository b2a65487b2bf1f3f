/** Settings of the interception: which addresses the daemon takes over on its node, with which means, for how long. */
import type { Endpoint } from '../address/endpoint.ts'
import { type Parsed, parseAddress, parseEndpoint } from './address.ts'
import { choice, list, parsed, section, text, whole } from './setting.ts'

/** An address without a port. */
export type HostAddress = Omit<Endpoint, 'port'>

const hostAddress = {
  what: 'an IP address without port such as 169.254.20.10',
  parse: (written: string): Parsed<HostAddress> => parseAddress(written),
  examples: ['169.254.20.10', 'fd00::10'],
}

const linkName = {
  what: 'a link name',
  // The kernel's IFNAMSIZ is 16 with the closing NUL; the kernel also refuses a slash or a space.
  parse: (name: string): Parsed<string> =>
    /^[\w.-]{1,15}$/.test(name)
      ? { ok: true, value: name }
      : { ok: false, why: `"${name}" is no link name: 1 to 15 of letters, digits, _ . -` },
}

export function interceptionSection() {
  return section(
    'Addresses that the daemon puts on its node, and the rules that bring pods to them.',
    {
      mode: choice({
        of: ['auto', 'nftables', 'iptables', 'none'],
        default: 'auto',
        about:
          'Backend. Auto: nftables where the kernel (5.12) has tables that die with their owner, else iptables. None: links and rules are left alone, for a Cilium local redirect policy or a sidecar. Without addresses nothing is touched.',
      }),
      addresses: list({
        of: parsed(hostAddress),
        what: 'IP addresses',
        max: 8,
        default: [],
        about:
          'Addresses of our own, as 169.254.20.10, that nobody serves while the daemon is down: a standby rule then sends them to CoreDNS. Each must be in listen.',
      }),
      clusterIps: list({
        of: parsed(hostAddress),
        what: 'IP addresses',
        max: 8,
        default: [],
        about:
          'Service addresses of kube-dns to take over; kube-proxy serves them while the daemon is down. Each must be in listen. Left alone where kube-proxy uses IPVS, which owns them.',
      }),
      port: whole({
        default: 53,
        min: 1,
        max: 65_535,
        unit: 'port',
        about: 'Port of these addresses; stub resolvers know no other than 53.',
      }),
      link: linkSection(),
      ...times(),
      standbyTo: list({
        of: parsed<Endpoint>({
          what: 'an IP address with port such as 10.244.0.2:53',
          parse: (written) => parseEndpoint(written, 53),
          examples: ['10.244.0.2:53'],
        }),
        what: 'IP addresses',
        max: 64,
        default: [],
        about:
          'CoreDNS pods for the standby rule. Empty: those that kube-proxy has for clusterIps and cluster.upstreams, looked up every standbySeconds.',
      }),
      standbySeconds: whole({
        default: 60,
        min: 1,
        max: 3600,
        unit: 'seconds',
        about:
          "How often the node is looked at again: CoreDNS's pods, kube-proxy's mode, chains that drop. It reads all rules, as kube-proxy itself does once a minute. While no kube-proxy is found, every 10 s at the latest.",
      }),
      onStop: choice({
        of: ['keep', 'remove'],
        default: 'keep',
        about:
          'What an orderly stop leaves. Keep: the addresses and the standby rule, so that pods have DNS until the next start. Remove: the node as it was before; for the last rollout before an uninstall.',
      }),
    },
  )
}

function linkSection() {
  return section('Where the addresses are put.', {
    name: text({
      ...linkName,
      default: 'nodelocaldns',
      about: 'Name of the link; this one is where people look for it, and is taken over as is.',
    }),
    kind: choice({
      of: ['auto', 'dummy', 'bridge', 'lo'],
      default: 'auto',
      about: 'Kind of link. Auto: dummy, else an empty bridge, else the loopback.',
    }),
  })
}

function times() {
  return {
    renewMs: whole({
      default: 1000,
      min: 250,
      max: 10_000,
      unit: 'ms',
      about:
        'How often each address is asked a question, its interception renewed when that was answered, and the rules compared with the plan.',
    }),
    lifetimeMs: whole({
      default: 2500,
      min: 500,
      max: 60_000,
      unit: 'ms',
      about:
        'How long the kernel goes on intercepting without a renewal: the longest that a hung daemon can hold queries. At least twice renewMs. For the iptables backend see leaseSeconds.',
    }),
    leaseSeconds: whole({
      default: 1,
      min: 1,
      max: 60,
      unit: 'seconds',
      about: 'As lifetimeMs, for the iptables backend, where it also is what a SIGKILL costs.',
    }),
    watchMs: whole({
      default: 200,
      min: 50,
      max: 5000,
      unit: 'ms',
      about: 'How often it is looked whether the addresses are still on the node.',
    }),
  }
}
