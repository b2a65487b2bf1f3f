/**
 * Runs a load of 2,000 queries a second from the pod, half to the link-local address and half to the ClusterIP, does
 * something to the daemon in the middle, and says for how long queries went unanswered.
 */
import type { LoadRecord, LoadResult } from '../client/load.ts'
import { clusterIp, linkLocal, type NodeWorld } from './node-world.ts'

const queriesPerSecond = 1000
const slotMs = 20
/** Answers for so long end an outage: what is lost later is this machine being busy, and counted as lost. */
const lightMs = 300

export interface FaultResult {
  /** From the fault to the end of the last 20 ms of its outage in which half of the queries or more got no answer; 0 without such. */
  readonly gapMs: number
  readonly lost: number
  readonly sent: number
  /** Answered wrongly or with SERVFAIL. */
  readonly failed: number
  readonly lagMaxMs: number
}

/**
 * @param breakIt the fault; the time at which it resolves is the time of the fault
 * @param seconds load after the fault
 */
export async function loadThrough(
  world: NodeWorld,
  breakIt: () => Promise<void> | void,
  seconds = 3,
): Promise<FaultResult> {
  const before = 1
  const queries = Array.from({ length: (before + seconds) * queriesPerSecond }, (_, i) => ({
    name: `n${i % 50}.cluster.local`,
    type: 'A' as const,
    group: 'any',
    rcode: 0,
  }))
  const running = [linkLocal, clusterIp].map((host) =>
    world.client.call('load', {
      server: { host, port: 53 },
      queriesPerSecond,
      queries,
      lostAfterMs: 1000,
    }),
  )
  await new Promise((resolve) => setTimeout(resolve, before * 1000))
  await breakIt()
  const faultMs = performance.timeOrigin + performance.now()
  return resultOf(await Promise.all(running), faultMs)
}

function resultOf(results: readonly LoadResult[], faultMs: number): FaultResult {
  const records = results.flatMap(({ records: some }) => some)
  const slots = Map.groupBy(records, ({ sentMs }) => Math.floor((sentMs - faultMs) / slotMs))
  const dark = [...slots].filter(
    ([slot, some]) => slot >= 0 && count(some, 'lost') * 2 >= some.length,
  )
  let endMs = 0
  for (const [slot] of dark.toSorted(([a], [b]) => a - b)) {
    if (slot * slotMs - endMs <= lightMs) endMs = (slot + 1) * slotMs
  }
  return {
    gapMs: endMs,
    lost: count(records, 'lost'),
    sent: records.length,
    failed: count(records, 'wrong', 'servfail'),
    lagMaxMs: Math.max(...results.map(({ lagMaxMs }) => lagMaxMs)),
  }
}

function count(records: readonly LoadRecord[], ...verdicts: string[]): number {
  return records.filter(({ verdict }) => verdicts.includes(verdict)).length
}

export function faultText(
  label: string,
  { gapMs, lost, sent, failed, lagMaxMs }: FaultResult,
): string {
  return `  ${label}: gap ${gapMs.toFixed(0)} ms, ${lost} of ${sent} lost, ${failed} failed (generator late by ${lagMaxMs.toFixed(0)} ms at worst)`
}
