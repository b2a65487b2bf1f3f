/** Builds the search path of a configuration. */
import type { Config } from '../../config/schema.ts'
import { SearchKnowledge } from '../../core/search/knowledge.ts'
import { SearchPath, type SearchPathParts } from '../../core/search/search-path.ts'
import { isAtOrBelow, parseName } from '../../wire/name.ts'
import type { TrustVerdict } from '../search-trust.ts'
import { configuredSearchLists } from './configured-search-lists.ts'

/** @returns undefined for a cluster domain that is no name */
export function makeSearchPath(
  config: Config,
  { level, multicluster }: TrustVerdict,
  parts: Omit<SearchPathParts, 'known' | 'prefetches' | 'lists'>,
): SearchPath | undefined {
  const { searchPath, clusterDomain, zones } = config
  const name = parseName(clusterDomain)
  if (name === undefined) return undefined
  // A stub zone inside the cluster domain has servers of its own, and so names that the rules do not cover (SP-4).
  const carveOuts = [...searchPath.carveOuts, ...zones.map((zone) => zone.name)]
  return new SearchPath({
    ...parts,
    known: new SearchKnowledge({
      ...searchPath,
      trust: level,
      zone: { name, multicluster },
      carveOuts: carveOuts.flatMap((carveOut) => {
        const octets = parseName(carveOut)
        // The root zone, or a zone above the cluster domain, carves nothing out of it.
        return octets !== undefined && isAtOrBelow(octets, octets.length, name, name.length)
          ? [octets]
          : []
      }),
    }),
    prefetches: searchPath.prefetch,
    lists: configuredSearchLists(config),
  })
}
