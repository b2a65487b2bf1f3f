/** What stands in the way of neardns on this node, from facts that others have read. Pure. */
import { formatEndpoint } from '../../address/endpoint.ts'
import { processFindings } from './check-process.ts'
import { type CheckedNode, wantsInterception } from './checked-node.ts'
import { type Finding, fault, note, ok, unknown } from './finding.ts'
import { kernelHitsFindings } from './kernel-hits.ts'

export function checkFindings(node: CheckedNode): Finding[] {
  return [
    kernel(node),
    kubeProxy(node),
    ...addresses(node),
    ...leftovers(node),
    ...standby(node),
    ...firewall(node),
    ...processFindings(node),
    ...kernelHitsFindings(node.config, node.kernelHits, node.capabilities),
  ]
}

function intercepts({ plan }: CheckedNode): boolean {
  return plan.backend === 'nftables' || plan.backend === 'iptables'
}

function kernel({ facts, plan, config }: CheckedNode): Finding {
  const why = plan.why[0] ?? ''
  const blocked = plan.troubles.find(({ kind }) =>
    ['kernel_too_old', 'program_missing', 'no_permission', 'rules_unreadable'].includes(kind),
  )
  if (plan.backend === 'none' && blocked !== undefined) {
    return fault('rules', `nothing can be intercepted on kernel ${facts.kernel}`, {
      cause: blocked.what,
      next: blocked.cure,
    })
  }
  const wants = config.interception.addresses.length + config.interception.clusterIps.length > 0
  return ok('rules', wants ? `${plan.backend}: ${why}` : `none: ${why}`)
}

function kubeProxy({ facts, plan }: CheckedNode): Finding {
  const { kubeProxy: mode, iptables, unreadable } = facts
  if (mode === 'unreadable') {
    return unknown(
      'kube-proxy',
      `its rules cannot be read: ${unreadable.join('; ')}`,
      'give the container NET_RAW and NET_ADMIN and user 0, then check again',
    )
  }
  if (mode === 'none' && facts.noNftables?.includes('permitted') === true) {
    return unknown(
      'kube-proxy',
      `its rules cannot be read: ${facts.noNftables}`,
      'give the container NET_ADMIN and user 0, then check again',
    )
  }
  if (mode === 'none') {
    return plan.backend === 'none'
      ? ok('kube-proxy', 'no rules of kube-proxy on this node')
      : note(
          'kube-proxy',
          'no rules of kube-proxy were found',
          'with Cilium or another eBPF dataplane Services are translated before any rule applies: use a local redirect policy and interception.mode none',
        )
  }
  const variant = mode === 'iptables' && iptables !== undefined ? `, variant ${iptables}` : ''
  const left =
    mode === 'ipvs' ? '; the ClusterIP stays with it: give pods a link-local address' : ''
  return ok('kube-proxy', `${mode}${variant}${left}`)
}

function addresses({ plan, facts, config }: CheckedNode): Finding[] {
  const taken = plan.troubles.filter(({ kind }) => kind === 'address_taken')
  const notes = taken.map(({ what, cure }) => note('address', what, cure))
  const planned = plan.addresses.map(({ address }) => address)
  const here = new Set(facts.links.flatMap((link) => link.addresses))
  const missing = config.listen.filter(
    ({ address }) =>
      !['0.0.0.0', '::'].includes(address) &&
      !address.startsWith('127.') &&
      address !== '::1' &&
      !planned.includes(address) &&
      !here.has(address),
  )
  const faults = missing.map((one) =>
    fault('address', `${formatEndpoint(one)} is on no link of this node`, {
      cause: 'it is in `listen` and not in interception.addresses, so nobody puts it there',
      next: `interception: addresses: [${one.address}]`,
    }),
  )
  if (notes.length + faults.length > 0) return [...faults, ...notes]
  return planned.length === 0
    ? []
    : [ok('address', `${planned.join(', ')}: free, put on ${plan.link.name}`)]
}

function leftovers({ facts, config }: CheckedNode): Finding[] {
  const { leftovers: rules, servedByOthers, links } = facts
  const { name } = config.interception.link
  if (rules.length === 0) {
    return wantsInterception(config) ? [ok('NodeLocal', 'it has left no rules')] : []
  }
  const link = links.some((one) => one.name === 'nodelocaldns') ? ', and its link nodelocaldns' : ''
  const what = `${rules.length} rules of NodeLocal DNSCache are on this node${link}`
  if (servedByOthers.length > 0) {
    return [
      fault('NodeLocal', what, {
        cause: `it still serves ${servedByOthers.join(', ')}`,
        next: 'kubectl -n kube-system delete daemonset node-local-dns, or let neardns take its place by the image (docs/nodelocal.md)',
      }),
    ]
  }
  return [
    note(
      'NodeLocal',
      `${what}; they are removed at the start`,
      `neardns rules show --config FILE lists them; link ${name}`,
    ),
  ]
}

function standby({ plan, config }: CheckedNode): Finding[] {
  const without = plan.troubles.find(({ kind }) => kind === 'standby_unknown')
  if (without !== undefined) {
    return [
      fault('standby', 'while neardns is down, its addresses have no DNS', {
        cause: without.what,
        next: without.cure,
      }),
    ]
  }
  if (plan.standby.length === 0 || config.interception.addresses.length === 0) return []
  return [ok('standby', `${plan.standby.map(formatEndpoint).join(', ')} while neardns is down`)]
}

function firewall(node: CheckedNode): Finding[] {
  if (!intercepts(node)) return []
  const closed = node.plan.accept.flatMap(({ family, table, chain, closed: why }) =>
    why === undefined ? [] : [{ place: `${family} ${table} ${chain}`, why }],
  )
  if (closed.length > 0) {
    return closed.map(({ place, why }) =>
      fault('firewall', `${place} refuses what pods send to the node`, {
        cause: why,
        next: 'firewalld: firewall-cmd --permanent --zone=trusted --add-source=POD_CIDR; Calico: defaultEndpointToHostAction: Accept',
      }),
    )
  }
  const open = node.plan.accept.map(({ family, table, chain }) => `${family} ${table} ${chain}`)
  return [
    ok(
      'firewall',
      open.length === 0
        ? 'no chain refuses by default'
        : `accept rules are put into ${open.join(', ')}`,
    ),
  ]
}
