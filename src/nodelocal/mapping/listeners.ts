/**
 * The addresses that a Corefile serves, and whether every zone is answered alike on all of them: our settings know one set of zones. Sources:
 * core/dnsserver/register.go, address.go and plugin/bind/setup.go of CoreDNS 1.14.
 */
import { formatEndpoint } from '../../address/endpoint.ts'
import { isLinkLocal, parseIpAddress, parseScopedAddress } from '../../address/ip-address.ts'
import type { CorefilePlace } from '../../corefile/directive.ts'
import { isWithin } from '../../corefile/label.ts'
import type { Word } from '../../corefile/words.ts'
import type { Block } from '../blocks.ts'
import { type Complaint, quoted, type Remark } from '../reading.ts'
import { isSame, type ZoneAnswer } from './answers.ts'

export interface ListenContext {
  /** Of labels without a port. */
  readonly port: number
  /** What a block without `bind`, or with 0.0.0.0 or ::, listens on. */
  readonly wildcard: readonly string[]
  /** Addresses of a link of this name; undefined when there is none. */
  readonly addressesOf: (link: string) => readonly string[] | undefined
}

/** A block with what it listens on and what it answers. */
export interface Served {
  readonly block: Block
  /** Empty: all addresses. */
  readonly hosts: readonly string[]
  readonly answers: readonly ZoneAnswer[]
  /** Of zones outside of the block's, to which its rewrites lead. */
  readonly targets?: readonly ZoneAnswer[]
}

/** What a block's `bind` stands for. */
export interface Hosts {
  /** Empty without `bind`: all addresses. */
  readonly hosts: readonly string[]
  readonly complaints: readonly Complaint[]
  readonly notes: readonly Remark[]
}

/** @returns addresses, or what is wrong with them */
export function hostsOf({ has }: Block, { addressesOf }: ListenContext): Hosts {
  const complaints: Complaint[] = []
  const notes: Remark[] = []
  const addresses = ({ text, place }: Word): readonly string[] => {
    const ofLink = addressesOf(text)
    const scoped = ofLink?.filter(isScoped) ?? []
    if (scoped.length > 0) {
      const message = `\`bind ${text}\` leaves ${scoped.join(' and ')} out: pods do not ask link-local addresses`
      notes.push({ ...place, message })
    }
    if (ofLink !== undefined) return ofLink.filter((one) => !isScoped(one))
    if (parseIpAddress(text) !== undefined && !isScoped(text)) return [text]
    const isOpen = text.startsWith('__PILLAR__')
    const what = isScoped(text)
      ? 'is link-local, which pods do not ask'
      : 'is neither an IP address nor a link of this node'
    const message = isOpen ? `${text} has not been replaced` : `${quoted(text)} ${what}`
    const address = /^\[(.+)\]$/.exec(text)?.[1] ?? 'the address to serve'
    const cure = isOpen ? 'put an address in its place' : `write ${address}`
    complaints.push({ ...place, message, cure })
    return []
  }
  const hosts = has.bind?.parts.flatMap(({ bound, except }) => {
    const left = new Set(except.flatMap(addresses))
    return bound.flatMap(addresses).filter((address) => !left.has(address))
  })
  const [first] = has.bind?.parts.flatMap(({ bound }) => bound) ?? []
  if (first !== undefined && hosts?.length === 0 && complaints.length === 0) {
    const cure = 'write the addresses to serve'
    complaints.push({ ...first.place, message: '`bind` has no address to serve', cure })
  }
  return { hosts: hosts ?? [], complaints, notes }
}

/** An interface's own fe80::/10, which works on this interface alone. */
function isScoped(text: string): boolean {
  const address = parseScopedAddress(text)
  return address !== undefined && isLinkLocal(address)
}

/** Zones that two blocks serve on one address and port. */
export function clashes(served: readonly Served[], context: ListenContext): Complaint[] {
  const bound = new Set<string>()
  const keys = new Set<string>()
  const owners = new Map<string, Block>()
  return served
    .flatMap((one) => claimsOf(one, context))
    .flatMap(({ key, host, place, block }) => {
      const isTaken = bound.has(`${key} on ${host}`)
      const overlaps = host === '' ? keys.has(key) : bound.has(`${key} on `)
      bound.add(`${key} on ${host}`)
      keys.add(key)
      const isOwn = owners.get(key) === block
      owners.set(key, block)
      if (!isTaken && !overlaps) return []
      const where = host === '' ? '' : ` on ${host}`
      const whose = isOwn ? 'this' : 'another'
      const cure = isOwn
        ? 'remove one of the two'
        : 'join the two blocks, or bind them to different addresses'
      return [
        { ...place, message: `cannot serve ${key}${where}: ${whose} block does already`, cure },
      ]
    })
}

