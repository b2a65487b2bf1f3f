/**
 * The load model for the search path's saving: namespaces on one node, each looking up its outside names all the time. What
 * a per-name cache lets through to CoreDNS grows with names times namespaces; what a cut lets through, with top-level
 * domains times namespaces. The load runs in a process of its own (search-load-main.ts).
 */
import { Child } from '../process.ts'
import { type Counts, type SearchLab, since } from './search-lab.ts'

export interface LoadModel {
  readonly server: string
  readonly namespaces: number
  readonly namesPerNamespace: number
  readonly tlds: readonly string[]
  /** All namespaces look up the same names; otherwise each its own. */
  readonly isShared: boolean
  /** Every expansion is asked once in so long. */
  readonly periodMs: number
  readonly seconds: number
}

export interface LoadReport {
  readonly sent: number
  readonly right: number
  readonly wrong: number
  readonly lost: number
}

export interface Expansion {
  readonly name: string
  readonly exists: boolean
}

/** The names that stub resolvers make of the model's names, in the order in which they ask. */
export function expansionsOf(model: LoadModel): Expansion[] {
  const { namespaces, namesPerNamespace, tlds, isShared } = model
  return Array.from({ length: namespaces }, (_, n) =>
    Array.from({ length: namesPerNamespace }, (__, i) => {
      const name = `${isShared ? 'all' : `n${n}`}-host-${i}.${tlds[i % tlds.length]}`
      const suffixes = [`.team-${n}.svc.cluster.local`, '.svc.cluster.local', '.cluster.local']
      return [
        ...suffixes.map((suffix) => ({ name: `${name}${suffix}`, exists: false })),
        { name, exists: true },
      ]
    }).flat(),
  ).flat()
}

export interface LoadMeasurement {
  readonly report: LoadReport
  /** Queries per second that the upstreams counted after the warm-up. */
  readonly perSecond: Counts
  readonly measuredSeconds: number
}

/** Runs the load in the pod and counts at the upstreams, from the end of the warm-up on. */
export async function measureLoad(
  lab: SearchLab,
  model: LoadModel,
  warmUpSeconds: number,
): Promise<LoadMeasurement> {
  const main = new URL('./search-load-main.ts', import.meta.url).pathname
  const child = new Child(process.execPath, [main, JSON.stringify(model)], {
    netns: lab.net.pod.name,
  })
  try {
    await pass(warmUpSeconds)
    const startMs = performance.now()
    const before = await lab.counts()
    await pass(model.seconds - warmUpSeconds - 0.2)
    const measuredSeconds = (performance.now() - startMs) / 1000
    const seen = since(before, await lab.counts())
    const { code } = await child.exited
    if (code !== 0) throw new Error(`the load ended with ${code}: ${child.tail()}`)
    const report: LoadReport = JSON.parse(child.lines.at(-1) ?? '')
    const perSecond = {
      cluster: seen.cluster / measuredSeconds,
      external: seen.external / measuredSeconds,
    }
    return { report, perSecond, measuredSeconds }
  } finally {
    await child.stop('SIGKILL')
  }
}

async function pass(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
