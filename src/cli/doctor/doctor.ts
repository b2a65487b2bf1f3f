/** `neardns doctor`: what is wrong with a daemon that runs on this node. Asks it, its upstreams and the kernel; changes nothing. */
import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatProblem } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import { type Arguments, readArguments } from '../command-line/arguments.ts'
import { exitCodeOf, type Finding, fault, unknown } from '../diagnosis/finding.ts'
import { printFindings } from '../diagnosis/print-findings.ts'
import { type CliIo, usageError } from '../io.ts'
import { type AdminPlace, askAdmin } from '../operator/admin-client.ts'
import { outputTerminal } from '../process/terminal.ts'
import { reach } from './admin-places.ts'
import { ExpositionReading } from './exposition-reading.ts'
import { lookAtNode, trackedFlows } from './look-at-node.ts'
import { metricFindings } from './metric-findings.ts'
import { nodeFindings } from './node-findings.ts'
import { askOwn, type OwnAnswer, ownFindings } from './own-answers.ts'
import { podFindings, podResolvers } from './pods.ts'
import { sharedAddresses, sharedFindings } from './shared-address.ts'
import { configuredBy } from './started-config.ts'
import { startedDaemons } from './started-daemon.ts'
import { upstreamFindings } from './upstream-findings.ts'
import { probeUpstreams } from './upstreams.ts'

/** Between the two readings of the metrics: what grows in it is wrong now. */
const lookMs = 1000

export async function doctor(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('doctor', argv)
  if (!read.ok) return usageError(io, read.why)
  const { result, file } = await configuredBy(read)
  const findings = result.ok
    ? await findingsFor(result.config, read)
    : result.problems.map((problem) =>
        fault('configuration', formatProblem(problem), {
          cause:
            'the file has a mistake: a running daemon keeps the one before, a new one does not start',
          next: `neardns validate ${file}`,
        }),
      )
  printFindings(io, findings, { isJson: read.has('--json'), terminal: outputTerminal() })
  return exitCodeOf(findings)
}

async function findingsFor(config: Config, read: Arguments): Promise<Finding[]> {
  const { place, findings: unreached } = await reach(config, read)
  // Alone: what this process does beside it would count as their time.
  const upstreams = await probeUpstreams(config)
  const before = await trackedFlows()
  const [own, node, shared, pods] = await Promise.all([
    lookAtDaemon(config, place),
    lookAtNode(config, installedMs()),
    sharedAddresses(config.listen),
    podResolvers(config.clusterDomain),
  ])
  const tracked = newFlows(before, await trackedFlows())
  const elsewhere = node.plan.addresses.flatMap((one) => (one.forHost ? [] : [one.address]))
  return [
    ...ownFindings(own.answers, { received: own.received, elsewhere }),
    ...sharedFindings(shared),
    ...unreached,
    ...own.findings,
    ...upstreams.flatMap((one) => upstreamFindings(one, config.admin.slowMs)),
    ...podFindings(pods, config),
    ...nodeFindings({ ...node, tracked }),
  ]
}

function newFlows(
  before: ReadonlySet<string> | undefined,
  after: ReadonlySet<string> | undefined,
): readonly string[] | undefined {
  return before && after && [...after].filter((flow) => !before.has(flow))
}

interface LookedAtDaemon {
  readonly answers: readonly OwnAnswer[]
  /** Datagrams that it counted at each address meanwhile; undefined when that is not known. */
  readonly received: ReadonlyMap<string, number> | undefined
  readonly findings: readonly Finding[]
}

/** Asks the daemon between two readings of its metrics. */
async function lookAtDaemon(config: Config, place: AdminPlace | string): Promise<LookedAtDaemon> {
  const before = await readMetrics(place)
  const answers = await askOwn(config.listen)
  if (typeof before === 'string' || typeof place === 'string') {
    const why = typeof before === 'string' ? before : String(place)
    return { answers, received: undefined, findings: [await withoutMetrics(why)] }
  }
  const soon = await readMetrics(place)
  const received = typeof soon === 'string' ? undefined : growthByServer(before, soon)
  await sleep(lookMs)
  const [after, ready] = await Promise.all([
    readMetrics(place),
    askAdmin(place, { path: '/ready' }),
  ])
  const findings = metricFindings({
    before,
    after: typeof after === 'string' ? before : after,
    notReady: ready.ok ? [] : (ready.text ?? ready.why).trim().split('\n'),
    nowSeconds: Date.now() / 1000,
  })
  return { answers, received, findings }
}

/** While it is away, CoreDNS may answer at its addresses: that they are answered says nothing. */
async function withoutMetrics(why: string): Promise<Finding> {
  if (why.includes('does not answer within')) {
    return fault('daemon', why, {
      cause: 'it hangs, or is short of CPU; pods ask CoreDNS once the interception has run out',
      next: 'kubectl -n kube-system delete pod POD; send the log of SIGUSR2 with a report',
    })
  }
  if ((await startedDaemons()).length > 0) {
    return unknown('metrics', why, 'start the daemon with --admin, or name its socket with --admin')
  }
  return fault('daemon', 'no neardns runs on this node', {
    cause: why,
    next: 'kubectl -n kube-system get pods -l app.kubernetes.io/name=neardns -o wide; logs --previous',
  })
}

/** @returns a text when they cannot be had: why */
async function readMetrics(place: AdminPlace | string): Promise<ExpositionReading | string> {
  if (typeof place === 'string') return place
  const reply = await askAdmin(place, { path: '/metrics' })
  if (!reply.ok) return reply.why
  const text = reply.body.toString()
  if (/^neardns_/m.test(text)) return new ExpositionReading(text)
  return 'what answers there has no metrics of neardns; does another program have this address?'
}

/** Datagrams by address, as `listen` names it. */
function growthByServer(
  before: ExpositionReading,
  after: ExpositionReading,
): ReadonlyMap<string, number> {
  const metric = 'neardns_udp_received_total'
  const server = (text: string | undefined) => (text ?? '').replace(/^\w+:\/\//, '')
  const was = new Map(
    before.all(metric).map(({ labels, value }) => [server(labels['server']), value]),
  )
  return new Map(
    after.all(metric).map(({ labels, value }) => {
      const name = server(labels['server'])
      return [name, value - (was.get(name) ?? 0)]
    }),
  )
}

function installedMs(): number {
  try {
    return statSync(process.argv[1] ?? '').mtimeMs
  } catch {
    return 0
  }
}
