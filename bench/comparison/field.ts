/** Starts an authority and contestants before it, all at once on one CPU, and ends them. A server that does not start is left out, with the reason. */
import { freePort } from '../../test/support/free-port.ts'
import type { Child } from '../../test/support/process.ts'
import type { Contestant, Setup } from '../peers/contestant.ts'
import { startProgram } from '../support/programs.ts'
import { onCpu } from '../support/servers.ts'
import { firstAnswer } from './probe.ts'

export interface FieldPlan {
  /** Where the servers may run. */
  readonly serverCpus: readonly number[]
  /** Of the authority, and of the load. */
  readonly loadCpu: number
  readonly directory: string
  readonly ttlMaxSeconds: number
  readonly entriesMax: number
  readonly isStalling?: boolean
}

export interface Runner {
  readonly contestant: Contestant
  readonly child: Child
  readonly port: number
  /** From before its start. */
  readonly firstAnswerMs: number
}

export interface Absence {
  readonly contestant: string
  readonly why: string
}

export interface Field {
  readonly runners: readonly Runner[]
  readonly absent: readonly Absence[]
  /** The second authority, where there are two. */
  readonly other: Child | undefined
  stop(): Promise<void>
}

export async function startField(
  plan: FieldPlan,
  contestants: readonly Contestant[],
): Promise<Field> {
  const authority = await startAuthority(plan)
  const other = plan.isStalling === true ? await startAuthority(plan) : undefined
  const ports = { upstreamPort: authority.port, ...(other && { otherUpstreamPort: other.port }) }
  const runners: Runner[] = []
  const absent: Absence[] = []
  // One after another: each has the CPU for itself while it starts.
  for (const contestant of contestants) {
    try {
      runners.push(await startContestant(contestant, plan, ports))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      absent.push({ contestant: contestant.name, why })
    }
  }
  const stop = async () => {
    await Promise.all(runners.map(({ child }) => child.stop('SIGTERM', 2000)))
    await authority.child.stop()
    await other?.child.stop()
  }
  return { runners, absent, other: other?.child, stop }
}

export async function startAuthority({
  loadCpu,
  ttlMaxSeconds,
}: Pick<FieldPlan, 'loadCpu' | 'ttlMaxSeconds'>): Promise<{ port: number; child: Child }> {
  const port = await freePort()
  const args = [String(port), String(ttlMaxSeconds)]
  return { port, child: await startProgram('authority', args, onCpu(loadCpu)) }
}

/** @throws an Error that says why it does not run */
export async function startContestant(
  contestant: Contestant,
  { serverCpus, directory, ttlMaxSeconds, entriesMax }: FieldPlan,
  upstreams: Pick<Setup, 'upstreamPort' | 'otherUpstreamPort'>,
): Promise<Runner> {
  const port = await freePort()
  const setup: Setup = {
    ...{ cpus: serverCpus, port, ttlMaxSeconds, entriesMax, directory },
    ...upstreams,
  }
  const startMs = performance.now()
  const child = await contestant.start(setup)
  try {
    const isEcho = contestant.isEcho === true
    const firstAnswerMs = await firstAnswer(child, port, { isEcho, startMs })
    return { contestant, child, port, firstAnswerMs }
  } catch (error) {
    await child.stop('SIGKILL')
    throw error
  }
}
