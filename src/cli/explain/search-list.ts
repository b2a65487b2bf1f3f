/** The search list that the flags of `explain` mean. Pure. */
import { parseDomainName } from '../../config/domain-name.ts'
import type { Arguments } from '../command-line/arguments.ts'
import { podSearchList, type SearchList } from './walk.ts'

/** resolv.conf(5). */
const ndotsDefault = 1

/** @returns undefined without such a flag; a text says what is wrong */
export function readSearchList({ flag }: Pick<Arguments, 'flag'>): SearchList | undefined | string {
  const namespace = flag('--as-pod')
  const search = flag('--search')
  if (namespace !== undefined && search !== undefined)
    return '--as-pod and --search: give one of them'
  const ndots = flag('--ndots')
  const list =
    search === undefined ? listOfPod(namespace, flag('--cluster-domain')) : listOf(search)
  if (list === undefined && ndots !== undefined) return '--ndots needs --search or --as-pod'
  if (namespace === undefined && flag('--cluster-domain') !== undefined)
    return '--cluster-domain needs --as-pod'
  if (list === undefined || typeof list === 'string' || ndots === undefined) return list
  return { ...list, ndots: Number(ndots) }
}

function listOfPod(
  namespace: string | undefined,
  clusterDomain = 'cluster.local',
): SearchList | undefined | string {
  if (namespace === undefined) return undefined
  const name = parseDomainName(namespace)
  if (!name.ok || name.value.includes('.'))
    return `--as-pod ${namespace}: it takes the name of a namespace`
  const domain = parseDomainName(clusterDomain)
  if (!domain.ok) return `--cluster-domain: ${domain.why}`
  return podSearchList(name.value, domain.value)
}

function listOf(search: string): SearchList | string {
  const names = search.split(',')
  if (names.includes('')) return `--search ${search}: a name is missing beside a comma`
  const parsed = names.map(parseDomainName)
  const wrong = parsed.find(({ ok }) => !ok)
  if (wrong?.ok === false) return `--search: ${wrong.why}`
  return { domains: parsed.flatMap((one) => (one.ok ? [one.value] : [])), ndots: ndotsDefault }
}
