/** The settings of the upstream side: the servers' addresses, and every limit that its sockets keep. */

import type { Upstream } from '../address/upstream-url.ts'
import type { ChoicePolicy } from './policy/choice.ts'
import type { HedgeSettings, TimeoutSettings } from './policy/hedge-delay.ts'

/** The address is an IP, never a name, because we are the resolver. */
export type UpstreamAddress = Upstream

export interface StreamSettings {
  /** Connections to one upstream that take questions; as many again while it does not answer at all. */
  readonly connections: number
  /** All connections to one upstream, those with a slow question at their head included. */
  readonly connectionsMax: number
  /** From here on an answer is slow, and what waits behind it goes another way. */
  readonly slowAfterMs: number
  /** Slow names of a TCP upstream are asked over UDP. */
  readonly slowOverUdp: boolean
  /** Names, parents and types remembered as slow, per upstream. */
  readonly slowNamesMax: number
  readonly queriesPerConnection: number
  /** The same for a connection whose answers follow each other closely. */
  readonly burstPerConnection: number
  /** Questions that wait for a place on a connection, per upstream. */
  readonly queueMax: number
  /** Below the 10 s after which CoreDNS closes. */
  readonly idleMs: number
  /** Below the 3 s after which CoreDNS closes a connection that never carried a query. */
  readonly freshSilentMs: number
  readonly ageMaxMs: number
  readonly connectTimeoutMs: number
  readonly tls?: TlsFiles
}

/** Paths of files in PEM; null: none. */
export interface TlsFiles {
  readonly ca: string | null
  readonly certificate: string | null
  readonly key: string | null
}

export interface UpstreamUdpSettings {
  /** Sockets open at once per upstream, one for each question in flight. */
  readonly socketsMax: number
  /** Questions that wait for one of them. */
  readonly queueMax: number
}

export interface ExchangeSettings {
  readonly policy: ChoicePolicy
  readonly deadlineMs: number
  readonly silenceMs: number
  readonly hedge: HedgeSettings
  /** Before an upstream is taken for silent about a question. */
  readonly timeout: TimeoutSettings
  readonly retryBudgetPercent: number
  readonly attemptsMax: number
  readonly failover: boolean
  /** How long an upstream's broken manner of being asked, EDNS or UDP, is avoided. */
  readonly workaroundSeconds: number
  readonly stream: StreamSettings
  readonly udp: UpstreamUdpSettings
}

export interface GroupConfig {
  readonly name: string
  /** Without duplicates. */
  readonly upstreams: readonly Upstream[]
  readonly settings: ExchangeSettings
}
