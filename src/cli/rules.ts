/**
 * `neardns rules show|apply|remove`: shows what the configuration means for this node, installs the lasting rules without
 * a daemon, and removes everything of ours. `--dry-run` prints the commands instead of running them.
 */
import type { Config } from '../config/schema.ts'
import { rulesFor } from '../host/backends/backend.ts'
import { detect } from '../host/detect.ts'
import type { HostFacts } from '../host/facts.ts'
import { ensureAddresses } from '../host/links.ts'
import { openNftables } from '../host/nft/nftables.ts'
import { type NodeTools, readProc, usableNftables } from '../host/node-tools.ts'
import { clearLeftovers } from '../host/nodelocal/leftovers.ts'
import { makePlan, type Plan } from '../host/plan.ts'
import { planText } from '../host/plan-text.ts'
import { recording } from '../host/recording.ts'
import { runProgram } from '../host/run-program.ts'
import { runSteps, type Step, stepText } from '../host/steps.ts'
import type { Trouble } from '../host/trouble.ts'
import { planRemoval } from '../host/uninstall.ts'
import { readArguments } from './command-line/arguments.ts'
import { runArgsFrom } from './command-line/run-arguments.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { readConfig } from './read-config.ts'
import { reportProblems } from './validate.ts'

const actions = ['show', 'apply', 'remove'] as const
type Action = (typeof actions)[number]

interface RulesCall {
  readonly io: CliIo
  readonly config: Config
  readonly tools: NodeTools
  readonly isDry: boolean
  readonly isJson: boolean
}

export async function rules(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('rules', argv)
  if (!read.ok) return usageError(io, read.why)
  const action = actions.find((known) => known === read.words[0]) ?? 'show'
  const loaded = await readConfig(runArgsFrom(read.flags))
  if (!loaded.ok) return reportProblems(io, loaded.problems)
  const isDry = read.has('--dry-run')
  const isJson = read.has('--json')
  if (isJson && action !== 'show' && !isDry) {
    return usageError(io, `--json goes with show and --dry-run; ${action} prints what it has done`)
  }
  const opened = await openNftables()
  const tools = { run: runProgram, readProc, nftables: opened.ok ? opened.nftables : opened.why }
  const call = { io, config: loaded.config, tools, isDry, isJson }
  try {
    return await verbs[action](call)
  } finally {
    await usableNftables(tools)?.close()
  }
}

const verbs: Readonly<Record<Action, (call: RulesCall) => Promise<number>>> = {
  show,
  apply,
  remove,
}

async function look({ config, tools }: RulesCall): Promise<{ facts: HostFacts; plan: Plan }> {
  const { interception: settings, cluster } = config
  const facts = await detect({ tools, settings, clusterUpstreams: cluster.upstreams })
  return { facts, plan: makePlan(settings, facts) }
}

async function show(call: RulesCall): Promise<number> {
  const { facts, plan } = await look(call)
  call.io.stdout(
    call.isJson ? `${JSON.stringify({ facts, plan }, undefined, 2)}\n` : planText(plan, facts),
  )
  return outcome(call.io, plan.troubles)
}

/** Addresses, standby rule and accept rules. The intercepting rules live and die with the daemon. */
async function apply(call: RulesCall): Promise<number> {
  const { facts, plan } = await look(call)
  const record = call.isDry ? recording(call.tools) : undefined
  const tools = record?.tools ?? call.tools
  const { run } = tools
  const troubles = [...plan.troubles]
  if (plan.backend !== 'none') {
    troubles.push(...(await clearLeftovers(run, facts)))
    troubles.push(...(await ensureAddresses(run, plan)))
    troubles.push(...(await rulesFor(plan, run, usableNftables(tools)).installLasting(plan)))
  }
  if (call.isJson) return printSteps(call, record?.steps ?? [], troubles)
  const done = record?.steps.map((step) => `${stepText(step)}\n`).join('') ?? ''
  call.io.stdout(`${plan.why.map((why) => `# ${why}\n`).join('')}${done}`)
  return outcome(call.io, troubles)
}

async function remove(call: RulesCall): Promise<number> {
  const { io, config, tools, isDry } = call
  const { facts } = await look(call)
  const { steps, running } = await planRemoval(tools, facts, config.interception)
  for (const table of running) {
    io.stderr(
      `neardns: table ${table} belongs to a daemon that is running; it goes when that ends\n`,
    )
  }
  if (call.isJson) return printSteps(call, steps, [])
  io.stdout(steps.map((step) => `${stepText(step)}\n`).join(''))
  if (isDry) return ExitCode.ok
  const failed = await runSteps(tools, steps)
  for (const { step, ran } of failed) io.stderr(`neardns: ${stepText(step)}: ${ran.stderr}\n`)
  return failed.length === 0 && running.length === 0 ? ExitCode.ok : ExitCode.failed
}

function printSteps(
  { io }: RulesCall,
  steps: readonly Step[],
  troubles: readonly Trouble[],
): number {
  io.stdout(`${JSON.stringify({ commands: steps.map(stepText), troubles }, undefined, 2)}\n`)
  return troubles.length === 0 ? ExitCode.ok : ExitCode.failed
}

function outcome(io: CliIo, troubles: readonly Trouble[]): number {
  for (const { kind, what, cure } of troubles) io.stderr(`neardns: ${kind}: ${what}\n  ${cure}\n`)
  return troubles.length === 0 ? ExitCode.ok : ExitCode.failed
}
