/**
 * Runs scenarios on a lab, each at each rate: a load on both addresses at once, the event in its fourth second, and then what must hold
 * behind it. Never stops at a failure: the next scenario begins anew.
 */
import { lostMax } from './bounds.ts'
import { DnsLoad, type LoadResult } from './dns-load.ts'
import type { Lab } from './lab.ts'
import { kubeDnsIp, linkLocal } from './layout.ts'
import { pause } from './run.ts'
import type { Scenario } from './scenario.ts'
import { corednsDrops, dropsBetween } from './socket-drops.ts'

export interface Outcome {
  readonly variant: string
  readonly scenario: string
  readonly what: string
  readonly queriesPerSecond: number
  readonly loads: readonly (LoadResult & { readonly lostMax?: number })[]
  /** Queries that CoreDNS's pods had no room for; of pods that are there at the end. */
  readonly corednsDrops?: number
  /** Everything that was not as it must be, lost queries beyond the bound included. */
  readonly faults: readonly string[]
  /** Why it was not run. */
  readonly skipped?: string
}

const beforeMs = 3000
const settleSecondsDefault = 5
/** dnsperf takes a moment to start and to end. */
const sentShareMin = 0.9

export async function runScenario(
  lab: Lab,
  scenario: Scenario,
  queriesPerSecond: number,
): Promise<Outcome> {
  const { name, what } = scenario
  const outcome = { variant: lab.variant, scenario: name, what, queriesPerSecond }
  const skipped = scenario.obstacle?.(lab)
  if (skipped !== undefined) return { ...outcome, loads: [], faults: [], skipped }
  const { kubectl } = lab.cluster
  const syncsBefore = lab.failedSyncs()
  const faults: string[] = []
  const note = (error: unknown) =>
    faults.push(error instanceof Error ? error.message : String(error))
  let loads: Outcome['loads'] = []
  let drops: number | undefined
  try {
    const obstacle = await lab.prepare(scenario)
    if (obstacle !== undefined) throw new Error(obstacle)
    await scenario.before?.(lab)
    const before = await corednsDrops(kubectl)
    loads = (await underLoad(lab, scenario, queriesPerSecond, note)).map((load) =>
      judged(load, lostMax(name, queriesPerSecond)),
    )
    drops = dropsBetween(before, await corednsDrops(kubectl))
    faults.push(...loads.flatMap(faultsOf), ...((await scenario.after?.(lab)) ?? []))
  } catch (error) {
    note(error)
  }
  if (faults.length > 0) faults.push(...(await lab.neardns.warnings()))
  const serviceFault = await lab.newServiceFault().catch(String)
  if (serviceFault !== undefined) faults.push(serviceFault)
  const syncs = lab.failedSyncs() - syncsBefore
  if (syncs > 0) faults.push(`kube-proxy: ${syncs} failed syncs`)
  return { ...outcome, loads, faults, ...(drops !== undefined && { corednsDrops: drops }) }
}

async function underLoad(
  lab: Lab,
  scenario: Scenario,
  queriesPerSecond: number,
  note: (error: unknown) => void,
): Promise<LoadResult[]> {
  const addresses = scenario.addresses ?? [linkLocal, kubeDnsIp]
  const loads = addresses.map((address) => new DnsLoad(lab.clientPid, address, queriesPerSecond))
  try {
    await pause(beforeMs)
    for (const load of loads) load.mark()
    await scenario.act(lab)
    await pause((scenario.settleSeconds ?? settleSecondsDefault) * 1000)
  } catch (error) {
    note(error)
  }
  return await Promise.all(loads.map((load) => load.stop()))
}

function judged(load: LoadResult, bound: number | undefined): Outcome['loads'][number] {
  return bound === undefined ? load : { ...load, lostMax: bound }
}

export function faultsOf(load: Outcome['loads'][number]): string[] {
  const { address, lost, sent, wrong, lostMax: bound } = load
  // A comparison with something else has no bound: its losses and wrong answers are what is to be shown.
  if (bound === undefined) return []
  const faults: string[] = []
  if (lost > bound) {
    const when = load.lostFromMs === undefined ? '' : `, ${load.lostFromMs} to ${load.lostToMs} ms`
    faults.push(`${address}: ${lost} of ${sent} lost${when}; at most ${bound} may be`)
  }
  for (const [answer, count] of Object.entries(wrong)) {
    faults.push(`${address}: ${count} times ${answer}`)
  }
  // A load that was held back would hide losses.
  if (sent < load.due * sentShareMin)
    faults.push(`${address}: only ${sent} of ${load.due} queries were sent`)
  return faults
}
