/** Local stages in a pipeline without a socket, made from a configuration's text. */
import { loadConfig } from '../../src/config/load.ts'
import { type Explanation, explainText, foretell } from '../../src/core/explain.ts'
import { unlimited } from '../../src/local/bounded.ts'
import type { LocalOutlook, LocalStage } from '../../src/local/local-stage.ts'
import { loadPatternEngine } from '../../src/local/pattern/engine.ts'
import { decodeMessage } from '../../src/wire/message.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { recordLine } from '../../src/wire/record-text.ts'
import { aRecord, responseTo } from '../core/support.ts'
import { Bench, type BenchOptions, Client } from '../pipeline/support.ts'
import { type QueryOptions, type TypeName, writeQuery } from '../support/client/dns-message.ts'

/** @throws with the problems when the text is no valid configuration */
export async function outlookOf(
  text: string,
  more: Partial<LocalOutlook> = {},
): Promise<LocalOutlook> {
  const compilePattern = await loadPatternEngine()
  const read = loadConfig({ file: { name: 'test.yaml', text }, compilePattern })
  if (!read.ok)
    throw new Error(read.problems.map((one) => `${one.where} ${one.message}`).join('\n'))
  const common = { claimed: [], unserved: [], unservedRcode: 'nxdomain' } as const
  return { settings: read.config, ...common, limitsOf: () => unlimited, textOf: () => '', ...more }
}

/** The first problem of a configuration that is not valid. */
export async function problemOf(text: string): Promise<string> {
  const compilePattern = await loadPatternEngine()
  const read = loadConfig({ file: { name: 'test.yaml', text }, compilePattern })
  const [first] = read.ok ? [] : read.problems
  return first === undefined ? 'none' : `${first.where} ${first.path}: ${first.message}`
}

/** A resolver with these stages, and a client. */
export class LocalBench extends Bench {
  constructor(local: readonly LocalStage[], options: BenchOptions = {}) {
    super({ ...options, local })
  }

  /** @returns the RCODE and the records of all sections, one line each; `asked` when an upstream is asked */
  ask(qname: string, type: TypeName, options?: QueryOptions): string[] {
    const packet = writeQuery(qname, type, options)
    const reply = this.handle(packet, new Client())
    return reply === undefined ? ['asked'] : linesOf(this.lastBytes)
  }

  /** Answers the oldest open question with one address. */
  answerA(qname: string, address: string): void {
    this.answer(responseTo(qname, 'A', { answers: [aRecord(qname, address)] }))
  }

  /** The last step of the explanation of a question: stage and reason. */
  explain(qname: string, type: TypeName): { stage: string; why: string } {
    const { trace, outcome } = this.foretold(qname, type)
    return { stage: trace.at(-1)?.stage ?? '', why: outcome.why }
  }

  /** The lines of the explanation. */
  explained(qname: string, type: TypeName): string[] {
    const nothing = { records: () => [], upstreams: () => [], staleAfterMs: () => 0 }
    return explainText(this.foretold(qname, type), nothing)
  }

  private foretold(qname: string, type: TypeName): Explanation {
    const query = writeQuery(qname, type)
    const question = new Question()
    readQuestion(query, query.length, question)
    const asker = { clientPort: 1, turns: 0, clientAddress: () => '192.0.2.200' }
    return foretell(this, query, question, { nowMs: this.nowMs(), asker })
  }
}

/** @returns the RCODE, then the records of each section behind its first letter */
export function linesOf(message: Buffer): string[] {
  const decoded = decodeMessage(message)
  if (!decoded.ok) return ['malformed']
  const { answers = [], authorities = [], additionals = [] } = decoded.message
  const section = (letter: string, records: typeof answers) =>
    records
      .filter(({ type }) => type !== 'OPT')
      .map((record) => `${letter} ${recordLine(record).replaceAll(/ +/g, ' ')}`)
  return [
    String((message[3] ?? 0) & 15),
    ...section('an', answers),
    ...section('ns', authorities),
    ...section('ar', additionals),
  ]
}
