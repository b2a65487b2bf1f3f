/** Inputs of a daemon beside its configuration: the log, and facts about the process and the machine. */
import type { Upstream } from '../address/upstream-url.ts'
import type { CorefileSource } from '../corefile/files.ts'
import type { Log } from '../observe/log.ts'
import type { ProcessFacts } from '../observe/stats.ts'
import type { FirstSockets } from '../system/first-sockets.ts'
import type { WorkerLink } from './workers/link.ts'

export interface DaemonOptions {
  readonly log: Log
  readonly facts: ProcessFacts
  /** Name servers of resolv.conf, used when no external upstreams are configured. */
  readonly resolvers: readonly Upstream[]
  /** Reads resolv.conf at once. @param onRead called in a later turn, when its name servers are in force */
  readonly readResolvConf?: (onRead: () => void) => void
  /** CoreDNS's Corefile, when the configuration names one. */
  readonly corefile?: CorefileSource
  /** Addresses of this host's interfaces. */
  readonly localAddresses: () => readonly string[]
  /** A successor serves, and this process may end. */
  readonly onSucceeded?: () => void
  /** Sockets that were open before this process began. */
  readonly first?: FirstSockets
  /** In a worker: the channel to its supervisor. */
  readonly link?: WorkerLink
}
