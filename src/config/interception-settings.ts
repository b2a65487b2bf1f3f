/**
 * Settings of the interception: the addresses that the daemon takes over on its node, the backend that brings pods to them, and the times
 * that bound it. Declares them only: the addresses and rules themselves are made by `host/`.
 */
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
    'Addresses that the daemon adds to its node, and the rules that send the queries of pods to them.',
    {
      mode: choice({
        of: ['auto', 'nftables', 'iptables', 'link', 'none'],
        default: 'auto',
        about:
          'Backend. Auto: nftables where the kernel (5.12) removes tables with their owner, else iptables. Link: the addresses are put on the node, and no rule, so that nothing stands in for the daemon while it is down. None: links and rules are left alone, for a Cilium local redirect policy or a sidecar. Without addresses nothing is changed.',
      }),
      addresses: list({
        of: parsed(hostAddress),
        what: 'IP addresses',
        max: 8,
        default: [],
        about:
          'Addresses of our own, such as 169.254.20.10. No other process serves them: while the daemon is down, a standby rule sends their queries to CoreDNS. Each must be in listen.',
      }),
      clusterIps: list({
        of: parsed(hostAddress),
        what: 'IP addresses',
        max: 8,
        default: [],
        about:
          'Service addresses of kube-dns to take over; kube-proxy serves them while the daemon is down. Each must be in listen. Not taken over where kube-proxy uses IPVS, which owns them.',
      }),
      port: whole({
        default: 53,
        min: 1,
        max: 65_535,
        unit: 'port',
        about: 'Port of these addresses; stub resolvers use only 53.',
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
          'CoreDNS pods for the standby rule. Empty: the pods that kube-proxy has for clusterIps and cluster.upstreams, looked up every standbySeconds.',
      }),
      standbySeconds: whole({
        default: 60,
        min: 1,
        max: 3600,
        unit: 'seconds',
        about:
          "How often the node is examined again: CoreDNS's pods, kube-proxy's mode, chains that drop packets. This reads all rules, as kube-proxy itself does once a minute. While no kube-proxy is found, at least every 10 s.",
      }),
      standbyExpirySeconds: whole({
        default: 0,
        min: 0,
        max: 2_592_000,
        unit: 'seconds',
        about:
          'How long the standby rule outlives a daemon that does not come back, as after an uninstall: the addresses of CoreDNS pods are given to other pods one day. 0: for ever.',
      }),
      onStop: choice({
        of: ['keep', 'remove'],
        default: 'keep',
        about:
          'What an orderly stop leaves on the node. Keep: the addresses and the standby rule, so that pods have DNS until the next start. Remove: nothing of ours; use it for the last rollout before an uninstall.',
      }),
    },
  )
}

function linkSection() {
  return section('The link that the addresses are added to.', {
    name: text({
      ...linkName,
      default: 'nodelocaldns',
      about:
        'Name of the link. The default is the name that NodeLocal DNSCache uses; an existing link of this name is taken over as it is.',
    }),
    kind: choice({
      of: ['auto', 'dummy', 'bridge', 'lo', 'none'],
      default: 'auto',
      about:
        'Kind of link. Auto: dummy, else an empty bridge, else the loopback. None: another program puts the addresses on the node, and they are not touched.',
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
        'How often each address is sent a question, its interception renewed if the question is answered, and the rules compared with the plan.',
    }),
    lifetimeMs: whole({
      default: 2500,
      min: 500,
      max: 60_000,
      unit: 'ms',
      about:
        'How long the kernel goes on intercepting without a renewal: the longest that queries can go to a hung daemon. At least twice renewMs. For the iptables backend see leaseSeconds.',
    }),
    leaseSeconds: whole({
      default: 1,
      min: 1,
      max: 60,
      unit: 'seconds',
      about:
        'The same as lifetimeMs for the iptables backend, where it is also the outage after a SIGKILL.',
    }),
    watchMs: whole({
      default: 200,
      min: 50,
      max: 5000,
      unit: 'ms',
      about: 'How often the daemon checks that the addresses are still on the node.',
    }),
  }
}

/** What is attached to without being named: the host's ends of pods' interfaces, as the usual CNIs name them. */
export const usualInterfaces: readonly string[] = ['veth*', 'cali*', 'eni*', 'azv*', 'gke*']

const interfacePattern = {
  what: 'an interface name, or the beginning of one and *',
  parse: (text: string) =>
    /^[\w.-]{0,14}\*$|^[\w.-]{1,15}$/.test(text)
      ? ({ ok: true, value: text } as const)
      : ({
          ok: false,
          why: `${JSON.stringify(text)} is no interface name; expected up to 15 of letters, digits, _ . -, the last may be *`,
        } as const),
  examples: ['veth*'],
}

export function kernelHitsSection() {
  return section(
    'Answers that the kernel gives itself, at the interfaces of pods, from a shadow of the cache. Linux 6.6, CAP_BPF and CAP_NET_ADMIN.',
    {
      mode: choice({
        of: ['off', 'auto'],
        default: 'off',
        about:
          'Auto: on where the kernel and the capabilities are there, no other program sits at the interface and no network policy is found; elsewhere off, with the reason in the log and the metrics. Read docs/kernel-hits.md first: what it answers, no iptables rule and no NetworkPolicy of another kind sees.',
      }),
      interfaces: list({
        of: parsed(interfacePattern),
        what: 'interface names or patterns',
        max: 64,
        default: [],
        about: `Interfaces of pods (veth, the host's end) to attach to, whatever policy or other program is there. Empty: ${usualInterfaces.join(' ')}, where neither is found.`,
      }),
      bridges: list({
        of: parsed(interfacePattern),
        what: 'interface names or patterns',
        max: 16,
        default: [],
        about:
          "Bridges to attach to as well, whatever policy or other program is there: for pods whose own interfaces cannot be attached to. Left alone while a port is no pod's, such as an uplink.",
      }),
      except: list({
        of: parsed(interfacePattern),
        what: 'interface names or patterns',
        max: 64,
        default: [],
        about: 'Interfaces that are left out.',
      }),
      entriesMax: whole({
        default: 2048,
        min: 16,
        max: 262_144,
        unit: 'answers',
        about:
          'Answers in the kernel at the most, those asked for often; each takes a kilobyte, which the memory limit of the container counts, and cache.bytesMax gives way for.',
      }),
    },
  )
}
