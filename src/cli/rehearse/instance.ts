/** The private instance of a rehearsal: the daemon's own data path under the configuration that is to be switched to, without a socket. */
import type { Config } from '../../config/schema.ts'
import { ReadCorefileFiles } from '../../daemon/corefile-files.ts'
import { DataPath } from '../../daemon/data-path.ts'
import { planRouting } from '../../daemon/routing.ts'
import { judgeTrust } from '../../daemon/search-trust.ts'
import { createLog } from '../../observe/log.ts'
import { QueryCounters } from '../../observe/query-counters.ts'
import { textAt } from '../../platform/text-at.ts'
import type { Cover } from '../../rehearsal/cover-names.ts'
import { nameOf } from '../../rehearsal/pod-query.ts'
import { Presumption } from '../../rehearsal/presumption.ts'
import { Rehearsal } from '../../rehearsal/rehearsal.ts'
import { Said } from '../../rehearsal/said.ts'
import { Tally } from '../../rehearsal/tally.ts'
import { Timetable } from '../../rehearsal/timetable.ts'
import { CapturedUpstream } from '../../rehearsal/upstream.ts'
import { wireName } from '../../wire/name.ts'

export interface InstanceOptions {
  readonly config: Config
  /** Addresses that the pods ask. */
  readonly servers: readonly string[]
  /** A cache on this node answers there. */
  readonly isCache: boolean
  readonly cover: Cover
}

export interface Instance {
  readonly rehearsal: Rehearsal
  /** How far the search path trusts the cluster domain, and what stands in its way. */
  readonly trust: ReturnType<typeof judgeTrust>
  stop(): void
}

export function makeInstance({ config, servers, isCache, cover }: InstanceOptions): Instance {
  const timetable = new Timetable()
  const routing = planRouting(config, [], [], [])
  const routeOf = (key: string) => {
    const name = Buffer.from(nameOf(key), 'latin1')
    return path.router.route(name, name.length)
  }
  const isCluster = (key: string) => routeOf(key).isCluster
  const said = new Said({ isCache, isCluster })
  const presumption = new Presumption(wireName(config.clusterDomain))
  const upstream = new CapturedUpstream({ said, presumption, timetable })
  const trust = trustOf(config)
  const zones = routing.zones.map(({ zone }) => zone)
  const counters = new QueryCounters(['rehearsal'], zones)
  const path = new DataPath(
    { config, routing, own: [], counters, trust },
    {
      log: createLog({ level: 'silent' }),
      standIns: {
        exchange: upstream,
        timers: timetable,
        sampler: { record: (arrival, _reply, facts) => rehearsal.noteReply(arrival, facts) },
      },
    },
    timetable,
  )
  const tally = new Tally({ cover, groupOf: (key) => routeOf(key).group, isCluster })
  const rehearsal = new Rehearsal({
    servers: new Set(servers),
    handler: path.pipeline,
    timetable,
    said,
    presumption,
    upstream,
    tally,
  })
  return { rehearsal, trust, stop: () => path.stop() }
}

function trustOf(config: Config): ReturnType<typeof judgeTrust> {
  const { corefile } = config.searchPath
  if (corefile === null) return judgeTrust(config, undefined)
  const source = { text: textAt(corefile) ?? '', files: new ReadCorefileFiles(corefile) }
  return judgeTrust(config, source)
}
