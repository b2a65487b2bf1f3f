/** `neardns check`: whether this node will do, before anything runs on it. Reads the node as the daemon would, with this process's capabilities. */
import { nameserversAfter, parseResolvConf } from '../../config/resolv-conf.ts'
import { rulesFor } from '../../host/backends/backend.ts'
import { detect } from '../../host/detect.ts'
import type { HostFacts } from '../../host/facts.ts'
import { ensureAddresses } from '../../host/links.ts'
import { openNftables } from '../../host/nft/nftables.ts'
import { type NodeTools, readProc, usableNftables } from '../../host/node-tools.ts'
import { clearLeftovers } from '../../host/nodelocal/leftovers.ts'
import { makePlan, type Plan } from '../../host/plan.ts'
import { recording } from '../../host/recording.ts'
import { runProgram } from '../../host/run-program.ts'
import { stepText } from '../../host/steps.ts'
import { readMemoryLimitBytes } from '../../platform/memory-limit.ts'
import { textAt } from '../../platform/text-at.ts'
import { readArguments } from '../command-line/arguments.ts'
import { runArgsFrom } from '../command-line/run-arguments.ts'
import { type CliIo, usageError } from '../io.ts'
import { outputTerminal } from '../process/terminal.ts'
import { readConfig } from '../read-config.ts'
import { reportProblems } from '../validate.ts'
import { capabilitiesIn } from './capabilities.ts'
import { checkFindings } from './check-findings.ts'
import type { CheckedNode } from './checked-node.ts'
import { exitCodeOf } from './finding.ts'
import { foreseeHits } from './kernel-hits.ts'
import { conflictsWith, holdersOf, readListening } from './listeners.ts'
import { printFindings } from './print-findings.ts'

export async function check(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('check', argv)
  if (!read.ok) return usageError(io, read.why)
  const loaded = await readConfig(runArgsFrom(read.flags))
  if (!loaded.ok) return reportProblems(io, loaded.problems)
  const { config } = loaded
  const opened = await openNftables()
  const tools = { run: runProgram, readProc, nftables: opened.ok ? opened.nftables : opened.why }
  try {
    const { interception: settings, cluster } = config
    const facts = await detect({ tools, settings, clusterUpstreams: cluster.upstreams })
    const plan = makePlan(settings, facts)
    const findings = checkFindings(await readNode({ config, facts, plan }))
    const commands = await commandsFor(tools, facts, plan)
    printFindings(io, findings, {
      isJson: read.has('--json'),
      terminal: outputTerminal(),
      commands,
    })
    return exitCodeOf(findings)
  } finally {
    await usableNftables(tools)?.close()
  }
}

async function readNode(
  known: Pick<CheckedNode, 'config' | 'facts' | 'plan'>,
): Promise<CheckedNode> {
  const { config } = known
  const sockets = await readListening()
  const all = [...config.listen, ...config.admin.listen].flatMap((at) => conflictsWith(at, sockets))
  const found = new Map(
    await Promise.all(all.map(async (one) => [one, await holdersOf([one])] as const)),
  )
  const [status, portStart, receiveMax] = await Promise.all([
    readProc('/proc/self/status'),
    readProc('/proc/sys/net/ipv4/ip_unprivileged_port_start'),
    readProc('/proc/sys/net/core/rmem_max'),
  ])
  const resolv = parseResolvConf(textAt(config.external.resolvConf) ?? '')
  return {
    ...known,
    capabilities: capabilitiesIn(status),
    userId: process.getuid?.() ?? 0,
    sockets,
    holders: (some) => some.flatMap((one) => found.get(one) ?? []),
    freePortMin: portStart === '' ? 1024 : Number(portStart),
    receiveBytesMax: receiveMax === '' ? undefined : Number(receiveMax),
    memoryLimitBytes: readMemoryLimitBytes(),
    kernelHits: await foreseeHits(config),
    resolvers: nameserversAfter(resolv, []).map(({ address }) => address),
  }
}

/** What a start would do to the node and leave there, as commands. */
async function commandsFor(
  tools: NodeTools,
  facts: HostFacts,
  plan: Plan,
): Promise<readonly string[]> {
  if (plan.backend === 'none') return []
  const { tools: dry, steps } = recording(tools)
  await clearLeftovers(dry.run, facts)
  await ensureAddresses(dry.run, plan)
  await rulesFor(plan, dry.run, usableNftables(dry)).installLasting(plan)
  return steps.map(stepText)
}
