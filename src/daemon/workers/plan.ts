/** The plan that a supervisor gives to a worker at its start, and the messages between the two. Types and bounds only. */

import type { Problem } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import type { HeldSocket } from '../../handover/held-sockets.ts'
import type { FamilyReading } from '../../observe/exposition.ts'
import type { SupervisorView, WorkersView } from '../../observe/stats.ts'

/** Environment variable with the plan as JSON. */
export const workerVariable = 'NEARDNS_WORKER'
/** Sockets that are opened later arrive here (SCM_RIGHTS). Descriptors 0-2 are the standard streams, 3 is the channel. */
export const mailDescriptor = 4
export const firstDescriptor = 5

export interface WorkerPlan {
  /** From 0. */
  readonly number: number
  readonly count: number
  /** Sockets of all workers, with the descriptors that they have in this worker. */
  readonly sockets: readonly HeldSocket[]
  /** The predecessor's cache comes on standard input. */
  readonly hasDump: boolean
}

export type RestartReason = keyof WorkersView['restarts']

export interface RestoredCache {
  readonly entries: number
  readonly isRefused: boolean
}

export type SocketName = Omit<HeldSocket, 'fd'>

/** The configuration file as a worker has read and checked it. */
export type CheckedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export type Configured =
  /** @param needsRestart changed settings that are read at the start only */
  | { readonly ok: true; readonly needsRestart: readonly string[] }
  | { readonly ok: false; readonly why: string }

/** Admin pages about all workers. The worker that is asked over HTTP has the supervisor collect them. */
export type WorkerPage = 'metrics' | 'ready'

/** A worker's share of a page. Only the part that was asked for is filled. */
export interface WorkerAnswer {
  readonly families: readonly FamilyReading[]
  /** Why it is not ready; empty when it is. */
  readonly reasons: readonly string[]
}

/** The shares of all workers, made one page by the supervisor, which serves no packets. */
export interface GroupPage {
  /** Text of the metrics. */
  readonly text: string
  /** Why the other workers are not ready. */
  readonly reasons: readonly string[]
}

/** What a call of the operator's API (`daemon/operator`) returned in one worker. */
export interface WorkerResult {
  readonly worker: number
  readonly output: unknown
}

export type Order = 'pause' | 'resume' | 'retire' | 'dump' | 'adopt' | 'drop'

export type ToWorker =
  | { readonly kind: 'order'; readonly order: Order; readonly number: number }
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly page: WorkerPage
      readonly view: SupervisorView
    }
  /** Reads the configuration file for the supervisor, which has no parser. */
  | { readonly kind: 'check' }
  /** @param sockets whose descriptors have been sent */
  | {
      readonly kind: 'configure'
      readonly config: Config
      readonly sockets: readonly SocketName[]
    }
  | {
      readonly kind: 'page'
      readonly id: number
      readonly page: GroupPage
      readonly view: SupervisorView
    }
  /** Another worker has got a call that is for all. */
  | {
      readonly kind: 'call'
      readonly id: number
      readonly name: string
      readonly input: unknown
    }
  /** @param missing workers that have returned nothing */
  | {
      readonly kind: 'results'
      readonly id: number
      readonly results: readonly WorkerResult[]
      readonly missing: number
    }

export type ToSupervisor =
  /** @param restored what it made of the cache that it was started with */
  | { readonly kind: 'ready'; readonly restored: RestoredCache }
  | { readonly kind: 'beat' }
  | { readonly kind: 'obeyed'; readonly order: Order }
  | { readonly kind: 'checked'; readonly result: CheckedConfig }
  | { readonly kind: 'configured'; readonly result: Configured }
  /** The next piece of the cache; the last is empty. */
  | { readonly kind: 'piece'; readonly piece: Uint8Array }
  | { readonly kind: 'ask'; readonly id: number; readonly page: WorkerPage }
  /** For all other workers. */
  | {
      readonly kind: 'call'
      readonly id: number
      readonly name: string
      readonly input: unknown
    }
  /** @param output undefined when the call has failed */
  | { readonly kind: 'result'; readonly id: number; readonly output: unknown }
  /** @param answer undefined when the worker could not make it */
  | { readonly kind: 'answer'; readonly id: number; readonly answer: WorkerAnswer | undefined }

/** A worker that sends nothing for this long hangs, and is killed. It sends five beats in this time. */
export const silenceMsMax = 2500
export const beatEveryMs = 500

/**
 * A worker's share of the limits: those of the configuration hold for all workers together. The kernel distributes clients by their ports,
 * so each worker gets about as many, and all cache the same names.
 */
export function shareOf(config: Config, count: number): Config {
  if (count === 1) return config
  const share = (whole: number, min = 1) => Math.max(min, Math.ceil(whole / count))
  const { cache, tcp, inFlight } = config
  return {
    ...config,
    cache: {
      ...cache,
      entriesMax: share(cache.entriesMax),
      bytesMax: share(cache.bytesMax, 65_536),
    },
    tcp: { ...tcp, connectionsMax: share(tcp.connectionsMax) },
    inFlight: {
      ...inFlight,
      questionsMax: share(inFlight.questionsMax),
      waitersMax: share(inFlight.waitersMax),
    },
  }
}
