/** How long after its start a server gives its first answer, asked of its upstream. */
import { freePort } from '../../test/support/free-port.ts'
import type { Contestant } from '../peers/contestant.ts'
import { startAuthority } from './field.ts'
import { firstAnswer } from './probe.ts'
import { median, significant } from './statistics.ts'

export interface FirstAnswers {
  readonly contestant: string
  readonly medianMs: number
  readonly maxMs: number
  readonly starts: number
}

export interface StartPlan {
  readonly serverCpu: number
  readonly loadCpu: number
  readonly directory: string
  readonly starts: number
}

const ttlMaxSeconds = 30
const entriesMax = 10_000

/** In turns, as all else here. Who does not start is left out. */
export async function measureFirstAnswers(
  plan: StartPlan,
  contestants: readonly Contestant[],
): Promise<FirstAnswers[]> {
  const authority = await startAuthority({ ...plan, ttlMaxSeconds })
  const times = new Map<string, number[]>()
  try {
    for (let start = 0; start < plan.starts; start++) {
      for (const contestant of contestants.filter(({ isEcho }) => isEcho !== true)) {
        const ms = await startOnce(contestant, plan, authority.port).catch(() => undefined)
        if (ms !== undefined)
          times.set(contestant.name, [...(times.get(contestant.name) ?? []), ms])
      }
    }
  } finally {
    await authority.child.stop()
  }
  return [...times].map(([contestant, ms]) => ({
    contestant,
    medianMs: significant(median(ms), 3),
    maxMs: significant(Math.max(...ms), 3),
    starts: ms.length,
  }))
}

async function startOnce(
  contestant: Contestant,
  { serverCpu: cpu, directory }: StartPlan,
  upstreamPort: number,
): Promise<number> {
  const port = await freePort()
  const startMs = performance.now()
  const child = await contestant.start({
    ...{ cpu, port, upstreamPort, ttlMaxSeconds, entriesMax, directory },
  })
  try {
    return await firstAnswer(child, port, { startMs })
  } finally {
    await child.stop('SIGKILL')
  }
}
