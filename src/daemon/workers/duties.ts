/** Carries out the supervisor's orders in a worker. */
import { dumpCache } from '../../handover/cache-file.ts'
import type { Clock } from '../../platform/clock.ts'
import type { DaemonOptions } from '../daemon-options.ts'
import type { DataPath } from '../data-path.ts'
import type { Listeners } from '../listeners.ts'
import type { Monitoring } from '../monitoring.ts'
import type { Succession } from '../succession.ts'
import { restoreFrom } from '../warm-start.ts'
import type { WorkerDuties } from './link.ts'

/** Queries that were read from another worker's socket can be answered for this long: longer than an upstream may take. */
const lingerMs = 6000

export interface DutyParts {
  readonly path: DataPath
  readonly clock: Clock
  readonly listeners: Listeners
  readonly monitoring: Monitoring
  readonly succession: Succession
  readonly onDefect: (error: unknown) => void
}

/** Starts to obey the supervisor, and restores the cache that it received. Does nothing in a process without a supervisor. */
export async function startAsWorker(options: DaemonOptions, parts: DutyParts): Promise<void> {
  const { link, log } = options
  if (link === undefined) return
  link.start(dutiesOf(parts, () => options.onSucceeded?.()))
  await restoreFrom(link, parts.path, parts.clock.nowMs(), log)
}

function dutiesOf(parts: DutyParts, onOrphaned: () => void): WorkerDuties {
  const { path, clock, listeners, monitoring, succession, onDefect } = parts
  return {
    pause: () => succession.pauseReceiving(),
    resume: () => succession.resumeReceiving(),
    // Not awaited: it ends with the process.
    retire: () => {
      succession.retire(undefined).catch(onDefect)
    },
    adopt: (number) => listeners.readAlso(number),
    drop: async (number) => listeners.leave(number, lingerMs),
    dump: () => dumpCache(path.cache, () => clock.nowMs()),
    page: (page) => monitoring.page(page),
    call: (name, input) => monitoring.operator.carryOut(name, input),
    orphaned: onOrphaned,
  }
}
