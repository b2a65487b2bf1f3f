/** The per-query log: off by default, otherwise one query in N, of all or of some zones and classes. Builds nothing for queries that are not logged. */
import { type ReplyFacts, ReplySource } from '../core/facts.ts'
import type { Arrival } from '../core/question/arrival.ts'
import type { Reply } from '../core/reply.ts'
import { u16 } from '../wire/bytes.ts'
import { Rcode } from '../wire/constants.ts'
import { presentName } from '../wire/name.ts'
import type { Log } from './log.ts'
import { type QueryLine, queryLine } from './query-line.ts'
import { rcodeName } from './rcode-name.ts'

/** RFC 1035 4.1: the question section follows the header. */
const qnameAt = 12

const sourceNames = Object.keys(ReplySource)

export type QueryClass = 'success' | 'denial' | 'error'

/** Which queries for names of a zone are logged. */
export interface QueryLogRule {
  /** Lower case, without the trailing dot; `.` is the root. */
  readonly zone: string
  readonly classes: readonly QueryClass[]
  /** Of the line, as in `queryLine`; absent or null: JSON. */
  readonly format?: string | null
}

export interface QueryLogSettings {
  /** 0 logs nothing, 1 every query, N the Nth of each N. */
  readonly sampleOneIn: number
  /** The first whose zone holds the name decides; none: all queries. */
  readonly rules: readonly QueryLogRule[]
}

export class QueryLog {
  private readonly log: Log
  private sampleOneIn: number
  private left: number
  private readonly rules: readonly QueryLogRule[]
  private readonly lines: ReadonlyMap<QueryLogRule, QueryLine>
  private readonly listen: readonly { readonly address: string }[]

  /** @param listen what is listened on, by `serverIndex` */
  constructor(
    log: Log,
    { sampleOneIn, rules }: QueryLogSettings,
    listen: readonly { readonly address: string }[] = [],
  ) {
    this.rules = rules
    this.lines = new Map(
      rules.flatMap((rule) => (rule.format ? [[rule, queryLine(rule.format)]] : [])),
    )
    this.listen = listen
    this.log = log
    this.sampleOneIn = sampleOneIn
    this.left = sampleOneIn
  }

  setSampling(oneIn: number): void {
    this.sampleOneIn = oneIn
    this.left = oneIn
  }

  /** Logs the query if it is the Nth since the last one logged. @param arrival, reply, facts read only during the call */
  record(arrival: Arrival, reply: Reply, facts: ReplyFacts): void {
    if (this.sampleOneIn === 0) return
    const rule = this.ruleFor(arrival)
    if (this.rules.length > 0) {
      if (rule?.classes.includes(classOf(reply, facts.rcode)) !== true) return
    }
    if (--this.left > 0) return
    this.left = this.sampleOneIn
    const line = rule && this.lines.get(rule)
    if (line === undefined) this.write(arrival, facts)
    else this.writeLine(line, arrival, reply, facts)
  }

  private writeLine(line: QueryLine, arrival: Arrival, reply: Reply, facts: ReplyFacts): void {
    const local = this.listen[facts.serverIndex]?.address ?? ''
    const kind = classOf(reply, facts.rcode)
    this.log.plain(`[INFO] ${line({ arrival, reply, facts, local, class: kind })}`)
  }

  private write(arrival: Arrival, facts: ReplyFacts): void {
    this.log.info(
      {
        client: arrival.clientAddress(),
        proto: facts.transport === 0 ? 'udp' : 'tcp',
        qname: presentName(arrival.query, qnameAt, facts.queryBytes),
        qtype: facts.qtype,
        rcode: rcodeName(facts.rcode),
        source: sourceNames[facts.source],
        queryBytes: facts.queryBytes,
        replyBytes: facts.replyBytes,
        tookMs: Math.round(facts.tookMs * 1000) / 1000,
      },
      'query',
    )
  }

  private ruleFor({ query, queryBytes }: Arrival): QueryLogRule | undefined {
    if (this.rules.length === 0) return undefined
    const name = presentName(query, qnameAt, queryBytes)
    return this.rules.find(({ zone }) => holds(zone, name))
  }
}

/** @param name with its trailing dot */
function holds(zone: string, name: string): boolean {
  return zone === '.' || name === `${zone}.` || name.endsWith(`.${zone}.`)
}

/** As in CoreDNS: no data is a denial, as no name is. */
function classOf(reply: Reply, rcode: number): QueryClass {
  if (rcode === Rcode.nxdomain) return 'denial'
  if (rcode !== Rcode.noerror) return 'error'
  return answersIn(reply) > 0 ? 'success' : 'denial'
}

/** ANCOUNT (RFC 1035 4.1.1). */
function answersIn({ stored, image }: Reply): number {
  if (stored !== undefined) return u16(stored.memory, stored.imageAt + 6)
  return image === undefined ? 0 : u16(image, 6)
}
