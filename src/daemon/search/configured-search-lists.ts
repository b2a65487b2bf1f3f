/** Search lists of clients as the configuration describes them: of a whole namespace, or of its pods in given networks. */

import { isInNetwork } from '../../address/ip-address.ts'
import type { Config } from '../../config/schema.ts'
import type { SearchList, SearchLists } from '../../core/search/answer-mode/lists.ts'
import { wireName } from '../../wire/name.ts'

type Described = Config['searchPath']['answerMode']['namespaces'][number]

/** Remembered clients; each is the address of a pod on this node. */
const clientsMax = 4096

/** @returns undefined when no namespace is described */
export function configuredSearchLists({
  searchPath,
  clusterDomain,
}: Pick<Config, 'searchPath' | 'clusterDomain'>): SearchLists | undefined {
  const { namespaces } = searchPath.answerMode
  if (namespaces.length === 0) return undefined
  return new ConfiguredSearchLists(namespaces, clusterDomain)
}

class ConfiguredSearchLists implements SearchLists {
  readonly namespaces: ReadonlySet<string>
  private readonly listed: ReadonlyMap<string, Listed>

  constructor(described: readonly Described[], clusterDomain: string) {
    this.listed = new Map(
      described.map((one) => [labelOf(one.name), new Listed(one, clusterDomain)]),
    )
    this.namespaces = new Set(this.listed.keys())
  }

  find(namespace: string, client: string): SearchList | undefined {
    return this.listed.get(namespace)?.find(client)
  }
}

class Listed {
  private readonly list: SearchList
  private readonly clients: Described['clients']
  private readonly isKnown = new Map<string, boolean>()

  constructor({ name, clients, searchDomains, ndots }: Described, clusterDomain: string) {
    const domains = [`${name}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
    this.list = { suffixes: [...domains, ...searchDomains].map(octetsOf), ndots }
    this.clients = clients
  }

  find(client: string): SearchList | undefined {
    if (this.clients.length === 0) return this.list
    let isKnown = this.isKnown.get(client)
    if (isKnown === undefined) {
      isKnown = this.clients.some((network) => isInNetwork(client, network))
      if (this.isKnown.size >= clientsMax) this.isKnown.clear()
      this.isKnown.set(client, isKnown)
    }
    return isKnown ? this.list : undefined
  }
}

function octetsOf(domain: string): string {
  return Buffer.from(wireName(domain)).toString('latin1')
}

function labelOf(name: string): string {
  return octetsOf(name).slice(0, -1)
}
