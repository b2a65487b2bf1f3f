/** What the data path is built with, besides its outlook; for a rehearsal that is also what stands in the place of the world. */
import type { Exchange } from '../core/ports.ts'
import type { Ticket } from '../core/question/in-flight.ts'
import type { QuerySampler } from '../pipeline/replies.ts'
import type { Timers } from '../pipeline/waiting-room.ts'
import type { DaemonOptions } from './daemon-options.ts'

/** In the place of sockets, timers and the query log while a capture is replayed; no upstream of the configuration is asked. */
export interface StandIns {
  readonly exchange: Exchange<Ticket>
  readonly timers: Timers
  readonly sampler: QuerySampler
}

export interface PathOptions
  extends Pick<DaemonOptions, 'log' | 'readResolvConf'>,
    Partial<Pick<DaemonOptions, 'facts'>> {
  readonly standIns?: StandIns
}