interface Claim {
  /** Zone and port as CoreDNS writes them: `dns://.:53`. */
  readonly key: string
  /** Empty: all addresses. */
  readonly host: string
  readonly place: CorefilePlace
  readonly block: Block
}

function claimsOf({ block, hosts }: Served, context: ListenContext): Claim[] {
  return block.labels.flatMap(({ zones, scheme, port = context.port, place }) =>
    zones.flatMap((zone) => {
      const key = `${scheme}://${zone === '.' ? zone : `${zone}.`}:${port}`
      return (hosts.length === 0 ? [''] : hosts).map((host) => ({ key, host, place, block }))
    }),
  )
}

interface Listener {
  readonly endpoint: string
  readonly answers: readonly ZoneAnswer[]
}

export interface Listening {
  /** As in the setting `listen`. */
  readonly listen: readonly string[]
  /** One for each zone. */
  readonly answers: readonly ZoneAnswer[]
  readonly complaints: readonly Complaint[]
  readonly notes: readonly Remark[]
}

/** Joins the zones of all listeners. */
export function joinListeners(served: readonly Served[], context: ListenContext): Listening {
  const listeners = listenersOf(served, context)
  const zones = new Map<string, ZoneAnswer>()
  const complaints: Complaint[] = []
  const notes: Remark[] = []
  for (const answer of listeners.flatMap(({ answers }) => answers)) {
    if (zones.has(answer.zone)) continue
    zones.set(answer.zone, answer)
    const others = listeners.map((listener) => ({
      listener,
      found: findAnswer(listener, answer.zone),
    }))
    const apart = others.find(({ found }) => found && !isSame(found.answer, answer.answer))
    if (apart?.found !== undefined) complaints.push(partedZone(answer, apart.found, apart.listener))
    const absent = others.filter(({ found }) => found === undefined)
    if (absent.length > 0)
      notes.push(
        wideZone(
          answer,
          absent.map(({ listener }) => listener),
        ),
      )
  }
  const listen = [...new Set(listeners.map(({ endpoint }) => endpoint))]
  return { listen: withoutCovered(listen), answers: [...zones.values()], complaints, notes }
}

/** One socket for each address and port: those that the wildcard address of their family covers are left out. */
export function withoutCovered(endpoints: readonly string[]): string[] {
  return endpoints.filter((text) => {
    const port = text.slice(text.lastIndexOf(':'))
    const wildcard = `${text.startsWith('[') ? '[::]' : '0.0.0.0'}${port}`
    return text === wildcard || !endpoints.includes(wildcard)
  })
}

function listenersOf(served: readonly Served[], context: ListenContext): Listener[] {
  const found = new Map<string, ZoneAnswer[]>()
  for (const { block, hosts, answers, targets = [] } of served) {
    const listened = hosts.length === 0 ? context.wildcard : hosts.flatMap(widened(context))
    for (const { zones, port = context.port } of block.labels) {
      const inside = answers.filter(({ zone }) => zones.some((one) => isWithin(zone, one)))
      const own = [...inside, ...targets]
      for (const host of listened) {
        const endpoint = formatEndpoint({ address: host, port, family: host.includes(':') ? 6 : 4 })
        found.set(endpoint, [...(found.get(endpoint) ?? []), ...own])
      }
    }
  }
  return [...found].map(([endpoint, answers]) => ({ endpoint, answers }))
}

/** The wildcard addresses stand for whatever the caller says. */
function widened({ wildcard }: ListenContext): (host: string) => readonly string[] {
  return (host) => {
    const address = parseIpAddress(host)?.address ?? host
    if (address === '::') return wildcard
    if (address !== '0.0.0.0') return [address]
    return wildcard.filter((one) => !one.includes(':'))
  }
}

function findAnswer({ answers }: Listener, zone: string): ZoneAnswer | undefined {
  const covering = answers.filter((one) => isWithin(zone, one.zone))
  return covering.toSorted((one, other) => depth(other.zone) - depth(one.zone))[0]
}

function depth(zone: string): number {
  return zone === '.' ? 0 : zone.length
}

function partedZone(one: ZoneAnswer, other: ZoneAnswer, { endpoint }: Listener): Complaint {
  const message = `names of ${one.zone} are answered differently at ${endpoint} (block in line ${other.place.line}); here every address gives the same answers`
  const cure = 'run a second neardns for the other address, or give both blocks the same lines'
  return { ...one.place, message, cure }
}

function wideZone({ zone, place }: ZoneAnswer, absent: readonly Listener[]): Remark {
  const places = absent.map(({ endpoint }) => endpoint).join(', ')
  return { ...place, message: `names of ${zone} are answered at ${places} as well` }
}
