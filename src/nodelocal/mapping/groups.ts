/**
 * The zones of a Corefile as groups of upstreams: the cluster's domain becomes `cluster`, the root `external`, everything else `zones`. Our
 * settings always have a cluster and an outside, a Corefile need not: what nobody is asked about is said in `withoutUpstreams`.
 */
import type { CorefileFiles } from '../../corefile/files.ts'
import { type Complaint, quoted, type Remark } from '../reading.ts'
import type { Answer, ZoneAnswer } from './answers.ts'
import { usualDomain } from './cluster.ts'
import type { PlainSection } from './plain.ts'
import { nameserversOf } from './upstreams.ts'

export interface GroupContext {
  readonly files: CorefileFiles
  /** Of `clusterDomainOf`. */
  readonly domain: string | undefined
}

export interface Groups {
  readonly settings: PlainSection
  readonly complaints: readonly Complaint[]
  readonly notes: readonly Remark[]
}

const reverseZones = ['in-addr.arpa', 'ip6.arpa']

export function groupsOf(answers: readonly ZoneAnswer[], { files, domain }: GroupContext): Groups {
  const complaints: Complaint[] = []
  const ofDomain = answers.find(({ zone }) => zone === domain)
  const root = answers.find(({ zone }) => zone === '.')
  const reverse = answers.filter(({ zone }) => reverseZones.includes(zone))
  const isOfCluster = (one: ZoneAnswer) => ofDomain && isSameGroup(one.answer, ofDomain.answer)
  const joinsReverse = reverse.length === reverseZones.length && reverse.every(isOfCluster)
  const stubs = answers.filter(
    (one) => one !== ofDomain && one !== root && !(joinsReverse && reverse.includes(one)),
  )
  const zones = stubs.map((one) => {
    const group = groupOf(one.answer, files)
    if (one.answer.asks === undefined) complaints.push(notYet(one))
    return { name: one.zone, ...group }
  })
  if (root?.answer.asks === undefined)
    complaints.push(notYet(root ?? { place: { line: 1 }, zone: '.' }))
  const settings = {
    clusterDomain: domain ?? usualDomain,
    cluster: clusterGroup(ofDomain, joinsReverse, files),
    external: root === undefined ? {} : externalGroup(root.answer, files),
    ...(zones.length > 0 && { zones }),
  }
  return { settings, complaints, notes: [] }
}

function notYet({ zone, place }: Pick<ZoneAnswer, 'zone' | 'place'>): Complaint {
  const message = `nobody is asked about names of ${quoted(zone)}, which is not supported yet`
  return { ...place, message, cure: 'add a `forward`' }
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

function externalGroup({ asks, ttl, exchange }: Answer, files: CorefileFiles): PlainSection {
  const file = asks?.file
  if (file === undefined || asks?.overTcp === true)
    return groupOf({ ...(asks && { asks }), ttl, exchange }, files)
  return { resolvConf: file, ttl, ...(hasAny(exchange) && { exchange }) }
}

function groupOf({ asks, ttl, exchange }: Answer, files: CorefileFiles): PlainSection {
  const { file, overTcp = false } = asks ?? {}
  const upstreams =
    file === undefined ? (asks?.upstreams ?? []) : nameserversOf(file, overTcp, files)
  return { upstreams, ttl, ...(hasAny(exchange) && { exchange }) }
}

function hasAny(section: PlainSection): boolean {
  return Object.values(section).some((value) => value !== undefined)
}
