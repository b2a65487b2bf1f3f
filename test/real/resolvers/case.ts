/**
 * What a case is: scripted upstreams, questions to the server in front of them, and what must hold of its replies
 * whoever it is. Nothing here knows a server.
 */
import type { QueryOptions, ReadMessage, TypeName } from '../../support/client/dns-message.ts'
import type { Behaviour, FakeUpstream } from '../../upstream/fake-upstream.ts'

/** As docs/interoperability.md heads them. */
export const topics = {
  'ordered-lists': 'Ordered lists of resolvers',
  'slow-names': 'Slow names beside quick ones',
  shares: 'What one client or domain can take from others',
  silence: 'Silence and failure of upstreams',
  edns: 'EDNS as upstreams have it',
  owners: 'Aliases between zones',
  sizes: 'Truncation, order and sizes',
  types: 'Types with names in their data',
  denials: 'Denials',
  refreshing: 'Expired answers',
  rotation: 'Order of addresses',
  names: 'Names and header bits',
  messages: 'Odd messages of upstreams',
  queries: 'Odd queries of clients',
  addresses: 'Addresses and resolv.conf',
} as const
export type Topic = keyof typeof topics

export type ServerName = 'neardns' | 'coredns' | 'unbound' | 'dnsmasq'

export interface Case {
  /** A sentence that says what is right. */
  readonly name: string
  /** RFC with its section, a manual page, or a public report. */
  readonly source: string
  /** By name, in the order in which a server is told them. */
  readonly upstreams: Readonly<Record<string, Behaviour>>
  /** Zones and who answers for them; without it all upstreams stand for the root. */
  readonly routes?: Readonly<Record<string, readonly string[]>>
  /** Zones that are asked over TCP, where the server can. */
  readonly overTcp?: readonly string[]
  /** The zone that is the cluster's: neardns then has its upstreams as `cluster.upstreams`. */
  readonly cluster?: string
  /** Where upstreams listen: 127.0.0.1 unless said otherwise. */
  readonly upstreamHost?: string
  /**
   * The server reads its upstreams from a file like resolv.conf, which names these at first. All upstreams then have
   * port 53 of addresses of their own, for which a test needs root.
   */
  readonly fromResolvConf?: readonly string[]
  /** The server listens on 0.0.0.0. */
  readonly onEveryAddress?: boolean
  /** The server is told to use expired answers while it cannot get new ones. */
  readonly serveStale?: boolean
  /** Settings of neardns beyond its defaults. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly steps: readonly Step[]
  /** Servers to which the case cannot be put, and why. */
  readonly notFor?: Readonly<Partial<Record<ServerName, string>>>
  /** neardns does something else on purpose: why. */
  readonly wilful?: string
  /** Takes long: not part of `npm test`. */
  readonly long?: boolean
}

/** A part of a case, in order. Throws `Wrong` when what is seen is not right. */
export type Step = (stage: Stage) => Promise<void>

/** What the steps have to do with. */
export interface Stage {
  ask(name: string, type: TypeName | number, options?: AskOptions): Promise<Seen>
  /** Sends octets as they are, over UDP. */
  send(octets: Uint8Array, what: string): Promise<Seen>
  upstream(name: string): FakeUpstream
  /** Replaces the file from which the server has its upstreams. */
  writeResolvConf(text: string): void
}

export interface AskOptions extends QueryOptions {
  readonly tcp?: boolean
  /** After TC over UDP the question is asked over TCP, as every stub resolver does; the time counts on. */
  readonly asStub?: boolean
  /** Source address on loopback: another client. */
  readonly from?: string
  /** The address of the server, of those that it listens on. */
  readonly to?: string
  readonly timeoutMs?: number
}

/** What a client got. */
export interface Seen {
  readonly question: string
  /** Undefined when nothing came in time, or nothing that can be read. */
  readonly reply: ReadMessage | undefined
  /** Why there is no `reply`. */
  readonly problem: string
  readonly octets: Buffer
  readonly ms: number
}

/** @returns what is wrong, or undefined */
export type Property = (seen: Seen) => string | undefined

/** What was seen is not right; the message says what was seen. */
export class Wrong extends Error {}

