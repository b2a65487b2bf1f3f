/** When the rules are checked, lost ones repaired, and the node looked at again. Pure: the time is an argument, the timers are in rounds.ts. */
import type { HostFacts } from './facts.ts'
import type { Trouble } from './trouble.ts'

/** A node without kube-proxy, or without the rules that the standby needs, may be one on which kube-proxy is just starting. */
const lonelyMs = 10_000
/** Between two repairs of lost rules. */
const lostPauseMs = 100
/** After a repair that failed: each attempt costs processes. */
const retryMs = 5000

export class Timetable {
  private readonly lookEveryMs: number
  private nextLookMs = 0
  private nextCheckMs = 0

  constructor({ standbySeconds }: { readonly standbySeconds: number }) {
    this.lookEveryMs = standbySeconds * 1000
  }

  isCheckDue(nowMs: number): boolean {
    return nowMs >= this.nextCheckMs
  }

  /** A check of the rules has ended. @param troubles what it found, and could not repair unless they are flushed rules */
  checked(nowMs: number, troubles: readonly Trouble[]): void {
    const isHopeless = troubles.some(({ kind }) => kind !== 'rules_flushed')
    if (isHopeless) this.nextCheckMs = nowMs + retryMs
  }

  /** Rules were lost. @returns whether they are to be repaired now; no check is due for a moment then */
  takeRepair(nowMs: number): boolean {
    if (!this.isCheckDue(nowMs)) return false
    this.nextCheckMs = nowMs + lostPauseMs
    return true
  }

  isLookDue(nowMs: number): boolean {
    return nowMs >= this.nextLookMs
  }

  /** The node was looked at. @param facts what was found: an incomplete node is looked at again soon */
  looked(nowMs: number, facts: Pick<HostFacts, 'kubeProxy' | 'standbyGaps'>): void {
    const isLonely = facts.kubeProxy === 'none' || facts.standbyGaps.length > 0
    this.nextLookMs = nowMs + (isLonely ? Math.min(this.lookEveryMs, lonelyMs) : this.lookEveryMs)
  }

  /** Somebody has changed the node. */
  lookAtOnce(): void {
    this.nextLookMs = 0
  }
}
