/**
 * A node's search path in front of a CoreDNS and an outside world that a test makes up name by name. Questions are answered as
 * soon as they are asked, unless the test holds them back.
 */
import type { AnswerState } from '../../../src/core/search/answer-mode/state.ts'
import { SearchKnowledge, type SearchPathSettings } from '../../../src/core/search/knowledge.ts'
import { SearchPath, type SearchPathParts } from '../../../src/core/search/search-path.ts'
import { presentName } from '../../../src/wire/name.ts'
import { name, octets, rr, u32 } from '../../fixtures/packets/octets.ts'
import { Bench, Client } from '../../pipeline/support.ts'
import {
  type QueryOptions,
  type ReadMessage,
  writeQuery,
} from '../../support/client/dns-message.ts'
import { aRecord, record, responseTo } from '../support.ts'

export type Type = 'A' | 'AAAA'

/** What a server says; `silent` answers nothing, ever. */
export type Say =
  | { readonly a?: string; readonly aaaa?: string; readonly ttl?: number }
  | 'nxdomain'
  | 'stranger'
  | 'servfail'
  | 'silent'

export interface SearchBenchOptions {
  readonly settings?: Partial<SearchPathSettings>
  readonly stage?: Partial<SearchPathParts>
}

const soaTtl = 5

/** @param timers 7200 1800 86400 are what the kubernetes plugin writes */
export function clusterSoa(timers: readonly number[] = [7200, 1800, 86_400]): Buffer {
  const zone = 'cluster.local'
  const data = octets(
    name(`ns.dns.${zone}`),
    name(`hostmaster.${zone}`),
    u32(1),
    timers.map(u32),
    u32(soaTtl),
  )
  return rr({ owner: name(zone), type: 6, ttl: soaTtl, data })
}

function otherSoa(zone: string): Buffer {
  const data = octets(name(`ns.${zone}`), name(`root.${zone}`), [1, 60, 60, 60, 60].map(u32))
  return rr({ owner: name(zone), type: 6, ttl: 60, data })
}

export class SearchBench {
  readonly bench: Bench
  /** What is told of a name and all below it; everything else is NXDOMAIN. */
  readonly says = new Map<string, Say>()
  /** What is told of a name alone. */
  readonly saysOf = new Map<string, Say>()
  /** Questions that arrived upstream: `www.example.com. A`. */
  readonly asked: string[] = []
  readonly mismatches: string[] = []
  readonly brokenRules: string[] = []
  readonly answerStates: AnswerState[] = []
  /** Whether questions wait for `answerAll`. */
  isHolding = false
  stage: SearchPath | undefined

  constructor({ settings, stage }: SearchBenchOptions = {}) {
    this.bench = new Bench({
      search: (parts) => {
        const known = new SearchKnowledge({
          zone: { name: name('cluster.local'), multicluster: false },
          trust: 'declared',
          carveOuts: [],
          auditOneIn: 0,
          ...settings,
        })
        this.stage = new SearchPath({
          ...parts,
          known,
          prefetches: false,
          reports: {
            onMismatch: (octetsOf) => this.mismatches.push(text(octetsOf)),
            onBrokenRule: (octetsOf) => this.brokenRules.push(text(octetsOf)),
            onAnswerState: (state) => this.answerStates.push(state),
          },
          lists: undefined,
          ...stage,
        })
        return this.stage
      },
    })
  }

  later(seconds: number): void {
    this.bench.aheadMs += seconds * 1000
  }

  /** @returns what the client got; undefined while it waits */
  ask(
    qname: string,
    type: Type = 'A',
    client = new Client(),
    options: QueryOptions = {},
  ): ReadMessage | undefined {
    const before = client.got.length
    this.bench.handle(writeQuery(qname, type, options), client)
    if (!this.isHolding) this.answerAll()
    return client.got[before]
  }

  /** The rcode of a name's A, as often as a stub would see it. */
  rcode(qname: string): number | undefined {
    return this.ask(qname)?.rcode
  }

  /** Asks A and AAAA as one look-up does, one right behind the other. */
  pair(qname: string, client = new Client()): (ReadMessage | undefined)[] {
    const before = client.got.length
    for (const type of ['A', 'AAAA'] as const) this.bench.handle(writeQuery(qname, type), client)
    if (!this.isHolding) this.answerAll()
    return client.got.slice(before)
  }

  /** Takes the list of what was asked since the last time. */
  takeAsked(): string[] {
    return this.asked.splice(0).toSorted()
  }

  answerAll(): void {
    const silent: (typeof this.bench.asked)[number][] = []
    while (this.bench.asked.length > 0) {
      const unanswered = this.answerFirst()
      if (unanswered !== undefined) silent.push(unanswered)
    }
    this.bench.asked.push(...silent)
  }

  /** @returns the question, if nobody answers it */
  private answerFirst() {
    const [open] = this.bench.asked
    if (open === undefined) return undefined
    const { frame, questionEnd } = open.ticket
    const qname = presentName(frame, 12)
    const type = frame.readUInt16BE(questionEnd - 4) === 28 ? 'AAAA' : 'A'
    this.asked.push(`${qname} ${type}`)
    const said = this.sayFor(qname)
    if (said === 'silent') return this.bench.asked.shift()
    if (said === 'servfail') this.bench.fail()
    else this.bench.answer(respond(qname, type, said))
    return undefined
  }

  /** Answers one of the open questions, by its place in the order in which they were asked. */
  answerOne(index: number): void {
    const [open] = this.bench.asked.splice(index, 1)
    if (open === undefined) return
    const later = this.bench.asked.splice(0)
    this.bench.asked.push(open)
    this.answerFirst()
    this.bench.asked.unshift(...later)
  }

  private sayFor(qname: string): Say {
    const own = this.saysOf.get(qname)
    if (own !== undefined) return own
    const isIn = (zone: string) => qname === zone || qname.endsWith(`.${zone}`)
    // The longest name that something is said about.
    const known = [...this.says.keys()].filter(isIn).toSorted((a, b) => b.length - a.length)
    const [best] = known
    return (best === undefined ? undefined : this.says.get(best)) ?? 'nxdomain'
  }
}

function respond(qname: string, type: Type, said: Exclude<Say, 'servfail' | 'silent'>): Buffer {
  const isCluster = qname.endsWith('.cluster.local.')
  const aa = 0x0400
  const soa = isCluster ? clusterSoa() : otherSoa(qname.split('.').at(-2) ?? '')
  if (said === 'stranger')
    return responseTo(qname, type, { rcode: 3, flags: aa, authorities: [otherSoa(qname)] })
  if (said === 'nxdomain')
    return responseTo(qname, type, { rcode: 3, flags: isCluster ? aa : 0, authorities: [soa] })
  const { a, aaaa, ttl = 30 } = said
  const answers =
    type === 'A'
      ? a === undefined
        ? []
        : [aRecord(qname, a, ttl)]
      : aaaa === undefined
        ? []
        : [record(qname, 'AAAA', v6(aaaa), ttl)]
  const authorities = answers.length === 0 ? [soa] : []
  return responseTo(qname, type, { flags: isCluster ? aa : 0, answers, authorities })
}

/** `2001:db8::n` only. */
function v6(address: string): Buffer {
  const octetsOf = Buffer.alloc(16)
  octetsOf.writeUInt32BE(0x2001_0db8)
  octetsOf.writeUInt16BE(Number.parseInt(address.split('::')[1] ?? '0', 16), 14)
  return octetsOf
}

function text(octetsOf: string): string {
  return presentName(Buffer.from(octetsOf, 'latin1'), 0)
}
