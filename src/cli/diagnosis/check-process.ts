/** What stands in the way of a process on this node: rights, ports, upstreams, memory. Pure. */
import { formatEndpoint } from '../../address/endpoint.ts'
import { tooLittleMemory } from '../../platform/memory-limit.ts'
import type { Capability } from './capabilities.ts'
import { type CheckedNode, wantsInterception } from './checked-node.ts'
import { type Finding, fault, note, ok, unknown } from './finding.ts'
import { conflictsWith } from './listeners.ts'

/** A burst of pods fills less; `net.core.rmem_max` is often 212992. */
const receiveBytesWanted = 4_194_304

export function processFindings(node: CheckedNode): Finding[] {
  return [
    ...privileges(node),
    ...ports(node),
    ...upstreams(node),
    memory(node),
    ...receiveBuffer(node),
  ]
}

function privileges(node: CheckedNode): Finding[] {
  const { capabilities, userId, config, freePortMin } = node
  if (capabilities === undefined) {
    return [unknown('capabilities', '/proc/self/status does not say them', 'check on a Linux node')]
  }
  const low = config.listen.find(({ port }) => port > 0 && port < freePortMin)
  const lacks: [Capability, string][] = []
  if (low !== undefined && !capabilities.has('NET_BIND_SERVICE'))
    lacks.push(['NET_BIND_SERVICE', `to listen on ${formatEndpoint(low)}`])
  const changesNode = node.plan.backend !== 'none' || wantsInterception(config)
  if (changesNode && !capabilities.has('NET_ADMIN'))
    lacks.push(['NET_ADMIN', 'for addresses and rules'])
  if (node.facts.unreadable.length > 0 && !capabilities.has('NET_RAW'))
    lacks.push(['NET_RAW', 'to read the rules of iptables-legacy'])
  const faults = lacks.map(([name, purpose]) =>
    fault('capabilities', `${name} is missing, ${purpose}`, {
      cause: 'the container or an admission policy does not grant it',
      next: `securityContext: capabilities: add: [${name}]`,
    }),
  )
  if (changesNode && userId !== 0) {
    faults.push(
      fault('user', `this process is user ${userId}; changing the node takes user 0`, {
        cause: 'NET_ADMIN of a container counts for user 0 only',
        next: 'securityContext: runAsUser: 0, or interception.mode: none',
      }),
    )
  }
  return faults.length > 0
    ? faults
    : [ok('capabilities', [...capabilities].join(', ') || 'none, none needed')]
}

function ports({ config, sockets, holders }: CheckedNode): Finding[] {
  const wanted = [
    ...config.listen.map((at) => ({ at, of: 'listen', transports: ['udp', 'tcp'] })),
    ...config.admin.listen.map((at) => ({ at, of: 'admin.listen', transports: ['tcp'] })),
  ]
  const findings = wanted.map(({ at, of, transports }) => {
    const met = conflictsWith(at, sockets).filter(({ transport }) => transports.includes(transport))
    const place = formatEndpoint(at)
    if (at.port === 0 || met.length === 0) return ok('port', `${place} (${of}) is free`)
    const who = holders(met).map(({ pid, name }) => `${name} (process ${pid})`)
    const [first] = met
    const bound = first?.address === at.address ? '' : ` on all addresses (${first?.address})`
    return fault('port', `${place} (${of}) is taken${bound}`, {
      cause:
        who.length > 0
          ? `by ${[...new Set(who)].join(', ')}`
          : 'by a process that this user may not see',
      next: `stop it or bind it to its own address, or change ${of}; a neardns that hands over (handover.socket) may stay`,
    })
  })
  return findings
}

function upstreams({ config, resolvers }: CheckedNode): Finding[] {
  const { cluster, external } = config
  const findings: Finding[] = []
  if (cluster.upstreams.length === 0) {
    findings.push(
      note(
        'upstreams',
        `no cluster.upstreams: names in ${config.clusterDomain} get ${cluster.withoutUpstreams.toUpperCase()}`,
        '--cluster-upstream ADDRESS of the Service kube-dns-upstream',
      ),
    )
  }
  const isFromFile = external.upstreams.length === 0 && external.withoutUpstreams === 'resolvConf'
  if (isFromFile && resolvers.length === 0) {
    findings.push(
      fault('upstreams', `${external.resolvConf} names no server: names outside get SERVFAIL`, {
        cause: 'the file is missing, empty, or has no `nameserver` line',
        next: 'external: upstreams: [ADDRESS], or repair the file',
      }),
    )
  }
  const own = new Set([
    ...config.listen.map(({ address }) => address),
    ...config.interception.clusterIps.map(({ address }) => address),
  ])
  const loops = isFromFile ? resolvers.filter((address) => own.has(address)) : []
  for (const address of loops) {
    findings.push(
      fault('upstreams', `${external.resolvConf} names ${address}, which is neardns itself`, {
        cause: 'the node resolves through its own cache: questions would go round',
        next: "external: resolvConf: /run/systemd/resolve/resolv.conf, or dnsPolicy: Default with the node's real resolvers",
      }),
    )
  }
  return findings.length > 0
    ? findings
    : [ok('upstreams', 'are there for the cluster and for outside')]
}

function memory({ memoryLimitBytes, config }: CheckedNode): Finding {
  const why = tooLittleMemory(memoryLimitBytes, config.workers)
  if (why !== undefined) {
    return fault('memory', why, {
      cause: 'the limit of the container',
      next: 'resources: limits: memory: 128Mi',
    })
  }
  const limit =
    memoryLimitBytes === 0
      ? 'no limit'
      : `a limit of ${Math.floor(memoryLimitBytes / 1_048_576)} MiB`
  return ok('memory', limit)
}

function receiveBuffer({ receiveBytesMax }: CheckedNode): Finding[] {
  if (receiveBytesMax === undefined || receiveBytesMax >= receiveBytesWanted) return []
  return [
    note(
      'kernel',
      `net.core.rmem_max is ${receiveBytesMax}: a burst of more queries than fit is lost`,
      `sysctl -w net.core.rmem_max=${receiveBytesWanted}`,
    ),
  ]
}
