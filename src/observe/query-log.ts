/** The per-query log: off by default, otherwise one query in N. Builds nothing for queries that are not logged. */
import { type ReplyFacts, ReplySource } from '../core/facts.ts'
import { presentName } from '../wire/name.ts'
import type { Log } from './log.ts'
import { rcodeName } from './rcode-name.ts'

/** RFC 1035 4.1: the question section follows the header. */
const qnameAt = 12

const sourceNames = Object.keys(ReplySource)

export class QueryLog {
  private readonly log: Log
  private sampleOneIn: number
  private left: number

  /** @param sampleOneIn 0 logs nothing, 1 every query, N the Nth of each N */
  constructor(log: Log, sampleOneIn: number) {
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
   */
  record(message: Uint8Array, facts: ReplyFacts, client: () => string): void {
    if (this.sampleOneIn === 0 || --this.left > 0) return
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
}
