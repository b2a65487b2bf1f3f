/**
 * What the look-up of an outside name costs: queries that reach the cluster's CoreDNS and the outside resolver, and the time
 * that `getaddrinfo` takes, in the steps that a pod goes through: first name below a top-level domain, second name, the
 * same again at once, and again when answers of five seconds have run out.
 */
import { LookupLoop } from '../client/lookup-loop.ts'
import { type SearchLab, since } from './search-lab.ts'

/** How the name came to be looked up. */
export const costSteps = ['cold', 'second', 'warm', 'later'] as const
export type CostStep = (typeof costSteps)[number]

export interface CostSample {
  readonly step: CostStep
  readonly labels: number
  /** Queries that arrived there, all that the look-up set off included. */
  readonly cluster: number
  readonly external: number
  readonly tookUs: number
}

/** What a look-up sets off without waiting for it (probes, audits, the absolute name) has arrived after so long. */
const settleMs = 150
/** Longer than cuts and cached denials live (5 s), shorter than positive answers do (30 s). */
const laterMs = 8000
const labelCounts = [2, 3, 4] as const
const inner = ['www', 'api']

export interface CostPlan {
  /** One for each round and count of labels; each is used once, so that its first look-up is cold. */
  readonly tlds: readonly string[]
  readonly rounds: number
  /** Look the names up again when cuts and denials have run out. */
  readonly waits: boolean
}

/** @param lab with what is to be measured at its address, just started */
export async function measureCosts(lab: SearchLab, plan: CostPlan): Promise<CostSample[]> {
  const client = await LookupLoop.start('glibc', lab.net.pod.name)
  try {
    return await new Costs(lab, client).measure(plan)
  } finally {
    await client.stop()
  }
}

class Costs {
  private readonly lab: SearchLab
  private readonly client: LookupLoop
  private readonly samples: CostSample[] = []

  constructor(lab: SearchLab, client: LookupLoop) {
    this.lab = lab
    this.client = client
  }

  async measure({ tlds, rounds, waits }: CostPlan): Promise<CostSample[]> {
    // Whoever starts has to hear from CoreDNS what kind of server it is.
    await this.client.lookup(`first.${tlds.at(-1)}`)
    await this.client.lookup('kubernetes.default')
    await pass(settleMs)
    const seconds: { name: string; labels: number }[] = []
    for (let i = 0; i < rounds * labelCounts.length; i++) {
      const labels = labelCounts[i % labelCounts.length] ?? 2
      const [first, second] = ['one', 'two'].map((host) =>
        [...inner.slice(0, labels - 2), `${host}-${i}`, tlds[i]].join('.'),
      )
      if (first === undefined || second === undefined) continue
      await this.look(first, labels, 'cold')
      await this.look(second, labels, 'second')
      await this.look(second, labels, 'warm')
      seconds.push({ name: second, labels })
    }
    if (!waits) return this.samples
    await pass(laterMs)
    for (const { name, labels } of seconds) await this.look(name, labels, 'later')
    return this.samples
  }

  private async look(name: string, labels: number, step: CostStep): Promise<void> {
    const before = await this.lab.counts()
    const { verdict, tookUs } = await this.client.lookup(name)
    if (verdict !== 'ok') throw new Error(`${name}: ${verdict}`)
    await pass(settleMs)
    this.samples.push({ step, labels, tookUs, ...since(before, await this.lab.counts()) })
  }
}

async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

/** Means of the counts: a look-up costs a whole number of queries, but an audit falls on some only. */
export function meanCost(samples: readonly CostSample[], step: CostStep, labels: number) {
  const own = samples.filter((sample) => sample.step === step && sample.labels === labels)
  const mean = (read: (sample: CostSample) => number) =>
    own.reduce((sum, sample) => sum + read(sample), 0) / own.length
  return { cluster: mean(({ cluster }) => cluster), external: mean(({ external }) => external) }
}