/** The time after which the usual stub resolver asks again (resolv.conf(5), timeout). */
export const stubTimeoutMs = 5000

export function ask(
  name: string,
  type: TypeName | number,
  ...rest: readonly (Property | AskOptions)[]
): Step {
  const properties = rest.filter((one) => typeof one === 'function')
  const options = rest.find((one) => typeof one !== 'function') ?? {}
  return async (stage) => judge(await stage.ask(name, type, options), properties)
}

/** Many questions at the same time; each must have the properties. */
export function askAtOnce(
  names: readonly string[],
  type: TypeName | number,
  ...rest: readonly (Property | AskOptions)[]
): Step {
  const properties = rest.filter((one) => typeof one === 'function')
  const options = rest.find((one) => typeof one !== 'function') ?? {}
  return async (stage) => {
    const all = await Promise.all(names.map((name) => stage.ask(name, type, options)))
    const wrong = all
      .map((seen) => faultOf(seen, properties))
      .filter((fault) => fault !== undefined)
    if (wrong.length > 0) throw new Wrong(`${wrong.length} of ${names.length}: ${wrong[0]}`)
  }
}

/** The same question `times` times, one after another; `judgeAll` looks at all replies together. */
export function askTimes(
  times: number,
  question: readonly [name: string, type: TypeName],
  judgeAll: (all: readonly Seen[]) => string | undefined,
): Step {
  return async (stage) => {
    const all: Seen[] = []
    for (let n = 0; n < times; n++) all.push(await stage.ask(...question))
    const fault = judgeAll(all)
    if (fault !== undefined) throw new Wrong(fault)
  }
}

/** Questions that nobody waits for: their steps go on in the background, whatever comes of them. */
export function leaveOpen(
  names: readonly string[],
  type: TypeName,
  options: AskOptions = {},
): Step {
  return async (stage) => {
    for (const name of names) {
      stage.ask(name, type, options).catch(() => undefined)
    }
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}

export function pause(ms: number): Step {
  return async () => new Promise((resolve) => setTimeout(resolve, ms))
}

/** A query that no stub resolver would write. */
export function sendOctets(
  what: string,
  octets: Uint8Array,
  ...properties: readonly Property[]
): Step {
  return async (stage) => judge(await stage.send(octets, what), properties)
}

/** Two courses of steps beside each other; both are waited for. */
export function meanwhile(one: readonly Step[], other: readonly Step[]): Step {
  const play = async (steps: readonly Step[], stage: Stage) => {
    for (const step of steps) await step(stage)
  }
  return async (stage) => {
    await Promise.all([play(one, stage), play(other, stage)])
  }
}

/** The file from which the server has its upstreams becomes this. */
export function writeResolvConf(text: (stage: Stage) => string): Step {
  return async (stage) => stage.writeResolvConf(text(stage))
}

/** From now on the upstream behaves so. */
export function become(name: string, behaviour: Behaviour): Step {
  return async (stage) => {
    stage.upstream(name).behave = behaviour
  }
}

/** The upstream is gone: its ports refuse. */
export function die(name: string): Step {
  return async (stage) => stage.upstream(name).kill()
}

/** Nobody listens on its UDP port any more. */
export function closeUdp(name: string): Step {
  return async (stage) => stage.upstream(name).refuseUdp()
}

export function revive(name: string): Step {
  return async (stage) => stage.upstream(name).revive()
}

/** What an upstream has been asked must be right; `look` says what is not. */
export function asked(name: string, look: (upstream: FakeUpstream) => string | undefined): Step {
  return async (stage) => {
    const fault = look(stage.upstream(name))
    if (fault !== undefined) throw new Wrong(fault)
  }
}

/** `count` names of a zone that have nothing in common with those of another case. */
export function manyNames(zone: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `n${n}.${zone}`)
}

function judge(seen: Seen, properties: readonly Property[]): void {
  const fault = faultOf(seen, properties)
  if (fault !== undefined) throw new Wrong(fault)
}

function faultOf(seen: Seen, properties: readonly Property[]): string | undefined {
  for (const property of properties) {
    const fault = property(seen)
    if (fault !== undefined) return `${seen.question}: ${fault}`
  }
  return undefined
}
