/**
 * The zones of a Corefile as groups of upstreams: the cluster's domain becomes `cluster`, the root `external`, everything else `zones`. Our
 * settings always have a cluster and an outside, a Corefile need not: what nobody is asked about is said in `withoutUpstreams`.
 */
import { reverseRoots } from '../../address/reverse-zone.ts'
import {
  type Endpoint,
  type Parsed,
  parseListen,
  parseUpstream,
  reachesOurselves,
} from '../../config/address.ts'
import type { CorefileFiles } from '../../corefile/files.ts'
import type { Complaint, Remark } from '../reading.ts'
import type { Answer, ZoneAnswer } from './answers.ts'
import { isAt, usualDomain } from './cluster.ts'
import type { PlainSection } from './plain.ts'
import { nameserversOf, type UpstreamsOf } from './upstreams.ts'

export interface GroupContext {
  readonly files: CorefileFiles
  /** Of `clusterDomainOf`. */
  readonly domain: string | undefined
  /** As in `ClusterHints`. */
  readonly clusterDns?: string | undefined
  /** What we listen on; an upstream among them would be a loop. */
  readonly listen: readonly string[]
}

export interface Groups {
  readonly settings: PlainSection
  readonly complaints: readonly Complaint[]
  readonly notes: readonly Remark[]
}

export function groupsOf(given: readonly ZoneAnswer[], context: GroupContext): Groups {
  const { files, domain } = context
  const { answers, notes } = withoutLoops(given, context)
  const root = answers.find(({ zone }) => zone === '.')
  // Without a domain that is asked, the usual one may stand there without a server.
  const name = domain ?? usualDomain
  const ofDomain = answers.find(({ zone }) => zone === name) ?? clusterRoot(root, context)
  const reverse = answers.filter(({ zone }) => reverseRoots.some((root) => root === zone))
  const isOfCluster = (one: ZoneAnswer) => ofDomain && isSameGroup(one.answer, ofDomain.answer)
  const joinsReverse = reverse.length === reverseRoots.length && reverse.every(isOfCluster)
  const stubs = answers.filter(
    (one) => one !== ofDomain && one !== root && !(joinsReverse && reverse.includes(one)),
  )
  const zones = stubs.map(({ zone, answer }) => ({ name: zone, ...groupOf(answer, files) }))
  const settings = {
    clusterDomain: name,
    cluster: clusterGroup(ofDomain, joinsReverse, files),
    external: externalGroup(root?.answer, files),
    ...(zones.length > 0 && { zones }),
  }
  const unread = answers.filter(({ answer }) => isUnread(answer, files))
  const complaints = unread.filter((one) => one !== root).map(unreadFile)
  const later = root !== undefined && unread.includes(root) ? [laterFile(root)] : []
  return { settings, notes: [...notes, ...later], complaints }
}

/** Only the group for names outside can wait for a file. */
function isUnread({ asks }: Answer, files: CorefileFiles): boolean {
  return asks?.file !== undefined && nameserversOf(asks.file, asks.overTcp, files).length === 0
}

function unreadFile({ place, answer }: ZoneAnswer): Complaint {
  const message = `${answer.asks?.file} cannot be read, or names no server`
  return { ...place, message, cure: 'write the addresses instead' }
}

function laterFile({ place, answer }: ZoneAnswer): Remark {
  const message = `${answer.asks?.file} cannot be read here, or names no server: names get SERVFAIL until it does`
  return { ...place, message }
}

/** node-cache's `loop` ends the process when it meets such an upstream. */
function withoutLoops(
  answers: readonly ZoneAnswer[],
  { listen }: GroupContext,
): { readonly answers: readonly ZoneAnswer[]; readonly notes: readonly Remark[] } {
  const own = listen.flatMap((text) => endpointOf(parseListen(text)))
  const notes: Remark[] = []
  const isLoop = (upstream: string) =>
    endpointOf(parseUpstream(upstream, 'udp')).some((one) => reachesOurselves(one, own))
  const kept = answers.map((one): ZoneAnswer => {
    const { asks, ...rest } = one.answer
    const loops = asks?.upstreams.filter(isLoop) ?? []
    if (asks === undefined || loops.length === 0) return one
    const upstreams = asks.upstreams.filter((text) => !loops.includes(text))
    const message = `${loops.join(', ')} is an address of our own and is not asked about names of ${one.zone}, which would go round for ever`
    notes.push({ ...one.place, message })
    return {
      ...one,
      answer: { ...rest, ...(upstreams.length > 0 && { asks: { ...asks, upstreams } }) },
    }
  })
  return { answers: kept, notes }
}

function endpointOf(parsed: Parsed<Endpoint>): Endpoint[] {
  return parsed.ok ? [parsed.value] : []
}

/** A root block that asks the cluster's DNS about everything serves the usual domain as well. */
function clusterRoot(
  root: ZoneAnswer | undefined,
  { domain, clusterDns }: GroupContext,
): ZoneAnswer | undefined {
  const upstreams = root?.answer.asks?.upstreams ?? []
  const isAsked = upstreams.length > 0 && upstreams.every(isAt(clusterDns))
  return domain === undefined && isAsked ? root : undefined
}

function isSameGroup(one: Answer, other: Answer): boolean {
  return JSON.stringify([one.asks, one.ttl]) === JSON.stringify([other.asks, other.ttl])
}

function clusterGroup(
  one: ZoneAnswer | undefined,
  reverse: boolean,
  files: CorefileFiles,
): PlainSection {
  if (one === undefined) return { withoutUpstreams: 'outside', reverse: false }
  return { ...groupOf(one.answer, files), reverse }
}

function externalGroup(answer: Answer | undefined, files: CorefileFiles): PlainSection {
  if (answer === undefined) return { withoutUpstreams: 'refused' }
  const { asks, ttl } = answer
  if (asks?.file === undefined) return groupOf(answer, files)
  return {
    resolvConf: asks.file,
    ...(asks.overTcp && { resolvConfTransport: 'tcp' }),
    ttl,
    ...exchangeOf(answer),
  }
}

function groupOf(answer: Answer, files: CorefileFiles): PlainSection {
  const { asks, ttl } = answer
  const upstreams = asks === undefined ? [] : addressesOf(asks, files)
  const without = upstreams.length === 0 && { withoutUpstreams: 'servfail' }
  return { upstreams, ...without, ttl, ...exchangeOf(answer) }
}

function addressesOf({ file, upstreams, overTcp }: UpstreamsOf, files: CorefileFiles) {
  return file === undefined ? upstreams : nameserversOf(file, overTcp, files)
}

function exchangeOf({ exchange }: Answer): PlainSection {
  return Object.keys(exchange).length === 0 ? {} : { exchange }
}
