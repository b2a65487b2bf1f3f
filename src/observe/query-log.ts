/** The per-query log: off by default, otherwise one query in N, of all or of some zones and classes. Builds nothing for queries that are not logged. */
import { type ReplyFacts, ReplySource } from '../core/facts.ts'
import { Rcode } from '../wire/constants.ts'
import { presentName } from '../wire/name.ts'
import type { Log } from './log.ts'
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
}

export class QueryLog {
  private readonly log: Log
  private sampleOneIn: number
  private left: number
  private readonly rules: readonly QueryLogRule[]

  /**
   * @param sampleOneIn 0 logs nothing, 1 every query, N the Nth of each N
   * @param rules the first whose zone holds the name decides; none: all queries
   */
  constructor(log: Log, sampleOneIn: number, rules: readonly QueryLogRule[] = []) {
    this.rules = rules
    this.log = log
    this.sampleOneIn = sampleOneIn
    this.left = sampleOneIn
  }

  setSampling(oneIn: number): void {
    this.sampleOneIn = oneIn
    this.left = oneIn
  }

  /**
   * Logs the query if it is the Nth since the last one logged.
   * @param message the query, `facts.queryBytes` long; read only during the call
   * @param client called only for a query that is logged
   * @param answers number of records in the reply's answer section; called only where it matters
   */
  record(
    message: Uint8Array,
    facts: ReplyFacts,
    client: () => string,
    answers: () => number,
  ): void {
    if (this.sampleOneIn === 0 || !this.isWanted(message, facts, answers)) return
    if (--this.left > 0) return
    this.left = this.sampleOneIn
    this.log.info(
      {
        client: client(),
        proto: facts.transport === 0 ? 'udp' : 'tcp',
        qname: presentName(message, qnameAt, facts.queryBytes),
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

  private isWanted(message: Uint8Array, facts: ReplyFacts, answers: () => number): boolean {
    if (this.rules.length === 0) return true
    const name = presentName(message, qnameAt, facts.queryBytes).toLowerCase()
    const rule = this.rules.find(({ zone }) => holds(zone, name))
    return rule?.classes.includes(classOf(facts.rcode, answers)) === true
  }
}

/** @param name with its trailing dot */
function holds(zone: string, name: string): boolean {
  return zone === '.' || name === `${zone}.` || name.endsWith(`.${zone}.`)
}

/** As in CoreDNS: no data is a denial, as no name is. */
function classOf(rcode: number, answers: () => number): QueryClass {
  if (rcode === Rcode.nxdomain) return 'denial'
  if (rcode !== Rcode.noerror) return 'error'
  return answers() > 0 ? 'success' : 'denial'
}
