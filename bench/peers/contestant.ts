/** What the comparison knows of a server: how to get it, how to start it, what it cannot do. */
import type { Child } from '../../test/support/process.ts'

export interface Setup {
  /** CPUs that all contestants share. */
  readonly cpus: readonly number[]
  /** Where it listens, UDP and TCP, on 127.0.0.1. */
  readonly port: number
  /** Where its upstream listens, UDP and TCP, on 127.0.0.1. */
  readonly upstreamPort: number
  /** Of a second one that the first can stand in for, where the scenario has two. */
  readonly otherUpstreamPort?: number
  /** Upper bound of a positive answer's time in the cache. NodeLocal DNSCache has 30. */
  readonly ttlMaxSeconds: number
  /** Answers that the cache has to hold. */
  readonly entriesMax: number
  /** For configuration files; goes away with the bench. */
  readonly directory: string
}

/** Ports of all upstreams. */
export function upstreamPorts({ upstreamPort, otherUpstreamPort }: Setup): number[] {
  return otherUpstreamPort === undefined ? [upstreamPort] : [upstreamPort, otherUpstreamPort]
}

export interface Contestant {
  readonly name: string
  /** In words, with what is special about its configuration here. */
  readonly about: string
  /** Can it ask its upstream over TCP, as NodeLocal DNSCache does? */
  readonly forwardsOverTcp: boolean
  /** It has no answers of its own, so that nothing can be checked and nothing can be missed. */
  readonly isEcho?: boolean
  /** @returns the command that brings it, or undefined when it is there */
  missing(): string | undefined
  /** @returns what it says its version is */
  version(): string
  /** @returns at once; whether it has got ready is found by asking it */
  start(setup: Setup): Promise<Child>
}
