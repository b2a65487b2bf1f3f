/** How long after its start a server gives its first answer, asked of its upstream. */
import type { Contestant } from '../peers/contestant.ts'
import { median, significant } from '../support/statistics.ts'
import { type FieldPlan, startAuthority, startContestant } from './field.ts'

export interface FirstAnswers {
  readonly contestant: string
  readonly medianMs: number
  readonly maxMs: number
  readonly starts: number
}

/** In turns, as all else here. A server that does not start is left out. */
export async function measureFirstAnswers(
  where: Omit<FieldPlan, 'ttlMaxSeconds' | 'entriesMax'>,
  starts: number,
  contestants: readonly Contestant[],
): Promise<FirstAnswers[]> {
  const plan = { ...where, ttlMaxSeconds: 30, entriesMax: 10_000 }
  const authority = await startAuthority(plan)
  const times = new Map<string, number[]>()
  try {
    for (let start = 0; start < starts; start++) {
      for (const contestant of contestants.filter(({ isEcho }) => isEcho !== true)) {
        const started = startContestant(contestant, plan, { upstreamPort: authority.port })
        const runner = await started.catch(() => undefined)
        if (runner === undefined) continue
        await runner.child.stop('SIGKILL')
        times.set(contestant.name, [...(times.get(contestant.name) ?? []), runner.firstAnswerMs])
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
