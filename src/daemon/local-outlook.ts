/** What local stages see of a configuration. */
import type { Config } from '../config/schema.ts'
import type { Router } from '../core/router.ts'
import type { LocalOutlook } from '../local/local-stage.ts'
import { parseName } from '../wire/name.ts'
import type { LocalFiles } from './local-files.ts'
import { clusterNames } from './routing.ts'

export function localOutlook(config: Config, router: Router, files: LocalFiles): LocalOutlook {
  const { cluster, clusterDomain, zones } = config
  const wire = (names: readonly string[]) => names.flatMap((name) => parseName(name) ?? [])
  const { withoutUpstreams } = cluster
  const isOutside = cluster.upstreams.length > 0 || withoutUpstreams === 'outside'
  return {
    settings: config,
    claimed: wire([clusterDomain, ...zones.map(({ name }) => name)]),
    unserved: isOutside ? [] : wire(clusterNames(config)),
    unservedRcode: withoutUpstreams === 'outside' ? 'nxdomain' : withoutUpstreams,
    limitsOf: (name, nameBytes) => router.route(name, nameBytes).ttl,
    textOf: (path, reloadSeconds) => files.textOf(path, reloadSeconds),
  }
}
