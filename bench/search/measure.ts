/**
 * The three that are compared on the search path, one after another at the same address, and what is measured of each:
 * queries and time of single look-ups, and queries under the load model. Between them and their upstreams lies a network with a
 * distance, or each look-up would cost a loopback's microseconds.
 */
import { join } from 'node:path'
import { type CostSample, measureCosts } from '../../test/support/lab/search-cost.ts'
import {
  clusterPort,
  externalPort,
  type Middle,
  SearchLab,
  type SearchLabOptions,
} from '../../test/support/lab/search-lab.ts'
import {
  type LoadMeasurement,
  type LoadModel,
  measureLoad,
} from '../../test/support/lab/search-load.ts'
import { Child } from '../../test/support/process.ts'

export const contestants = ['declared', 'cautious', 'peer'] as const
export type SearchContestant = (typeof contestants)[number]

export const contestantNames: Readonly<Record<SearchContestant, string>> = {
  declared: 'neardns, trust declared',
  cautious: 'neardns, trust cautious',
  peer: 'CoreDNS as NodeLocal DNSCache',
}

export interface SearchPlan {
  /** Round-trip times to the cluster's CoreDNS and to the outside resolver. */
  readonly clusterMs: number
  readonly externalMs: number
  readonly rounds: number
  readonly warmUpSeconds: number
  readonly loadSeconds: number
}

export interface LoadRun extends LoadMeasurement {
  /** All namespaces look up the same names; otherwise each its own. */
  readonly isShared: boolean
}

export interface SearchRun {
  readonly contestant: SearchContestant
  readonly costs: readonly CostSample[]
  readonly loads: readonly LoadRun[]
}

const relayedClusterPort = 5310
const relayedExternalPort = 5311
/** Two letters, as of a country: names below them look public, so the absolute name is asked ahead. */
const tlds = [...'abcdef'].flatMap((first) =>
  [...'bcdfghjklmnpqrst'].map((second) => first + second),
)
const model = { namespaces: 20, namesPerNamespace: 30, tlds: tlds.slice(0, 4), periodMs: 1000 }
const labOptions: SearchLabOptions = {
  namespaces: model.namespaces,
  // As kubeadm configures it. Both sides cap denials at five seconds.
  clusterTtlSeconds: 30,
  externalTtlSeconds: 60,
  tlds,
}

export async function measureAll(
  plan: SearchPlan,
  which: readonly SearchContestant[],
  progress: (text: string) => void,
): Promise<SearchRun[]> {
  const lab = await SearchLab.start(labOptions)
  const relays = await startRelays(lab, plan)
  try {
    const runs: SearchRun[] = []
    for (const contestant of which) {
      progress(`${contestantNames[contestant]}: single look-ups`)
      const costs = await during(lab, contestant, () =>
        measureCosts(lab, { tlds: tlds.slice(4), rounds: plan.rounds, waits: true }),
      )
      const loads: LoadRun[] = []
      for (const isShared of [false, true]) {
        progress(
          `${contestantNames[contestant]}: load, ${isShared ? 'the same names' : 'own names'}`,
        )
        loads.push({ isShared, ...(await load(lab, contestant, plan, isShared)) })
      }
      runs.push({ contestant, costs, loads })
    }
    return runs
  } finally {
    for (const relay of relays) await relay.stop('SIGKILL')
    await lab.stop()
  }
}

/** The load needs no distance, and the relays are no place for its rate. */
async function load(
  lab: SearchLab,
  contestant: SearchContestant,
  { warmUpSeconds, loadSeconds }: SearchPlan,
  isShared: boolean,
): Promise<LoadMeasurement> {
  const whole: LoadModel = {
    ...model,
    server: '169.254.20.10',
    isShared,
    seconds: warmUpSeconds + loadSeconds,
  }
  const middle = await start(lab, contestant, { cluster: clusterPort, external: externalPort })
  try {
    return await measureLoad(lab, whole, warmUpSeconds)
  } finally {
    await middle.stop()
  }
}

async function during<T>(
  lab: SearchLab,
  contestant: SearchContestant,
  body: () => Promise<T>,
): Promise<T> {
  const upstreams = { cluster: relayedClusterPort, external: relayedExternalPort }
  const middle = await start(lab, contestant, upstreams)
  try {
    return await body()
  } finally {
    await middle.stop()
  }
}

async function start(
  lab: SearchLab,
  contestant: SearchContestant,
  upstreams: { readonly cluster: number; readonly external: number },
): Promise<Middle> {
  if (contestant === 'peer') return await lab.startPeer(upstreams)
  return await lab.startNeardns(contestant, upstreams)
}

async function startRelays(lab: SearchLab, plan: SearchPlan): Promise<Child[]> {
  const main = join(import.meta.dirname, 'delay-relay.ts')
  const ways = [
    ['tcp', relayedClusterPort, clusterPort, plan.clusterMs],
    ['udp', relayedExternalPort, externalPort, plan.externalMs],
  ] as const
  return await Promise.all(
    ways.map(async (way) => {
      const relay = new Child(process.execPath, [main, ...way.map(String)], {
        netns: lab.net.node.name,
      })
      await relay.line((line) => line === 'relaying', 5000)
      return relay
    }),
  )
}
